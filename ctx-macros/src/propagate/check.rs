//! Checking the arguments. Invalid ones are reported and removed, so that the rest still compiles.

use proc_macro2::Span;
use syn::Attribute;

use super::{arguments::PropagateArguments, span_attribute};
use crate::{
    context_argument::ContextArgument,
    errors::Errors,
    functions::{Function, Parameters, Shape},
};

/// Reports functions to which nothing can be propagated. Returns `true` for all others.
pub(super) fn function(
    function: &Function,
    shape: &Shape,
    arguments: &PropagateArguments,
    errors: &mut Errors,
) -> bool {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        errors.add(constness, "nothing can be propagated to a `const fn`: at compile time there is no context");
        return false;
    }
    if let Some(variadic) = &signature.variadic {
        errors.add(variadic, "nothing can be propagated to a variadic function");
        return false;
    }
    let runs_at_once = matches!(shape, Shape::Sync | Shape::Never);
    if runs_at_once && arguments.only_captures() {
        // An argument could not be parsed.
        if !errors.is_empty() {
            return false;
        }
        if is_runtime_expansion(function) {
            errors.add_error(syn::Error::new(
                Span::call_site(),
                "an attribute above has turned this into a synchronous function, on which `#[propagate]` without arguments \
                 has no effect: put it above that attribute, or remove it",
            ));
            return false;
        }
        errors.add_error(syn::Error::new(
            Span::call_site(),
            "`#[propagate]` without arguments has no effect on a synchronous function, which runs in the caller's \
             context. To carry the context to a thread or a pool, write `ctx_layer::task::in_current_context(move || ...)` \
             where the function is passed on. To set, restore or isolate it here, write `context = { ... }`, `from = ...` or `isolated`",
        ));
        return false;
    }
    true
}

/// Returns `true` if the function is an expansion of `#[tokio::main]` or `#[tokio::test]`.
fn is_runtime_expansion(function: &Function) -> bool {
    let is_test = |attribute: &Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "test");
    function.signature.ident == "main" || function.attributes.iter().any(is_test)
}

pub(super) fn arguments(arguments: &mut PropagateArguments, function: &Function, errors: &mut Errors) {
    let parameters = Parameters::of_function(function);
    for expression in [&mut arguments.from, &mut arguments.into, &mut arguments.links] {
        if expression.as_ref().is_some_and(|expression| !parameters.has_root(expression, errors)) {
            *expression = None;
        }
    }
    if span_attribute::is_observed_already(function) {
        for argument in [&mut arguments.into, &mut arguments.links] {
            if let Some(argument) = argument.take() {
                errors.add(
                    argument,
                    "this must run in the span of `#[with_observability]`, which cannot recognize `#[propagate]` under \
                     another name: put `#[propagate]` above it",
                );
            }
        }
    }
    ContextArgument::keep_valid(&mut arguments.context, &parameters, errors);
    if let Some((word, message)) = arguments.trust.as_ref().and_then(|(_, trust)| trust.unknown_word(&parameters)) {
        errors.add(word, message);
        arguments.trust = None;
    }
    if let (Some(isolated), true) = (&arguments.isolated, arguments.from.is_some()) {
        errors.add(isolated, "`isolated` and `from` exclude each other: `from` already replaces the caller's context");
        arguments.isolated = None;
    }
    if let (Some((word, _)), None) = (&arguments.trust, &arguments.from) {
        errors.add(word, "`trust` applies to restored context: it needs `from`");
        arguments.trust = None;
    }
}
