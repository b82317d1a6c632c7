//! Names and values of spans and events.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ext::IdentExt, spanned::Spanned};

use super::arguments::{Field, FieldName, Format, Sigil};
use crate::{
    context_argument::reference,
    expression::{is_evaluated, referable},
    function::Binding,
    place::{at, located_at},
};

/// A field and its value.
pub(super) struct NamedValue {
    /// `#[cfg(...)]` of the argument.
    pub(super) condition: TokenStream,
    /// A constant expression.
    pub(super) name: TokenStream,
    pub(super) value: Shown,
    /// What is masked, and what is not, within what `Debug` writes, besides what is known: a call of `naming`.
    pub(super) naming: Option<TokenStream>,
}

/// In which form a value stands there.
pub(super) enum Shown {
    /// As a value of its own type: of one that fields have, or the code does not compile.
    Itself(TokenStream),
    Display(TokenStream),
    Debug(TokenStream),
    /// In the form that was asked for. An `Option` is left out where nothing is in it.
    AskedDisplay(TokenStream),
    AskedDebug(TokenStream),
    /// In the best form that its type has.
    Best(TokenStream),
    /// As `#[tracing::instrument]` shows what is not a value: its `Debug`. Where it has none, the name of its type.
    DebugOrType(TokenStream),
    Redacted,
    /// Not where one of these fields, which it becomes, is sensitive.
    UnlessSensitive {
        fields: Vec<Expr>,
        value: Box<Shown>,
    },
}

impl Shown {
    /// An expression, in the form that was asked for.
    pub(super) fn asked(sigil: Sigil, value: &Expr) -> Self {
        let value = referable(value);
        match sigil {
            Sigil::None => Shown::Best(value),
            Sigil::Display => Shown::AskedDisplay(value),
            Sigil::Debug => Shown::AskedDebug(value),
        }
    }

    /// The same, unless one of these fields is sensitive.
    pub(super) fn unless_sensitive(self, fields: Vec<Expr>) -> Self {
        if fields.is_empty() || matches!(self, Shown::Redacted) {
            return self;
        }
        Shown::UnlessSensitive { fields, value: Box::new(self) }
    }

    /// As an `Option<&dyn Value>`. What is wrong with a value's type is wrong at the value.
    pub(super) fn tokens(&self, call: &TokenStream, naming: Option<&TokenStream>) -> TokenStream {
        let shown = self.reference(call, naming);
        quote!(::core::option::Option::Some(#shown))
    }

    /// As a `&dyn Value`.
    fn reference(&self, call: &TokenStream, naming: Option<&TokenStream>) -> TokenStream {
        if let Shown::UnlessSensitive { fields, value } = self {
            let value = value.reference(call, naming);
            return fields
                .iter()
                .map(reference)
                .fold(value, |value, field| quote!(#call::unless_sensitive(#field, #value)));
        }
        let call = &match self {
            Shown::Itself(value)
            | Shown::Display(value)
            | Shown::Debug(value)
            | Shown::AskedDisplay(value)
            | Shown::AskedDebug(value)
            | Shown::Best(value)
            | Shown::DebugOrType(value) => at(call, value.span()),
            Shown::Redacted | Shown::UnlessSensitive { .. } => call.clone(),
        };
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

    fn is_evaluated(&self) -> bool {
        match self {
            Shown::Itself(value)
            | Shown::Display(value)
            | Shown::Debug(value)
            | Shown::AskedDisplay(value)
            | Shown::AskedDebug(value)
            | Shown::Best(value)
            | Shown::DebugOrType(value) => is_evaluated(value),
            Shown::Redacted => false,
            Shown::UnlessSensitive { value, .. } => value.is_evaluated(),
        }
    }

    /// Whether the traits that find a form have to be in scope.
    pub(super) fn is_found(&self) -> bool {
        match self {
            Shown::Itself(_) | Shown::Display(_) | Shown::Debug(_) | Shown::Redacted => false,
            Shown::UnlessSensitive { value, .. } => value.is_found(),
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

    /// Returns `true` if more is done for the value than to look at a variable.
    pub(super) fn is_evaluated(&self) -> bool {
        self.value.is_evaluated()
    }

    /// There only where its argument is.
    pub(super) fn under(self, binding: &Binding) -> Self {
        let conditions = &binding.conditions;
        NamedValue { condition: quote!(#(#conditions)*), ..self }
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
        NamedValue::new(name, value)
    }
}

/// `&[...]` of the names.
pub(super) fn names(values: &[NamedValue]) -> TokenStream {
    let names = named(values);
    quote!(&[#(#names),*])
}

/// The names, as elements of an array.
pub(super) fn named(values: &[NamedValue]) -> impl Iterator<Item = TokenStream> {
    values.iter().map(|NamedValue { condition, name, .. }| quote!(#condition #name))
}

/// `&[...]` of the values.
pub(super) fn values(values: &[NamedValue], call: &TokenStream) -> TokenStream {
    let values = valued(values, call);
    quote!(&[#(#values),*])
}

/// The values, as elements of an array.
pub(super) fn valued(values: &[NamedValue], call: &TokenStream) -> impl Iterator<Item = TokenStream> {
    values.iter().map(|NamedValue { condition, value, naming, .. }| {
        let value = value.tokens(call, naming.as_ref());
        quote!(#condition #value)
    })
}

impl Format {
    /// As a `&dyn Value`.
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
