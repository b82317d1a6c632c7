//! Where tokens are: for errors, and for whoever else would see their names.

use proc_macro2::{Ident, Span, TokenStream};
use syn::spanned::Spanned;

/// Where errors about these tokens are to be, for tokens around them. Lints still know that those come from a macro.
pub(crate) fn located_at(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// Tokens whose errors are to be where those about others are. They still mean what they mean where they come from
/// (`$crate`!).
pub(crate) fn at(tokens: &TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(span));
        token
    });
    tokens.collect()
}

/// An identifier that no code of the user's can see.
pub(crate) fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
