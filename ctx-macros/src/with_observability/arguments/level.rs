//! Levels: `level = "info"`, `3`, `Level::INFO`, `info`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{LitInt, LitStr, Path, parse::ParseStream};

use crate::errors::did_you_mean;
use crate::{expression::is_constant_name, input::is_path};

/// The levels by number, as with `#[tracing::instrument]`: 1 is the most verbose.
const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

#[derive(Clone)]
pub(in super::super) enum Level {
    Known(&'static str),
    Path(Path),
}

impl Level {
    pub(super) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if let Some(text) = input.parse::<Option<LitStr>>()? {
            return named(&text.value()).ok_or_else(|| unknown(&text.value(), text.span()));
        }
        if let Some(number) = input.parse::<Option<LitInt>>()? {
            let level = number.base10_parse::<usize>().ok().and_then(|number| LEVELS.get(number.checked_sub(1)?));
            return level
                .map(|level| Level::Known(level))
                .ok_or_else(|| unknown(number.base10_digits(), number.span()));
        }
        if is_path(input) {
            let path: Path = input.parse()?;
            return match path.get_ident().filter(|word| !is_constant_name(word)) {
                Some(word) => named(&word.to_string()).ok_or_else(|| unknown(&word.to_string(), word.span())),
                None => Ok(Level::Path(path)),
            };
        }
        Err(input.error(format_args!("expected a level: {EXPECTED}")))
    }

    pub(in super::super) const fn known(name: &'static str) -> Self {
        Level::Known(name)
    }

    pub(in super::super) fn tokens(&self, call: &TokenStream) -> TokenStream {
        match self {
            Level::Known(name) => {
                let name = quote::format_ident!("{}", name.to_ascii_uppercase());
                quote!(#call::Level::#name)
            }
            Level::Path(path) => quote!(#path),
        }
    }
}

fn named(word: &str) -> Option<Level> {
    LEVELS.iter().find(|level| level.eq_ignore_ascii_case(word)).map(|level| Level::Known(level))
}

const EXPECTED: &str = "\"trace\", \"debug\", \"info\", \"warn\", \"error\", 1 to 5, or a `tracing::Level`";

fn unknown(word: &str, span: proc_macro2::Span) -> syn::Error {
    let hint = did_you_mean(word, &LEVELS);
    syn::Error::new(span, format_args!("unknown level `{word}`{hint}; expected one of: {EXPECTED}"))
}
