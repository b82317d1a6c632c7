//! Recognising names of secrets.
//!
//! This crate checks the names of arguments, `ctx-layer` those in `Debug` output. Neither crate can depend on the other for the
//! rules, since a crate of macros exports nothing else: `ctx-layer` gets their source from a macro.

mod rules;
#[cfg(test)]
mod tests;

pub(crate) use rules::{is_same, is_secret};

use proc_macro2::TokenStream;
use quote::quote;

/// Returns the source of the rules.
pub(crate) fn source() -> TokenStream {
    include_str!("rules.rs").parse().unwrap_or_else(|error: proc_macro2::LexError| {
        let message = error.to_string();
        quote!(::core::compile_error!(#message);)
    })
}
