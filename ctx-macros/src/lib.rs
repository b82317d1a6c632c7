//! The macros of `ctx-layer`, which re-exports and documents them.

mod context_argument;
mod context_fields;
mod errors;
mod expression;
mod functions;
mod input;
mod location;
mod propagate;
mod secret_name;
#[cfg(test)]
mod snapshot;
mod test;
mod with_observability;

use proc_macro::TokenStream;

/// The implementation of `ctx_layer::context_fields!`, which passes its own path: `[$crate] ...`.
#[doc(hidden)]
#[proc_macro]
pub fn context_fields(input: TokenStream) -> TokenStream {
    context_fields::expand(input.into()).into()
}

/// Expands to the functions `is_secret` and `is_same`, for `ctx-layer`.
#[doc(hidden)]
#[proc_macro]
pub fn secret_name(_: TokenStream) -> TokenStream {
    secret_name::source().into()
}

// Documented where it is re-exported, since the examples need `ctx-layer`.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn with_observability(arguments: TokenStream, item: TokenStream) -> TokenStream {
    with_observability::expand(arguments.into(), item.into()).into()
}

// Documented where it is re-exported.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn propagate(arguments: TokenStream, item: TokenStream) -> TokenStream {
    propagate::expand(arguments.into(), item.into()).into()
}

// Documented where it is re-exported.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(arguments.into(), item.into()).into()
}
