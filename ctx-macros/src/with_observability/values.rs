//! Names and values of spans and events.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ext::IdentExt, spanned::Spanned};

use super::arguments::{Field, FieldName, Format, Sigil};
use crate::{
    context_argument::reference,
    expression::{is_evaluated, referable},
    functions::Binding,
    location::{at, located_at},
};

/// A field and its value.
pub(super) struct NamedValue {
    /// The `#[cfg(...)]` attributes of the argument.
    pub(super) condition: TokenStream,
    /// A constant expression.
    pub(super) name: TokenStream,
    pub(super) value: Shown,
    /// A call of `naming` with the names to mask and to reveal in `Debug` output.
    pub(super) naming: Option<TokenStream>,
}

/// The form in which a value is shown.
pub(super) enum Shown {
    /// Without formatting, if it has a type that fields record. Otherwise the code does not compile.
    Itself(TokenStream),
    Display(TokenStream),
    Debug(TokenStream),
    /// In the requested form. An `Option` without a value is left out.
    AskedDisplay(TokenStream),
    AskedDebug(TokenStream),
    /// In the best form that its type has.
    Best(TokenStream),
    /// As `#[tracing::instrument]` shows values that fields do not record: with `Debug`, otherwise the name of the
    /// type.
    DebugOrType(TokenStream),
    Redacted,
    /// Hidden if one of these fields, which are set from the value, is sensitive.
    UnlessSensitive {
        fields: Vec<Expr>,
        value: Box<Shown>,
    },
}

impl Shown {
    /// Returns an expression in the requested form.
    pub(super) fn asked(sigil: Sigil, value: &Expr) -> Self {
        let value = referable(value);
        match sigil {
            Sigil::None => Shown::Best(value),
            Sigil::Display => Shown::AskedDisplay(value),
            Sigil::Debug => Shown::AskedDebug(value),
        }
    }

    /// Hides the value if one of these fields is sensitive.
    pub(super) fn unless_sensitive(self, fields: Vec<Expr>) -> Self {
        if fields.is_empty() || matches!(self, Shown::Redacted) {
            return self;
        }
        Shown::UnlessSensitive { fields, value: Box::new(self) }
    }

    /// Returns an `Option<&dyn Value>`. Type errors point at the value.
    pub(super) fn tokens(&self, call: &TokenStream, naming: Option<&TokenStream>) -> TokenStream {
        let shown = self.reference(call, naming);
        quote!(::core::option::Option::Some(#shown))
    }

    /// Returns a `&dyn Value`.
    fn reference(&self, call: &TokenStream, naming: Option<&TokenStream>) -> TokenStream {
        if let Shown::UnlessSensitive { fields, value } = self {
            let value = value.reference(call, naming);
            return fields
                .iter()
                .map(reference)
                .fold(value, |value, field| quote!(#call::unless_sensitive(#field, #value)));
        }
        let call = &self.expression().map_or_else(|| call.clone(), |value| at(call, value.span()));
        match self {
            Shown::Itself(value) => quote_spanned!(located_at(value)=> &#value),
            Shown::Display(value) => quote_spanned!(located_at(value)=> #call::value(&#call::display(&#value))),
            Shown::Debug(value) => quote_spanned!(located_at(value)=> &#call::debug(&#value)),
            Shown::AskedDisplay(value) => {
                quote_spanned!(located_at(value)=> #call::value(&(&&#call::Asked(&#value)#naming).displayed()))
            }
            Shown::AskedDebug(value) => {
                quote_spanned!(located_at(value)=> &(&&#call::Asked(&#value)#naming).debugged())
            }
            Shown::Best(value) => {
                quote_spanned!(located_at(value)=> #call::value(&(&&&&&&&#call::Best(&#value)#naming).show()))
            }
            Shown::DebugOrType(value) => quote_spanned!(located_at(value)=> &(&&&#call::Plain(&#value)#naming).show()),
            Shown::Redacted | Shown::UnlessSensitive { .. } => quote!(&#call::REDACTED),
        }
    }

    /// Returns the expression that is shown, if any is.
    fn expression(&self) -> Option<&TokenStream> {
        match self {
            Shown::Itself(value)
            | Shown::Display(value)
            | Shown::Debug(value)
            | Shown::AskedDisplay(value)
            | Shown::AskedDebug(value)
            | Shown::Best(value)
            | Shown::DebugOrType(value) => Some(value),
            Shown::Redacted => None,
            Shown::UnlessSensitive { value, .. } => value.expression(),
        }
    }

    fn is_evaluated(&self) -> bool {
        self.expression().is_some_and(is_evaluated)
    }

    /// Returns `true` if the traits that select a form have to be in scope.
    pub(super) fn needs_forms(&self) -> bool {
        match self {
            Shown::Itself(_) | Shown::Display(_) | Shown::Debug(_) | Shown::Redacted => false,
            Shown::UnlessSensitive { value, .. } => value.needs_forms(),
            _ => true,
        }
    }
}

impl NamedValue {
    pub(super) fn text(name: &str, value: Shown) -> Self {
        NamedValue::new(name.to_token_stream(), value)
    }

    pub(super) fn new(name: TokenStream, value: Shown) -> Self {
        NamedValue { condition: TokenStream::new(), name, value, naming: None }
    }

    /// Returns `true` if computing the value takes more than reading a variable.
    pub(super) fn is_evaluated(&self) -> bool {
        self.value.is_evaluated()
    }

    /// Restricts the field to the `#[cfg(...)]` of its argument.
    pub(super) fn under(self, binding: &Binding) -> Self {
        let conditions = &binding.conditions;
        NamedValue { condition: quote!(#(#conditions)*), ..self }
    }

    /// Returns a field of `fields(...)`, as `#[tracing::instrument]` records it.
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
            // A name without a value is a field that is recorded later.
            (None, ..) => Shown::Itself(quote!(#call::Empty)),
        };
        NamedValue::new(name, value)
    }
}

/// Returns `&[...]` of the names.
pub(super) fn names(values: &[NamedValue]) -> TokenStream {
    let names = named(values);
    quote!(&[#(#names),*])
}

/// Returns the names, as elements of an array.
pub(super) fn named(values: &[NamedValue]) -> impl Iterator<Item = TokenStream> {
    values.iter().map(|NamedValue { condition, name, .. }| quote!(#condition #name))
}

/// Returns `&[...]` of the values.
pub(super) fn values(values: &[NamedValue], call: &TokenStream) -> TokenStream {
    let values = valued(values, call);
    quote!(&[#(#values),*])
}

/// Returns the values, as elements of an array.
pub(super) fn valued(values: &[NamedValue], call: &TokenStream) -> impl Iterator<Item = TokenStream> {
    values.iter().map(|NamedValue { condition, value, naming, .. }| {
        let value = value.tokens(call, naming.as_ref());
        quote!(#condition #value)
    })
}

impl Format {
    /// Returns a `&dyn Value`.
    pub(super) fn of(self, value: &TokenStream, call: &TokenStream) -> TokenStream {
        let (Format::Display(span) | Format::Debug(span)) = self;
        let call = at(call, span);
        let span = Span::call_site().located_at(span);
        let value = at(value, span);
        match self {
            Format::Display(_) => quote_spanned!(span=> #call::value(&#call::display(&#value))),
            Format::Debug(_) => quote_spanned!(span=> &#call::debug(&#value)),
        }
    }
}
