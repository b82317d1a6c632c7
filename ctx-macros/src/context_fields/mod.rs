//! `context_fields! { ... }`: what was written (`syntax`), what is wrong with it (`check`), what it becomes (`output`).

mod check;
mod output;
mod syntax;

use proc_macro2::TokenStream;
use syn::parse::Parser;

use crate::mistakes::Mistakes;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    // Only the `[$crate]` in front, which is ours, cannot be recovered from.
    let mut declarations =
        match (|input: syn::parse::ParseStream<'_>| syntax::parse(input, &mut mistakes)).parse2(input) {
            Ok(declarations) => declarations,
            Err(error) => return error.into_compile_error(),
        };
    check::check(&mut declarations, &mut mistakes);
    // Valid items stand beside the errors, so that whoever uses the fields gets no errors of their own.
    let items = output::items(&declarations);
    let errors = mistakes.into_compile_errors();
    quote::quote!(#items #errors)
}
