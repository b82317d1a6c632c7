//! The macros of `ctx-layer`, which re-exports and documents them. Use them from there.

mod context_fields;
mod mistakes;

use proc_macro::TokenStream;

/// Behind `ctx_layer::context_fields!`, which passes its own path in front: `[$crate] ...`.
#[doc(hidden)]
#[proc_macro]
pub fn context_fields(input: TokenStream) -> TokenStream {
    context_fields::expand(input.into()).into()
}
