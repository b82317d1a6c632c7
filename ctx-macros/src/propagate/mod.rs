//! `#[propagate(...)]`: what was written (`arguments`), what is wrong with it (`check`), how it goes together with an
//! attribute that makes a span (`beside`), what it becomes (`expand`).

mod arguments;
mod beside;
mod check;
mod expand;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) use self::beside::{is_restored_already, settle};
use self::{arguments::PropagateArguments, beside::Beside};
use crate::{function::Function, mistakes::Mistakes};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let item = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => propagated(arguments, function, &mut mistakes),
        Err(error) => {
            mistakes.add_error(syn::Error::new(error.span(), format_args!("`propagate` goes on a function: {error}")));
            item
        }
    };
    let errors = mistakes.into_compile_errors();
    quote!(#item #errors)
}

/// The function, or as it is where nothing can be propagated.
fn propagated(written: TokenStream, mut function: Function, mistakes: &mut Mistakes) -> TokenStream {
    let mut arguments = PropagateArguments::parse(written, mistakes);
    let shape = function.shape();
    let is_possible = check::function(&function, &shape, &arguments, mistakes);
    if is_possible {
        check::arguments(&mut arguments, &function, mistakes);
    }
    mistakes.spare(&mut function);
    if !is_possible {
        return function.to_token_stream();
    }
    match Beside::of(&function, &arguments) {
        Some(beside) => beside.reordered(function, &shape, arguments, mistakes),
        None => expand::function(&arguments, function, &shape),
    }
}
