//! Spans of tokens: where errors point, and which code can see the names.

use proc_macro2::{Ident, Span, TokenStream};
use syn::spanned::Spanned;

/// Returns a span at the location of these tokens, for errors in tokens around them. Lints still recognize it as a
/// macro's.
pub(crate) fn located_at(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// Returns tokens with another location, for errors. They resolve as before (`$crate`).
pub(crate) fn at(tokens: &TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(span));
        token
    });
    tokens.collect()
}

/// Returns an identifier that the user's code cannot refer to.
pub(crate) fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
