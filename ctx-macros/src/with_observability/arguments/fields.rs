//! The argument `fields(rows = 3, user.id = %user.id, {KEY} = ?value, later)`.

use syn::{Expr, Ident, Token, braced, ext::IdentExt, parse::ParseStream, punctuated::Punctuated, token};

/// The requested form of a value.
#[derive(Clone, Copy, PartialEq)]
pub(in super::super) enum Sigil {
    None,
    /// `%`
    Display,
    /// `?`
    Debug,
}

impl Sigil {
    pub(super) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.parse::<Option<Token![%]>>()?.is_some() {
            Ok(Sigil::Display)
        } else if input.parse::<Option<Token![?]>>()?.is_some() {
            Ok(Sigil::Debug)
        } else {
            Ok(Sigil::None)
        }
    }
}

#[derive(Clone)]
pub(in super::super) enum FieldName {
    /// `{KEY}`
    Constant(Expr),
    /// `user.id`
    Dotted(Punctuated<Ident, Token![.]>),
}

#[derive(Clone)]
pub(in super::super) struct Field {
    pub(in super::super) sigil: Sigil,
    pub(in super::super) name: FieldName,
    pub(in super::super) value: Option<Expr>,
}

pub(super) fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    let mut sigil = Sigil::parse(input)?;
    let name = if input.peek(token::Brace) {
        let content;
        braced!(content in input);
        FieldName::Constant(content.parse()?)
    } else if input.peek(Ident::peek_any) {
        let names = Punctuated::parse_separated_nonempty_with(input, Ident::parse_any);
        let message = "expected the name of a field, such as `user.id`; `{\"any name\"}` takes any string";
        FieldName::Dotted(names.map_err(|error| syn::Error::new(error.span(), message))?)
    } else {
        return Err(input.error("expected a field: `name`, `name = value`, `%name`, `?name` or `{NAME} = value`"));
    };
    let mut value = None;
    if input.parse::<Option<Token![=]>>()?.is_some() {
        match Sigil::parse(input)? {
            Sigil::None => {}
            inner => sigil = inner,
        }
        value = Some(input.parse()?);
    }
    Ok(Field { sigil, name, value })
}
