//! The expansion of one function.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

use super::{arguments::ObservabilityArguments, check, expand, plan::Plan};
use crate::{
    errors::Errors,
    functions::{Function, Parameters},
    propagate,
};

/// Expands a function. Unchanged if it cannot be observed.
pub(super) fn observed(
    mut arguments: ObservabilityArguments,
    mut function: Function,
    owner: Option<&str>,
    errors: &mut Errors,
) -> TokenStream {
    if let Some(links) = propagate::take_span_arguments(&mut function) {
        if arguments.links.is_some() {
            errors.add(&links, "`links` is given twice: here, and to `with_observability`");
        }
        arguments.links = Some(links);
    }
    if propagate::is_restored_already(&function) {
        errors.add_error(syn::Error::new(
            Span::call_site(),
            "the span would not be in the context that `#[propagate]` restores, which cannot see `#[with_observability]` \
             under another name: put it above `#[propagate]`",
        ));
    }
    let is_possible = check::function(&function, errors);
    check::arguments(&mut arguments, &Parameters::of_function(&function), errors);
    function.silence_lints(errors);
    if is_possible { expand::function(&Plan::new(arguments, function, owner)) } else { function.to_token_stream() }
}
