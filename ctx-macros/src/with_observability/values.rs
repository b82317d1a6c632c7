//! Names and values of spans and events.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ext::IdentExt, spanned::Spanned};

use super::arguments::{Field, FieldName, Format, Sigil};
use crate::{
    expression::referable,
    place::{at, located_at},
};

/// A field and its value.
pub(super) struct NamedValue {
    /// A constant expression.
    pub(super) name: TokenStream,
    pub(super) value: Shown,
}

/// In which form a value stands there.
pub(super) enum Shown {
    /// As a value of its own type: of one that fields have, or the code does not compile.
    Itself(TokenStream),
    Display(TokenStream),
    Debug(TokenStream),
    /// In the best form that its type has.
    Best(TokenStream),
    /// As `#[tracing::instrument]` shows what is not a value: its `Debug`. Where it has none, the name of its type.
    DebugOrType(TokenStream),
    Redacted,
}

impl Shown {
    /// An expression, in the form that was asked for.
    pub(super) fn asked(sigil: Sigil, value: &Expr) -> Self {
        let value = referable(value);
        match sigil {
            Sigil::None => Shown::Best(value),
            Sigil::Display => Shown::Display(value),
            Sigil::Debug => Shown::Debug(value),
        }
    }

    /// As an `Option<&dyn Value>`. What is wrong with a value's type is wrong at the value.
    pub(super) fn tokens(&self, call: &TokenStream) -> TokenStream {
        let call = &match self {
            Shown::Itself(value)
            | Shown::Display(value)
            | Shown::Debug(value)
            | Shown::Best(value)
            | Shown::DebugOrType(value) => at(call, value.span()),
            Shown::Redacted => call.clone(),
        };
        let shown = match self {
            Shown::Itself(value) => quote_spanned!(located_at(value)=> &#value),
            Shown::Display(value) => quote_spanned!(located_at(value)=> &#call::display(&#value)),
            Shown::Debug(value) => quote_spanned!(located_at(value)=> &#call::debug(&#value)),
            Shown::Best(value) => {
                quote_spanned!(located_at(value)=> #call::value(&(&&&&&&#call::Best(&#value)).show()))
            }
            Shown::DebugOrType(value) => quote_spanned!(located_at(value)=> &(&&&#call::Plain(&#value)).show()),
            Shown::Redacted => quote!(&#call::REDACTED),
        };
        quote!(::core::option::Option::Some(#shown))
    }

    /// Whether the traits that find a form have to be in scope.
    pub(super) fn is_found(&self) -> bool {
        matches!(self, Shown::Best(_) | Shown::DebugOrType(_))
    }
}

impl NamedValue {
    pub(super) fn text(name: &str, value: Shown) -> Self {
        NamedValue { name: name.to_token_stream(), value }
    }

    /// As `#[tracing::instrument(fields(...))]` has it.
    pub(super) fn custom(field: &Field, call: &TokenStream) -> Self {
        let (name, own) = match &field.name {
            FieldName::Constant(name) => (quote!({ #name }), None),
            FieldName::Dotted(parts) => {
                let name = parts.iter().map(|part| part.unraw().to_string()).collect::<Vec<_>>().join(".");
                (name.to_token_stream(), Some(parts.to_token_stream()))
            }
        };
        let value = match (&field.value, field.sigil, own) {
            (Some(value), Sigil::None, _) => Shown::Itself(referable(value)),
            (Some(value), Sigil::Display, _) => Shown::Display(referable(value)),
            (Some(value), Sigil::Debug, _) => Shown::Debug(referable(value)),
            (None, Sigil::Display, Some(own)) => Shown::Display(own),
            (None, Sigil::Debug, Some(own)) => Shown::Debug(own),
            // A name alone is a field that is filled in later.
            (None, ..) => Shown::Itself(quote!(#call::Empty)),
        };
        NamedValue { name, value }
    }
}

/// `&[...]` of the names.
pub(super) fn names(values: &[NamedValue]) -> TokenStream {
    let names = values.iter().map(|value| &value.name);
    quote!(&[#(#names),*])
}

/// `&[...]` of the values.
pub(super) fn values(values: &[NamedValue], call: &TokenStream) -> TokenStream {
    let values = values.iter().map(|value| value.value.tokens(call));
    quote!(&[#(#values),*])
}

impl Format {
    /// As a `&dyn Value`.
    pub(super) fn of(self, value: &TokenStream, call: &TokenStream) -> TokenStream {
        let (Format::Display(span) | Format::Debug(span)) = self;
        let call = at(call, span);
        let span = Span::call_site().located_at(span);
        let value = at(value, span);
        match self {
            Format::Display(_) => quote_spanned!(span=> &#call::display(&#value)),
            Format::Debug(_) => quote_spanned!(span=> &#call::debug(&#value)),
        }
    }
}
