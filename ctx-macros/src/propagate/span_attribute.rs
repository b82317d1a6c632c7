//! Attributes that create a span on the same function. Restored context must be current before the span is created, and
//! injected context must have the span as its parent. Therefore the attribute that creates the span is expanded first,
//! in any order of the two.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Expr, Meta, Path, parse_quote};

use super::{arguments::PropagateArguments, expand};
use crate::{
    errors::Errors,
    expression::mentions,
    functions::{Function, Shape},
};

/// The attribute beside `#[propagate]` that creates a span, with its index in the list of attributes.
pub(super) enum SpanAttribute {
    /// `#[with_observability]`.
    WithObservability(usize),
    /// `#[tracing::instrument]`.
    Instrument(usize),
    /// None, but spans are to be linked: a span is created for that.
    Links,
}

impl SpanAttribute {
    pub(super) fn of(function: &Function, arguments: &PropagateArguments) -> Option<Self> {
        let position = |name| function.attributes.iter().position(|attribute| is_named(attribute.path(), name));
        if let Some(at) = position("with_observability") {
            return Some(SpanAttribute::WithObservability(at));
        }
        if let Some(at) = position("instrument") {
            return Some(SpanAttribute::Instrument(at));
        }
        arguments.links.is_some().then_some(SpanAttribute::Links)
    }

    /// Returns the function with the other attribute in front, and `#[propagate]` behind.
    pub(super) fn reordered(
        self,
        mut function: Function,
        shape: &Shape,
        mut arguments: PropagateArguments,
        errors: &mut Errors,
    ) -> TokenStream {
        let library = arguments.library();
        let mut first: Attribute = match &self {
            SpanAttribute::WithObservability(at) | SpanAttribute::Instrument(at) => function.attributes.remove(*at),
            SpanAttribute::Links => parse_quote! {
                #[#library::with_observability(log_args = false, log_result = false, log_errors = false)]
            },
        };
        if let Some(links) = arguments.links.take() {
            match self {
                SpanAttribute::Instrument(_) => errors.add(
                    links,
                    "`links` needs `#[with_observability]` beside it: the span of `#[instrument]` cannot be linked from here",
                ),
                _ => add_argument(&mut first, &quote!(links = #links)),
            }
        }
        let propagate = parse_quote!(#[#library::propagate]);
        if let Some(remaining) = remaining_attribute(propagate, &mut function, shape, arguments) {
            function.attributes.push(remaining);
        }
        function.attributes.insert(0, first);
        quote!(#function)
    }
}

/// Prepares a `#[propagate]` for `#[with_observability]` that is expanded first: moves the arguments that belong into the
/// span out of it. Returns the `links`.
pub(crate) fn take_span_arguments(function: &mut Function) -> Option<Expr> {
    let at = function.attributes.iter().position(|attribute| is_named(attribute.path(), "propagate"))?;
    let Meta::List(list) = &function.attributes[at].meta else { return None };
    // Its errors are reported when it is expanded.
    let mut ignored = Errors::default();
    let mut arguments = PropagateArguments::parse(list.tokens.clone(), &mut ignored);
    if !ignored.is_empty() || arguments.into.is_none() && arguments.links.is_none() {
        return None;
    }
    let links = arguments.links.take();
    let attribute = function.attributes.remove(at);
    let shape = function.shape();
    if let Some(remaining) = remaining_attribute(attribute, function, &shape, arguments) {
        function.attributes.insert(at, remaining);
    }
    links
}

/// Injects context at the beginning of the body. Returns the attribute with its remaining arguments, if it still has an
/// effect.
fn remaining_attribute(
    mut attribute: Attribute,
    function: &mut Function,
    shape: &Shape,
    mut arguments: PropagateArguments,
) -> Option<Attribute> {
    if let Some(into) = arguments.into.take() {
        let inject = expand::inject(&into, function, shape, &arguments.library());
        function.body = injecting(&inject, &function.body, shape);
    }
    let runs_at_once = matches!(shape, Shape::Sync | Shape::Never);
    if runs_at_once && arguments.only_captures() {
        return None;
    }
    let path = attribute.path().clone();
    attribute.meta = parse_quote!(#path(#arguments));
    Some(attribute)
}

/// Returns the body with `inject` in front, inside the span. If the body ends in an `async` block, only that block is
/// in the span.
fn injecting(inject: &TokenStream, body: &TokenStream, shape: &Shape) -> TokenStream {
    match shape {
        Shape::AsyncBlock(block) if block.before.is_empty() => in_last_block(inject, body),
        // The `async` block is no longer the last expression, so the whole body is in the span.
        Shape::AsyncBlock(_) => quote!({ #inject #body }),
        _ => quote!(#inject #body),
    }
}

/// Inserts tokens at the start of the last braces, which may be in parentheses.
fn in_last_block(first: &TokenStream, tokens: &TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let last = tokens.iter_mut().rev().find_map(|token| match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    });
    if let Some(group) = last {
        let inside = group.stream();
        let inside = match group.delimiter() {
            Delimiter::Brace => quote!(#first #inside),
            _ => in_last_block(first, &inside),
        };
        let mut changed = Group::new(group.delimiter(), inside);
        changed.set_span(group.span());
        *group = changed;
    }
    tokens.into_iter().collect()
}

/// Returns `true` if `#[with_observability]` was already expanded. It cannot recognize `#[propagate]` under another
/// name.
pub(super) fn is_observed_already(function: &Function) -> bool {
    mentions(function.body.clone(), &Ident::new("__CTX_LAYER_SITES", Span::call_site()))
}

/// Returns `true` if a `#[propagate]` that restores or isolates was already expanded, above an attribute whose name it
/// did not recognize.
pub(crate) fn is_restored_already(function: &Function) -> bool {
    mentions(function.body.clone(), &Ident::new(expand::RESTORED, Span::call_site()))
}

fn add_argument(attribute: &mut Attribute, argument: &TokenStream) {
    let path = attribute.path().clone();
    let written = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    // In front, since the written arguments may or may not end with a comma.
    attribute.meta = parse_quote!(#path(#argument, #written));
}

fn is_named(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}
