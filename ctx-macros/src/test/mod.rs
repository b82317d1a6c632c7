//! `#[test]`: a test whose telemetry is captured.

mod arguments;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{FnArg, ItemFn, PatType, ReturnType, Type, parse_quote};

use self::arguments::TestArguments;
use crate::errors::Errors;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = TestArguments::parse(arguments, &mut errors);
    let item = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => expand_function(&arguments, function, &mut errors),
        Err(error) => {
            errors.add_error(syn::Error::new(error.span(), format_args!("`test` applies to a function: {error}")));
            item
        }
    };
    let errors = errors.into_compile_errors();
    quote!(#item #errors)
}

fn expand_function(arguments: &TestArguments, mut function: ItemFn, errors: &mut Errors) -> TokenStream {
    let library = arguments.library();
    let is_run_by_another = function.attrs.iter().any(|attribute| is_test(attribute.path()));
    let ours = take_parameters(&mut function);
    if !is_run_by_another && let Some(other) = function.sig.inputs.first() {
        errors.add(
            other,
            "a test has no parameters but the captured telemetry: `telemetry: Telemetry`, or `&Capture`. Where another attribute \
             passes others, it comes with a `test` attribute of its own, below this one",
        );
    }
    if (function.sig.asyncness.is_none() || is_run_by_another)
        && let Some(word) = arguments.of_runtime()
    {
        let message = if is_run_by_another {
            "the runtime is that of the other `test` attribute: give it this argument"
        } else {
            "this test is not `async`, and has no runtime: make it `async`, or remove the argument"
        };
        errors.add(word, message);
    }

    let schema = arguments.schema.iter();
    let filter = arguments.filter.iter();
    let capture = quote! {
        let __capture = #library::testing::builder() #(.schema(#schema))* #(.filter(#filter))* .capture();
    };
    let bind = ours.iter().map(|PatType { attrs, pat, ty, .. }| {
        quote!(#(#attrs)* let #pat: #ty = #library::testing::TestParameter::of(&__capture);)
    });
    let bind = quote!(#(#bind)*);
    let statements = &function.block.stmts;
    if is_run_by_another || function.sig.asyncness.is_none() {
        function.block = parse_quote!({ #capture #bind #(#statements)* });
    } else {
        let runtime = runtime(arguments, &library);
        let output = match &function.sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, output) => output.to_token_stream(),
        };
        function.sig.asyncness = None;
        function.block = parse_quote!({
            #capture
            #runtime.run::<#output>(&__capture, async { #bind #(#statements)* })
        });
    }
    let test = (!is_run_by_another).then(|| quote!(#[::core::prelude::v1::test]));
    quote!(#test #function)
}

/// Returns the expression of the runtime.
fn runtime(arguments: &TestArguments, library: &TokenStream) -> TokenStream {
    let is_multi_thread = arguments.is_multi_thread.as_ref().is_some_and(|(_, is_multi_thread)| *is_multi_thread);
    let worker_threads = match (&arguments.worker_threads, is_multi_thread) {
        (Some((_, count)), true) => quote!(.worker_threads(#count)),
        // As many as `#[tokio::test]` has.
        (None, true) => quote!(.worker_threads(1)),
        (_, false) => TokenStream::new(),
    };
    // Where the test is, since the method depends on a feature of tokio that only the program knows.
    let start_paused = arguments.start_paused.as_ref().filter(|(_, start_paused)| *start_paused).map(|(word, _)| {
        let start_paused = syn::Ident::new("start_paused", word.span());
        quote!(.with(|runtime| { runtime.#start_paused(true); }))
    });
    quote!(#library::testing::TestRuntime::new() #worker_threads #start_paused)
}

/// Returns `true` for an attribute that runs the function as a test, such as `#[tokio::test]`.
fn is_test(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "test")
}

/// Takes the parameters that are the captured telemetry.
fn take_parameters(function: &mut ItemFn) -> Vec<PatType> {
    let (mut ours, mut others) = (Vec::new(), syn::punctuated::Punctuated::new());
    for parameter in std::mem::take(&mut function.sig.inputs) {
        match parameter {
            FnArg::Typed(parameter) if is_telemetry(&parameter.ty) => ours.push(parameter),
            other => others.push(other),
        }
    }
    function.sig.inputs = others;
    ours
}

fn is_telemetry(parameter: &Type) -> bool {
    match parameter {
        Type::Reference(reference) => is_telemetry(&reference.elem),
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| last.ident == "Telemetry" || last.ident == "Capture")
        }
        _ => false,
    }
}
