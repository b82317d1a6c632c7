//! The expansion of `#[propagate(...)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Expr, FnArg, Meta, Pat, ReturnType, Type, parse_quote};

use super::arguments::{PropagateArguments, Trust};
use crate::{
    expression::{mentions, receiver, referable, root},
    functions::{AsyncBlock, Function, Shape, conditions},
    location::{at, hidden, located_at},
};

pub(super) fn function(arguments: &PropagateArguments, function: Function, shape: &Shape) -> TokenStream {
    match shape {
        Shape::Sync | Shape::Never => sync(arguments, &function),
        Shape::Async => future(arguments, function),
        Shape::AsyncBlock(block) => returned_future(arguments, &function, shape, block.is_boxed),
        Shape::Future { is_boxed } | Shape::Stream { is_boxed } => {
            returned_future(arguments, &function, shape, *is_boxed)
        }
    }
}

/// Expands a synchronous function, which runs in the context until it returns.
fn sync(arguments: &PropagateArguments, function: &Function) -> TokenStream {
    let library = arguments.library();
    let (snapshot, guard) = (snapshot(arguments), hidden("_guard"));
    let body = &function.body;
    let inject = arguments.into.as_ref().map(|into| inject(into, function, &Shape::Sync, &library));
    let is_replaced = arguments.from.is_some() || arguments.isolated.is_some();
    let scope = if is_replaced {
        let context = context(arguments);
        quote! {
            #context
            let #guard = #snapshot.enter();
        }
    } else if arguments.context.is_empty() {
        TokenStream::new()
    } else {
        let fields = fields(arguments);
        quote!(let #guard = #fields.attach();)
    };
    function.with_body(&quote!(#scope #inject #body))
}

/// Expands an `async fn` to a function that returns its future, so that context is captured at the call.
fn future(arguments: &PropagateArguments, mut function: Function) -> TokenStream {
    let library = arguments.library();
    let snapshot = snapshot(arguments);
    let context = context(arguments);
    let inject = arguments.into.as_ref().map(|into| {
        let inject = inject(into, &function, &Shape::Async, &library);
        quote!(#snapshot.in_scope(|| { #inject });)
    });
    let returned = match &function.signature.output {
        ReturnType::Default => quote!(()),
        // On stable Rust, `!` is legal only as a function's return type.
        ReturnType::Type(_, never) if matches!(**never, Type::Never(_)) => {
            quote!(<fn() -> #never as #library::__private::Returns>::Value)
        }
        ReturnType::Type(_, returned) => returned.to_token_stream(),
    };
    let typed = function.body_type(&Shape::Async).map(|returned| {
        let value = hidden("returned");
        quote! {
            #[allow(unreachable_code)]
            if false {
                let #value: #returned = loop {};
                return #value;
            }
        }
    });
    let moved = move_in(&mut function, arguments);
    let block = block(&function);
    let Moved { outside, inside } = moved;
    let body = quote! {
        #outside
        #context
        #inject
        #library::task::InContextExt::in_context(
            async move {
                #inside
                #typed
                #block
            },
            #snapshot,
        )
    };
    if has_runtime(&function) {
        return function.with_body(&quote!({ #body }.await));
    }
    function.signature.asyncness = None;
    // Futures are `#[must_use]` already.
    function.attributes.retain(|attribute| !matches!(&attribute.meta, Meta::Path(path) if path.is_ident("must_use")));
    function.signature.output = parse_quote!(-> impl ::core::future::Future<Output = #returned>);
    function.with_body(&body)
}

/// Returns `true` if an attribute below, such as `#[tokio::main]`, turns the function into a program or a test. It
/// accepts only an `async fn`, which it runs at the call.
fn has_runtime(function: &Function) -> bool {
    let names = ["main", "test"];
    let mut last = function.attributes.iter().filter_map(|attribute| attribute.path().segments.last());
    last.any(|last| names.iter().any(|name| last.ident == name))
}

/// Expands a function that returns a future or a stream.
fn returned_future(arguments: &PropagateArguments, function: &Function, shape: &Shape, is_boxed: bool) -> TokenStream {
    let library = arguments.library();
    let (snapshot, made) = (snapshot(arguments), hidden("made"));
    let context = context(arguments);
    let inject = arguments.into.as_ref().map(|into| inject(into, function, shape, &library));
    let body = block(function);
    let typed = function.body_type(&Shape::Sync).map(|returned| quote!(-> #returned));
    // `impl Future` is not legal on a closure, and not needed.
    let typed = if is_boxed || !matches!(shape, Shape::AsyncBlock(_)) { typed } else { None };
    let propagated = quote!(#library::task::InContextExt::in_context(#made, #snapshot));
    let propagated = if is_boxed { quote!(::std::boxed::Box::pin(#propagated)) } else { propagated };
    function.with_body(&quote! {
        #context
        let #made = #snapshot.in_scope(move || #typed {
            #inject
            #body
        });
        return #propagated;
    })
}

/// The name by which `#[with_observability]` recognizes the context that its span must be in.
pub(super) const RESTORED: &str = "__ctx_layer_restored";

fn snapshot(arguments: &PropagateArguments) -> Ident {
    let is_restored = arguments.from.is_some() || arguments.isolated.is_some();
    hidden(if is_restored { RESTORED } else { "snapshot" })
}

/// Returns the context in which the body runs.
fn context(arguments: &PropagateArguments) -> TokenStream {
    let library = arguments.library();
    let snapshot = snapshot(arguments);
    let base = if let Some(from) = &arguments.from {
        let from = referable(from);
        let trust = match &arguments.trust {
            None => quote!(#library::propagation::Trust::external()),
            Some((_, Trust::Word(word))) => quote!(#library::propagation::Trust::#word()),
            Some((_, Trust::Value(value))) => value.to_token_stream(),
        };
        let place = located_at(&from);
        let call = at(&quote!(#library::__private), place);
        let restored = quote_spanned!(place=> (&&&&&#call::Restore(&#from)).snapshot(#trust));
        quote! {{
            use #library::__private::forms::*;
            #restored
        }}
    } else if arguments.isolated.is_some() {
        quote!(#library::task::Snapshot::isolated())
    } else {
        quote!(#library::task::Snapshot::capture())
    };
    if arguments.context.is_empty() {
        return quote!(let #snapshot = #base;);
    }
    let fields = fields(arguments);
    quote! {
        let #snapshot = #base;
        let #snapshot = {
            let fields = #fields;
            #snapshot.with_fields(fields)
        };
    }
}

/// Returns the fields that are set.
fn fields(arguments: &PropagateArguments) -> TokenStream {
    let library = arguments.library();
    let fields = hidden("fields");
    let set = arguments.context.iter().map(|argument| {
        let (value, field) = (referable(&argument.value), argument.field());
        let place = located_at(&value);
        let call = at(&quote!(#library::__private), place);
        let set = quote_spanned!(place=> (&&&&&&#call::SetField(#field, &#value)).set(#fields));
        quote!(let #fields = #set;)
    });
    quote! {{
        use #library::__private::forms::*;
        let #fields = #library::Fields::new();
        #(#set)*
        #fields
    }}
}

/// Injects the current context into an argument: a borrowed one, an optional one, a part of one, or a method's result.
pub(super) fn inject(into: &Expr, function: &Function, shape: &Shape, library: &TokenStream) -> TokenStream {
    let target = receiver(into);
    // `#[async_trait]` moves `mut` into the future.
    let rebound = root(into).filter(|name| {
        matches!(shape, Shape::AsyncBlock(AsyncBlock { is_boxed: true, .. }))
            && function.signature.inputs.iter().any(|parameter| match parameter {
                FnArg::Typed(typed) => {
                    matches!(&*typed.pat, Pat::Ident(bound) if bound.ident == **name && bound.mutability.is_none())
                }
                FnArg::Receiver(_) => false,
            })
    });
    let rebound = rebound.map(|name| {
        quote! {
            #[allow(unused_mut)]
            let mut #name = #name;
        }
    });
    let inject = quote_spanned!(located_at(into)=> #target.inject_here());
    quote! {
        #rebound
        {
            use #library::__private::forms::*;
            #inject
        }
    }
}

/// Returns the body in its own braces. Errors point at them, and lints recognize them as a macro's.
fn block(function: &Function) -> TokenStream {
    let block: TokenStream = function.block(&Shape::Sync, &function.body);
    let braces = block.into_iter().map(|mut braces| {
        braces.set_span(located_at(&braces));
        braces
    });
    braces.collect()
}

/// How parameters are moved into the future. An `async fn` owns all of them, used or not, until it ends.
struct Moved {
    outside: TokenStream,
    inside: TokenStream,
}

fn move_in(function: &mut Function, arguments: &PropagateArguments) -> Moved {
    let used = arguments.to_token_stream();
    let bindings: Vec<Ident> = function.bindings().into_iter().map(|binding| binding.name).collect();
    let mut moved = Moved { outside: TokenStream::new(), inside: TokenStream::new() };
    for (at, parameter) in function.signature.inputs.iter_mut().enumerate() {
        let typed = match parameter {
            FnArg::Receiver(receiver) => {
                // Captured whole, even if nothing of it is used.
                if !matches!(receiver.kind, syn::ReceiverKind::Reference(..)) {
                    moved.inside.extend(quote!(let _ = &self;));
                }
                continue;
            }
            FnArg::Typed(typed) => typed,
        };
        // Lints should apply to the variable that the body uses. An outer one may be absent by `#[cfg]`.
        let attributes = std::mem::take(&mut typed.attrs);
        let conditions = conditions(&attributes);
        typed.attrs.clone_from(&conditions);
        match &mut *typed.pat {
            Pat::Ident(bound) if bound.by_ref.is_none() && bound.subpat.is_none() => {
                // With the user's span, so that the lint about unused variables points at the user's code.
                let (name, mutability) = (bound.ident.clone(), bound.mutability);
                if mentions(used.clone(), &name) {
                    // It may be changed before it is moved, and then only there.
                    let allowed = mutability.map(|_| parse_quote!(#[allow(unused_mut)]));
                    // With a macro's span, so that the lint about shadowing ignores it.
                    let mut inner = name.clone();
                    inner.set_span(located_at(&name));
                    moved.inside.extend(quote! {
                        #(#attributes)* #allowed
                        let #mutability #inner = #name;
                        #(#conditions)*
                        let _ = &#name;
                    });
                    typed.attrs.extend::<Option<Attribute>>(allowed);
                } else {
                    bound.mutability = None;
                    // With a macro's span, so that lints about used or shadowed variables ignore it.
                    bound.ident.set_span(located_at(&name));
                    let allowed = if name.to_string().starts_with('_') {
                        Some(quote!(#[allow(clippy::no_effect_underscore_binding)]))
                    } else {
                        None
                    };
                    let outer = &bound.ident;
                    moved.inside.extend(quote!(#(#attributes)* #allowed let #mutability #name = #outer;));
                }
            }
            pattern => {
                let name = format_ident!("__argument_{at}", span = Span::mixed_site());
                let bound: Vec<&Ident> =
                    bindings.iter().filter(|name| mentions(pattern.to_token_stream(), name)).collect();
                if bound.iter().any(|name| mentions(used.clone(), name)) {
                    moved.outside.extend(quote!(#(#attributes)* let #pattern = #name;));
                    moved.inside.extend(quote!(#(#conditions)* { #(let _ = &#bound;)* }));
                } else {
                    // Moved whole, including what the pattern does not bind.
                    moved.inside.extend(quote!(#(#conditions)* let #name = #name;));
                    if !matches!(pattern, Pat::Wild(_)) {
                        moved.inside.extend(quote!(#(#attributes)* let #pattern = #name;));
                    }
                }
                *typed.pat = parse_quote!(#name);
            }
        }
    }
    moved
}
