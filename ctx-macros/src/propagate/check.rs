//! What is wrong with what was written. What is found wrong is taken out, so that the rest still compiles.

use proc_macro2::Span;
use syn::Attribute;

use super::{arguments::PropagateArguments, beside};
use crate::{
    context_argument::ContextArgument,
    function::{Function, Parameters, Shape},
    mistakes::Mistakes,
};

/// Whether anything can be propagated to the function at all.
pub(super) fn function(
    function: &Function,
    shape: &Shape,
    arguments: &PropagateArguments,
    mistakes: &mut Mistakes,
) -> bool {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        mistakes.add(constness, "nothing can be propagated to a `const fn`: at compile time there is no context");
        return false;
    }
    if let Some(variadic) = &signature.variadic {
        mistakes.add(variadic, "nothing can be propagated to a variadic function");
        return false;
    }
    let runs_at_once = matches!(shape, Shape::Sync | Shape::Never);
    if runs_at_once && arguments.is_capture_alone() {
        // There was something to do, which could not be read.
        if !mistakes.is_empty() {
            return false;
        }
        if runs_its_own_body(function) {
            mistakes.add_error(syn::Error::new(
                Span::call_site(),
                "an attribute above has made a function of this that runs where it is called, and `#[propagate]` alone has \
                 nothing to do there: put it above that attribute, or leave it out",
            ));
            return false;
        }
        mistakes.add_error(syn::Error::new(
            Span::call_site(),
            "`#[propagate]` alone has nothing to do on a function that runs where it is called: the context is there \
             already. To carry it to a thread or a pool, write `ctx_layer::task::in_current_context(move || ...)` where the function \
             is passed on; to set, restore or cut it off here, write `context = { ... }`, `from = ...` or `isolated`",
        ));
        return false;
    }
    true
}

/// Whether this is what `#[tokio::main]` and `#[tokio::test]` make of an `async fn`.
fn runs_its_own_body(function: &Function) -> bool {
    let is_test = |attribute: &Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "test");
    function.signature.ident == "main" || function.attributes.iter().any(is_test)
}

pub(super) fn arguments(arguments: &mut PropagateArguments, function: &Function, mistakes: &mut Mistakes) {
    let parameters = Parameters::of_function(function);
    for expression in [&mut arguments.from, &mut arguments.into, &mut arguments.links] {
        if expression.as_ref().is_some_and(|expression| !parameters.has_root(expression, mistakes)) {
            *expression = None;
        }
    }
    if beside::is_observed_already(function) {
        for argument in [&mut arguments.into, &mut arguments.links] {
            if let Some(argument) = argument.take() {
                mistakes.add(
                    argument,
                    "this has to be done in the span of `#[with_observability]`, which cannot see `#[propagate]` under \
                     another name: put `#[propagate]` above it",
                );
            }
        }
    }
    ContextArgument::keep_valid(&mut arguments.context, &parameters, mistakes);
    if let Some((word, message)) = arguments.trust.as_ref().and_then(|(_, trust)| trust.unknown_word(&parameters)) {
        mistakes.add(word, message);
        arguments.trust = None;
    }
    if let (Some(isolated), true) = (&arguments.isolated, arguments.from.is_some()) {
        mistakes.add(
            isolated,
            "`isolated` and `from` exclude each other: with `from` nothing is inherited but what is restored",
        );
        arguments.isolated = None;
    }
    if let (Some((word, _)), None) = (&arguments.trust, &arguments.from) {
        mistakes.add(word, "`trust` says how far what is restored is believed: it goes with `from`");
        arguments.trust = None;
    }
}
