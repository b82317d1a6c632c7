//! The arguments `attributes_from_args` and `static_attributes`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, Ident, LitStr, Token, braced, bracketed, ext::IdentExt, parse::ParseStream, token};

use super::Sigil;
use crate::errors::Errors;
use crate::{
    expression::is_constant_name,
    input::{entries, is_path},
};

/// The name of an attribute.
#[derive(Clone)]
pub(in super::super) enum Key {
    Text(LitStr),
    /// A constant, such as those of `opentelemetry-semantic-conventions`, or `concat!(...)`.
    Constant(Expr),
}

impl ToTokens for Key {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Key::Text(text) => text.to_tokens(tokens),
            Key::Constant(path) => path.to_tokens(tokens),
        }
    }
}

impl Key {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return Ok(Key::Text(input.parse()?));
        }
        if is_path(input) {
            let written: Expr = input.parse()?;
            let is_constant = match &written {
                Expr::Path(path) => path.path.get_ident().is_none_or(is_constant_name),
                other => matches!(other, Expr::Macro(_)),
            };
            return match is_constant {
                true => Ok(Key::Constant(written)),
                false => {
                    let name = written.to_token_stream().to_string().replace(' ', "");
                    let message = format!("the name of an attribute is a string or a constant: write {name:?}");
                    Err(syn::Error::new_spanned(written, message))
                }
            };
        }
        Err(input.error("expected the attribute's name, such as \"user.id\""))
    }
}

/// An attribute from an argument: `%user.id: "user.id"`.
#[derive(Clone)]
pub(in super::super) struct Attribute {
    pub(in super::super) sigil: Sigil,
    pub(in super::super) value: Expr,
    pub(in super::super) key: Key,
}

#[derive(Clone, Default)]
pub(in super::super) enum Attributes {
    #[default]
    None,
    /// All arguments, as with `#[tracing::instrument]`.
    All,
    List(Vec<Attribute>),
}

impl Attributes {
    /// Returns the attributes that are listed one by one.
    pub(super) fn list(&self) -> &[Attribute] {
        match self {
            Attributes::List(list) => list,
            Attributes::None | Attributes::All => &[],
        }
    }
}

const EXPECTED: &str = "expected `{ user_id: \"user.id\" }`, `[user_id]` or `all`";

impl Attributes {
    pub(super) fn parse(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Self> {
        if input.peek(token::Brace) {
            let content;
            braced!(content in input);
            return Ok(Attributes::List(entries(&content, errors, mapped)?));
        }
        if input.peek(token::Bracket) {
            let content;
            bracketed!(content in input);
            return Ok(Attributes::List(entries(&content, errors, named)?));
        }
        match input.parse::<Option<Ident>>()? {
            Some(word) if word == "all" => Ok(Attributes::All),
            Some(word) if word == "none" => Ok(Attributes::None),
            Some(word) => Err(syn::Error::new(word.span(), EXPECTED)),
            None => Err(input.error(EXPECTED)),
        }
    }
}

/// Parses `?req: "req"`.
fn mapped(input: ParseStream<'_>) -> syn::Result<Attribute> {
    let sigil = Sigil::parse(input)?;
    let value: Expr = input.parse()?;
    if let Expr::Assign(assigned) = &value {
        let (value, key) = (assigned.left.to_token_stream(), assigned.right.to_token_stream());
        return Err(syn::Error::new_spanned(assigned, format_args!("expected `:`: write `{value}: {key}`")));
    }
    if let Expr::Lit(_) = value {
        let message = "expected an argument, as in `user_id: \"user.id\"`; constants belong in \
                       `static_attributes`";
        return Err(syn::Error::new_spanned(value, message));
    }
    if input.parse::<Option<Token![:]>>()?.is_none() {
        let message = format!(
            "expected `: \"name of the attribute\"` after this: use `[{}]` to keep the argument's name",
            value.to_token_stream()
        );
        return Err(syn::Error::new_spanned(value, message));
    }
    Ok(Attribute { sigil, value, key: Key::parse(input)? })
}

/// Parses `?req`.
fn named(input: ParseStream<'_>) -> syn::Result<Attribute> {
    let sigil = Sigil::parse(input)?;
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected an argument: use `{ order.id: \"order.id\" }` for other expressions"));
    }
    let name = input.call(Ident::parse_any)?;
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(
            input.error("expected `,`: use `{ order.id: \"order.id\" }` for expressions that are not arguments")
        );
    }
    let key = Key::Text(LitStr::new(&name.unraw().to_string(), name.span()));
    Ok(Attribute { sigil, value: syn::parse_quote!(#name), key })
}

/// A static attribute: `"shard": 7`.
#[derive(Clone)]
pub(in super::super) struct StaticAttribute {
    pub(in super::super) key: Key,
    pub(in super::super) value: Expr,
}

pub(super) fn parse_static(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<StaticAttribute>> {
    if !input.peek(token::Brace) {
        return Err(input.error("expected `{ \"component\": \"profile\" }`"));
    }
    let content;
    braced!(content in input);
    entries(&content, errors, |input| {
        let key = Key::parse(input)?;
        if input.parse::<Option<Token![:]>>()?.is_none() {
            return Err(syn::Error::new_spanned(key, "expected `: value` after this"));
        }
        let value: Expr = input.parse()?;
        match constant(&value) {
            true => Ok(StaticAttribute { key, value }),
            false => Err(syn::Error::new_spanned(
                value,
                "a static attribute is a string, a number, a boolean or a constant; values from arguments belong in \
                 `attributes_from_args`",
            )),
        }
    })
}

fn constant(value: &Expr) -> bool {
    match value {
        Expr::Lit(literal) => {
            matches!(literal.lit, syn::Lit::Str(_) | syn::Lit::Int(_) | syn::Lit::Float(_) | syn::Lit::Bool(_))
        }
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Neg(_)) && constant(&unary.expr),
        Expr::Group(inner) => constant(&inner.expr),
        Expr::Path(path) => path.path.get_ident().is_none_or(is_constant_name),
        Expr::Macro(_) => true,
        _ => false,
    }
}
