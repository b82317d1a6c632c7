//! `context_fields! { ... }`: parsing (`syntax`), validation (`check`), expansion (`output`).

mod check;
mod output;
mod syntax;

use proc_macro2::TokenStream;
use syn::parse::Parser;

use crate::errors::Errors;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    // Everything but the leading `[$crate]`, which `ctx-layer` writes, can be recovered from.
    let mut declarations = match (|input: syn::parse::ParseStream<'_>| syntax::parse(input, &mut errors)).parse2(input)
    {
        Ok(declarations) => declarations,
        Err(error) => return error.into_compile_error(),
    };
    check::check(&mut declarations, &mut errors);
    // Valid items are expanded next to the errors, so that code that uses the fields causes no further errors.
    let items = output::items(&declarations);
    let errors = errors.into_compile_errors();
    quote::quote!(#items #errors)
}
