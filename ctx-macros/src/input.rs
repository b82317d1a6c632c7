//! What the arguments of all attributes are read with.

use proc_macro2::TokenTree;
use syn::{Ident, LitBool, LitStr, Path, Token, parse::ParseStream, token};

use crate::mistakes::Mistakes;

/// What follows `=`.
pub(crate) fn after_equals<'a>(input: ParseStream<'a>, word: &Ident, example: &str) -> syn::Result<ParseStream<'a>> {
    let is_given = input.parse::<Option<Token![=]>>()?.is_some() && !is_at_end(input);
    if is_given { Ok(input) } else { Err(takes(word, "a value", example)) }
}

/// Whether an entry of a list is over.
pub(crate) fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// `word` takes something else.
pub(crate) fn takes(word: &Ident, what: &str, example: &str) -> syn::Error {
    syn::Error::new(word.span(), format_args!("`{word}` takes {what}: write `{example}`, for example"))
}

/// Nothing, and no `=`.
pub(crate) fn without_value(input: ParseStream<'_>, word: &Ident, instead: &str) -> syn::Result<()> {
    match input.peek(Token![=]) {
        true => Err(syn::Error::new(word.span(), format_args!("`{word}` takes no value: write `{instead}`"))),
        false => Ok(()),
    }
}

/// Nothing behind it at all.
pub(crate) fn alone(input: ParseStream<'_>, word: &Ident) -> syn::Result<()> {
    match input.peek(token::Paren) {
        true => Err(syn::Error::new(word.span(), format_args!("`{word}` takes no value: write `{word}`"))),
        false => without_value(input, word, &word.to_string()),
    }
}

/// `= true`
pub(crate) fn boolean(input: ParseStream<'_>, word: &Ident) -> syn::Result<bool> {
    let input = after_equals(input, word, &format!("{word} = false"))?;
    if !input.peek(LitBool) {
        return Err(input.error(format_args!("`{word}` is `true` or `false`")));
    }
    Ok(input.parse::<LitBool>()?.value)
}

/// `= my_crate::ctx_layer`: where the library is found.
pub(crate) fn library(input: ParseStream<'_>, word: &Ident) -> syn::Result<Path> {
    let input = after_equals(input, word, "crate = my_crate::ctx_layer")?;
    let path = match input.parse::<Option<LitStr>>()? {
        Some(text) => text.parse_with(Path::parse_mod_style),
        None => input.call(Path::parse_mod_style),
    };
    let message = "expected the path of `ctx-layer`, such as `my_crate::ctx_layer`";
    path.map_err(|error| syn::Error::new(error.span(), message))
}

/// Goes on after something that could not be read.
pub(crate) fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// Reads the entries of a list that stands between commas; one that cannot be read costs none of the others.
pub(crate) fn entries<T>(
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
    mut parse: impl FnMut(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        match parse(input) {
            Ok(entry) if is_at_end(input) => entries.push(entry),
            Ok(_) => mistakes.add_error(input.error("expected `,`")),
            Err(error) => mistakes.add_error(error),
        }
        skip_to_comma(input)?;
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(entries)
}

/// Whether a path follows.
pub(crate) fn is_path(input: ParseStream<'_>) -> bool {
    input.peek(Ident)
        || input.peek(Token![::])
        || input.peek(Token![crate])
        || input.peek(Token![self])
        || input.peek(Token![super])
        || input.peek(Token![Self])
}
