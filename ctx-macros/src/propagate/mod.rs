//! `#[propagate(...)]`: parsing (`arguments`), validation (`check`), combination with an attribute that creates a span
//! (`span_attribute`), expansion (`expand`).

mod arguments;
mod check;
mod expand;
mod span_attribute;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) use self::span_attribute::{is_restored_already, take_span_arguments};
use self::{arguments::PropagateArguments, span_attribute::SpanAttribute};
use crate::{errors::Errors, functions::Function};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let item = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => propagated(arguments, function, &mut errors),
        Err(error) => {
            errors.add_error(syn::Error::new(error.span(), format_args!("`propagate` applies to a function: {error}")));
            item
        }
    };
    let errors = errors.into_compile_errors();
    quote!(#item #errors)
}

/// Expands a function. Unchanged if nothing can be propagated to it.
fn propagated(written: TokenStream, mut function: Function, errors: &mut Errors) -> TokenStream {
    let mut arguments = PropagateArguments::parse(written, errors);
    let shape = function.shape();
    let is_possible = check::function(&function, &shape, &arguments, errors);
    if is_possible {
        check::arguments(&mut arguments, &function, errors);
    }
    function.silence_lints(errors);
    if !is_possible {
        return function.to_token_stream();
    }
    match SpanAttribute::of(&function, &arguments) {
        Some(span_attribute) => span_attribute.reordered(function, &shape, arguments, errors),
        None => expand::function(&arguments, function, &shape),
    }
}
