//! The `context = { tenant: TENANT_ID }` argument of both attributes.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Ident, LitStr, Token, braced, parenthesized, parse::ParseStream, token};

use crate::{
    errors::Errors,
    expression::{is_constant_name, root},
    functions::Parameters,
    input::{after_equals, entries, is_at_end, takes},
    location::located_at,
};

/// The keys in `ctx_layer::field::well_known` that can be set.
const WELL_KNOWN: &[&str] =
    &["REQUEST_ID", "TENANT_ID", "USER_ID", "ROLE", "LOCALE", "CORRELATION_ID", "FEATURE_FLAGS"];

const EXAMPLE: &str = "context = { tenant: TENANT_ID }";

/// `tenant: TENANT_ID` in `context = { tenant: TENANT_ID }`: a value and the field that it is set to.
#[derive(Clone)]
pub(crate) struct ContextArgument {
    pub(crate) value: Expr,
    pub(crate) field: Expr,
}

impl ContextArgument {
    /// Parses what follows the argument's name.
    pub(crate) fn parse_all(
        input: ParseStream<'_>,
        word: &Ident,
        errors: &mut Errors,
    ) -> syn::Result<Vec<ContextArgument>> {
        if input.peek(token::Paren) {
            return Err(takes(word, "fields in braces", EXAMPLE));
        }
        let input = after_equals(input, word, EXAMPLE)?;
        if !input.peek(token::Brace) {
            return Err(input.error("expected `{ tenant: TENANT_ID }`"));
        }
        let content;
        braced!(content in input);
        entries(&content, errors, Self::parse)
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let value: Expr = input.parse()?;
        if let Expr::Assign(assigned) = &value {
            let instead = entry_of(&assigned.right, &assigned.left);
            return Err(syn::Error::new_spanned(assigned, format_args!("expected `:`: write `{instead}`")));
        }
        if input.parse::<Option<Token![:]>>()?.is_none() {
            return Err(syn::Error::new_spanned(value, "expected `: FIELD` after this, such as `: TENANT_ID`"));
        }
        if input.peek(LitStr) {
            return Err(input.error("expected a `ContextField`, such as `TENANT_ID`, not its name"));
        }
        if is_at_end(input) {
            return Err(input.error("expected a `ContextField`, such as `TENANT_ID`"));
        }
        Ok(ContextArgument { value, field: input.parse()? })
    }

    /// Returns a reference to the field.
    pub(crate) fn field(&self) -> TokenStream {
        reference(&self.field)
    }

    /// Reports invalid entries and removes them.
    pub(crate) fn keep_valid(list: &mut Vec<ContextArgument>, parameters: &Parameters, errors: &mut Errors) {
        let mut seen: Vec<String> = Vec::new();
        list.retain(|argument| {
            if !argument.is_valid_entry(parameters, errors) || !parameters.has_root(&argument.value, errors) {
                return false;
            }
            let field = argument.field.to_token_stream().to_string();
            let is_new = !seen.contains(&field);
            if is_new {
                seen.push(field);
            } else {
                errors.add(&argument.field, format_args!("`{field}` is set twice: set it once"));
            }
            is_new
        });
    }

    /// Returns `true` if the value and the field are in the right order, and the field is a key.
    fn is_valid_entry(&self, parameters: &Parameters, errors: &mut Errors) -> bool {
        let Some(name) = root(&self.field).filter(|name| parameters.has(name) || !is_constant_name(name)) else {
            return true;
        };
        let value = self.value.to_token_stream();
        let key = name.to_string().to_uppercase();
        let is_value_a_key = root(&self.value).is_some_and(is_constant_name);
        if WELL_KNOWN.contains(&key.as_str()) && !is_value_a_key {
            errors.add(name, format_args!("a field is set by its key: write `{value}: {key}`"));
        } else if parameters.has(name) {
            errors.add(name, format_args!("the value comes first: write `{name}: {value}`"));
        } else {
            errors.add(name, "expected the key of a field, such as `TENANT_ID`");
        }
        false
    }
}

/// Returns a reference to a field.
pub(crate) fn reference(field: &Expr) -> TokenStream {
    match field {
        Expr::Path(path) => quote_spanned!(located_at(path)=> &#path),
        other => other.to_token_stream(),
    }
}

/// Returns the error for `set(tenant_id = tenant)`, with the correct form.
pub(crate) fn error_of_set(input: ParseStream<'_>, word: &Ident) -> syn::Error {
    let written = || -> syn::Result<String> {
        let content;
        parenthesized!(content in input);
        let pairs = content.parse_terminated(Expr::parse_without_eager_brace, Token![,])?;
        let pairs = pairs.iter().map(|pair| match pair {
            Expr::Assign(assigned) => entry_of(&assigned.right, &assigned.left),
            other => other.to_token_stream().to_string(),
        });
        Ok(format!("context = {{ {} }}", pairs.collect::<Vec<_>>().join(", ")))
    };
    let instead = written().unwrap_or_else(|_| EXAMPLE.to_owned());
    syn::Error::new(word.span(), format_args!("unknown argument `set`: write `{instead}`"))
}

/// Returns `tenant: TENANT_ID` for a value and a key or the name of a well-known field.
fn entry_of(value: &Expr, field: &Expr) -> String {
    let field = field.to_token_stream().to_string();
    let key = field.to_uppercase();
    let field = if WELL_KNOWN.contains(&key.as_str()) { key } else { field };
    format!("{}: {field}", value.to_token_stream())
}
