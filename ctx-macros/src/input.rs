//! Parsing shared by the arguments of all attributes.

use proc_macro2::TokenTree;
use syn::{Ident, LitBool, LitStr, Path, Token, parse::ParseStream, token};

use crate::errors::{Errors, did_you_mean};

/// Parses `=`, and checks that a value follows.
pub(crate) fn after_equals<'a>(input: ParseStream<'a>, word: &Ident, example: &str) -> syn::Result<ParseStream<'a>> {
    let is_given = input.parse::<Option<Token![=]>>()?.is_some() && !is_at_end(input);
    if is_given { Ok(input) } else { Err(takes(word, "a value", example)) }
}

/// Returns `true` at the end of a list's entry.
pub(crate) fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Returns the error that `word` takes something else.
pub(crate) fn takes(word: &Ident, what: &str, example: &str) -> syn::Error {
    syn::Error::new(word.span(), format_args!("`{word}` takes {what}: write `{example}`, for example"))
}

/// Checks that no `=` follows.
pub(crate) fn without_value(input: ParseStream<'_>, word: &Ident, instead: &str) -> syn::Result<()> {
    match input.peek(Token![=]) {
        true => Err(syn::Error::new(word.span(), format_args!("`{word}` takes no value: write `{instead}`"))),
        false => Ok(()),
    }
}

/// Checks that neither `=` nor parentheses follow.
pub(crate) fn without_arguments(input: ParseStream<'_>, word: &Ident) -> syn::Result<()> {
    match input.peek(token::Paren) {
        true => Err(syn::Error::new(word.span(), format_args!("`{word}` takes no value: write `{word}`"))),
        false => without_value(input, word, &word.to_string()),
    }
}

/// Parses `= true` or `= false`.
pub(crate) fn boolean(input: ParseStream<'_>, word: &Ident) -> syn::Result<bool> {
    let input = after_equals(input, word, &format!("{word} = false"))?;
    if !input.peek(LitBool) {
        return Err(input.error(format_args!("`{word}` is `true` or `false`")));
    }
    Ok(input.parse::<LitBool>()?.value)
}

/// Parses `= my_crate::ctx_layer`, the path of the library.
pub(crate) fn library(input: ParseStream<'_>, word: &Ident) -> syn::Result<Path> {
    let input = after_equals(input, word, "crate = my_crate::ctx_layer")?;
    let path = match input.parse::<Option<LitStr>>()? {
        Some(text) => text.parse_with(Path::parse_mod_style),
        None => input.call(Path::parse_mod_style),
    };
    let message = "expected the path of `ctx-layer`, such as `my_crate::ctx_layer`";
    path.map_err(|error| syn::Error::new(error.span(), message))
}

/// Skips the rest of an entry that could not be parsed.
pub(crate) fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// Parses the comma-separated entries of a list. Reports invalid ones and continues with the next.
pub(crate) fn entries<T>(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut parse: impl FnMut(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        match parse(input) {
            Ok(entry) if is_at_end(input) => entries.push(entry),
            Ok(_) => errors.add_error(input.error("expected `,`")),
            Err(error) => errors.add_error(error),
        }
        skip_to_comma(input)?;
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(entries)
}

/// Returns `true` if a path follows.
pub(crate) fn is_path(input: ParseStream<'_>) -> bool {
    input.peek(Ident)
        || input.peek(Token![::])
        || input.peek(Token![crate])
        || input.peek(Token![self])
        || input.peek(Token![super])
        || input.peek(Token![Self])
}

/// Checks that an argument is known, and is given once. `seen` are those before it.
pub(crate) fn check_known(word: &Ident, known: &[&str], seen: &mut Vec<String>) -> syn::Result<String> {
    let name = word.to_string();
    if !known.contains(&name.as_str()) {
        let hint = did_you_mean(&name, known);
        let message = format!("unknown argument `{name}`{hint}; expected one of: {}", known.join(", "));
        return Err(syn::Error::new(word.span(), message));
    }
    if seen.contains(&name) {
        return Err(syn::Error::new(word.span(), format_args!("`{name}` is given twice: give it once")));
    }
    seen.push(name.clone());
    Ok(name)
}
