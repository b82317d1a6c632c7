//! Two attributes on one function: what is restored has to be in force before a span is made, and what is injected is to
//! have that span as its parent. So the attribute that makes the span is expanded first, whichever stands first.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Expr, Meta, Path, parse_quote};

use super::{arguments::PropagateArguments, expand};
use crate::{
    expression::mentions,
    function::{Function, Shape},
    mistakes::Mistakes,
};

/// What stands beside `#[propagate]` and makes a span.
pub(super) enum Beside {
    /// `#[with_observability]`, at this place in the list of attributes.
    Ours(usize),
    /// `#[tracing::instrument]`.
    Instrument(usize),
    /// Nothing yet, but spans are to be linked: one is made for that.
    Links,
}

impl Beside {
    pub(super) fn of(function: &Function, arguments: &PropagateArguments) -> Option<Self> {
        let position = |name| function.attributes.iter().position(|attribute| is_named(attribute.path(), name));
        if let Some(at) = position("with_observability") {
            return Some(Beside::Ours(at));
        }
        if let Some(at) = position("instrument") {
            return Some(Beside::Instrument(at));
        }
        arguments.links.is_some().then_some(Beside::Links)
    }

    /// The function with the other attribute in front, and ours behind.
    pub(super) fn reordered(
        self,
        mut function: Function,
        shape: &Shape,
        mut arguments: PropagateArguments,
        mistakes: &mut Mistakes,
    ) -> TokenStream {
        let library = arguments.library();
        let mut first: Attribute = match &self {
            Beside::Ours(at) | Beside::Instrument(at) => function.attributes.remove(*at),
            Beside::Links => parse_quote! {
                #[#library::with_observability(log_args = false, log_result = false, log_errors = false)]
            },
        };
        if let Some(links) = arguments.links.take() {
            match self {
                Beside::Instrument(_) => mistakes.add(
                    links,
                    "`links` needs `#[with_observability]` beside it: the span of `#[instrument]` cannot be linked from here",
                ),
                _ => add_argument(&mut first, &quote!(links = #links)),
            }
        }
        let propagate = parse_quote!(#[#library::propagate]);
        if let Some(remaining) = rest(propagate, &mut function, shape, arguments) {
            function.attributes.push(remaining);
        }
        function.attributes.insert(0, first);
        quote!(#function)
    }
}

/// For `#[with_observability]`, where it is expanded first: takes out of a `#[propagate]` on the same function what belongs
/// into the span. What is to be linked is given back.
pub(crate) fn settle(function: &mut Function) -> Option<Expr> {
    let at = function.attributes.iter().position(|attribute| is_named(attribute.path(), "propagate"))?;
    let Meta::List(list) = &function.attributes[at].meta else { return None };
    // What is wrong with it is said when it is expanded.
    let mut ignored = Mistakes::default();
    let mut arguments = PropagateArguments::parse(list.tokens.clone(), &mut ignored);
    if !ignored.is_empty() || arguments.into.is_none() && arguments.links.is_none() {
        return None;
    }
    let links = arguments.links.take();
    let attribute = function.attributes.remove(at);
    let shape = function.shape();
    if let Some(remaining) = rest(attribute, function, &shape, arguments) {
        function.attributes.insert(at, remaining);
    }
    links
}

/// The attribute with what is left for it to do, if anything is. Context is injected at the beginning of the body.
fn rest(
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
    if runs_at_once && arguments.is_capture_alone() {
        return None;
    }
    let path = attribute.path().clone();
    attribute.meta = parse_quote!(#path(#arguments));
    Some(attribute)
}

/// The body with that in front which is to be done in its span: one that ends in an `async` block is only there in its
/// span.
fn injecting(inject: &TokenStream, body: &TokenStream, shape: &Shape) -> TokenStream {
    match shape {
        Shape::AsyncBlock(block) if block.before.is_empty() => in_last_block(inject, body),
        // Not the `async` block is the last then, and all of the body is in the span.
        Shape::AsyncBlock(_) => quote!({ #inject #body }),
        _ => quote!(#inject #body),
    }
}

/// Puts tokens in front of those in the last braces, which may stand in parentheses.
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

/// Whether `#[with_observability]` was expanded already: below it, and under another name, `#[propagate]` was not found.
pub(super) fn is_observed_already(function: &Function) -> bool {
    mentions(function.body.clone(), &Ident::new("__CTX_LAYER_SITES", Span::call_site()))
}

/// Whether a `#[propagate]` that restores or isolates was expanded already: above an attribute that it did not know by its
/// name.
pub(crate) fn is_restored_already(function: &Function) -> bool {
    mentions(function.body.clone(), &Ident::new(expand::RESTORED, Span::call_site()))
}

fn add_argument(attribute: &mut Attribute, argument: &TokenStream) {
    let path = attribute.path().clone();
    let written = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    // In front: what was written may end with a comma, or with none.
    attribute.meta = parse_quote!(#path(#argument, #written));
}

fn is_named(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}
