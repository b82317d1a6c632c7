//! The expansion of `#[with_observability(...)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ReturnType, Type, spanned::Spanned};

use super::{
    arguments::Format,
    plan::{Ending, Plan},
    values::{NamedValue, named, names, valued, values},
};
use crate::{
    expression::referable,
    functions::{AsyncBlock, Shape},
    location::{at, hidden, located_at},
};

pub(super) fn function(plan: &Plan) -> TokenStream {
    let body = match &plan.shape {
        Shape::Sync => sync(plan),
        Shape::Never => never(plan),
        Shape::Async => future(plan, &plan.function.body),
        Shape::AsyncBlock(AsyncBlock { before, attributes, body, is_boxed, .. }) => {
            let future = future(plan, body);
            let block = quote!(#attributes async move { #future });
            let block = if *is_boxed { quote!(::std::boxed::Box::pin(#block)) } else { block };
            quote!(#before #block)
        }
        Shape::Future { is_boxed } => {
            let ended = ended(plan, plan.function.produced_type().as_ref());
            returned_future(plan, *is_boxed, &hidden("into_observed"), &ended)
        }
        Shape::Stream { is_boxed } => returned_future(plan, *is_boxed, &hidden("observe_stream"), &item(plan)),
    };
    plan.function.with_body(&body)
}

/// Expands a synchronous function. Its value is returned explicitly, as a lint may require.
fn sync(plan: &Plan) -> TokenStream {
    let Names { call, returned, .. } = Names::new();
    let begin = begin(plan);
    let run = run(plan);
    let end = end(plan, &call, &quote!(&#returned));
    let end = if has_forms(plan) {
        // A type without values is never returned, and Rust 1.88 warns about code after it.
        quote!(#[allow(unreachable_code)] { #end return #returned; })
    } else {
        quote!(#end return #returned;)
    };
    quote! {
        #begin
        #run
        #end
    }
}

/// Expands a function that never returns: only a panic ends it.
fn never(plan: &Plan) -> TokenStream {
    let Names { call, watch, .. } = Names::new();
    let begin = begin(plan);
    if plan.function.track_caller().is_some() {
        let body = plan.function.in_place(&plan.call);
        return quote! {
            #begin
            let #watch = #call.watch_panics();
            #body
        };
    }
    let body = closure(plan);
    quote! {
        #begin
        #call.run(#body)
    }
}

/// Runs the body as a closure, or in place if it has `#[track_caller]`.
fn run(plan: &Plan) -> TokenStream {
    let Names { call, returned, watch, .. } = Names::new();
    if plan.function.track_caller().is_some() && !plan.function.returns_closures() {
        let body = plan.function.in_place(&plan.call);
        let written = plan.function.body_type(&plan.shape).map(|written| {
            let span = output_span(plan);
            quote_spanned!(span=> : #written)
        });
        return quote! {
            let #watch = #call.watch_panics();
            let #returned #written = #body;
            #watch.end();
        };
    }
    let body = closure(plan);
    let body = if let Shape::Sync = plan.shape { plan.function.with_closure_bounds(body) } else { body };
    quote!(let #returned = #call.run(#body);)
}

/// Awaits an `async` body. The call stays in its place and is borrowed: moving it into the future costs 4 ns, since it
/// is read in larger pieces than it was just written in.
fn future(plan: &Plan, body: &TokenStream) -> TokenStream {
    let Names { call, fields, .. } = Names::new();
    let scope = scope(plan);
    let open = open(plan);
    let called = called(plan, &quote!(__CTX_LAYER_SITES));
    // The guard may not be held across the `.await`.
    let leave = (!plan.context.is_empty()).then(|| quote!(::core::mem::drop(#scope);));
    let ended = ended(plan, None);
    let typed = typed(plan);
    // Its arguments are logged in the first poll, which is in the span already.
    let body = plan.function.block(&plan.shape, quote!(#called #typed #body));
    let future = in_fields(plan, &quote!(#call.observe(async move #body, #ended)), &fields);
    quote!(#open #leave #future.await)
}

/// Expands a function that returns a future or a stream.
fn returned_future(plan: &Plan, is_boxed: bool, observe: &Ident, ended: &TokenStream) -> TokenStream {
    let Names { sites, call, inside, returned, fields, .. } = Names::new();
    let open = open(plan);
    let called = called(plan, &sites.to_token_stream());
    let run = run(plan);
    let made = quote!(#call.#observe(#returned, #ended));
    let made = in_fields(plan, &made, &fields);
    let made = if is_boxed { quote!(::std::boxed::Box::pin(#made)) } else { made };
    quote! {
        #open
        let #returned = {
            let #inside = #call.enter();
            #called
            #run
            #call.made(#returned)
        };
        return #made;
    }
}

/// The local variables of an expansion, which the user's code cannot refer to.
struct Names {
    sites: Ident,
    call: Ident,
    inside: Ident,
    returned: Ident,
    fields: Ident,
    value: Ident,
    error: Ident,
    ending: Ident,
    watch: Ident,
}

impl Names {
    fn new() -> Self {
        Names {
            sites: hidden("sites"),
            call: hidden("call"),
            inside: hidden("_inside"),
            returned: hidden("returned"),
            fields: hidden("fields"),
            value: hidden("value"),
            error: hidden("error"),
            ending: hidden("ending"),
            watch: hidden("_watch"),
        }
    }
}

/// Opens the call, enters its span and logs its arguments.
fn begin(plan: &Plan) -> TokenStream {
    let Names { sites, call, inside, .. } = Names::new();
    let open = open(plan);
    let called = called(plan, &sites.to_token_stream());
    quote! {
        #open
        let #inside = #call.enter();
        #called
    }
}

/// Returns the callsites, the context fields, and the call with its span.
fn open(plan: &Plan) -> TokenStream {
    let Names { sites, call, .. } = Names::new();
    let Plan { call: library, level, parent, .. } = plan;
    let statics = statics(plan);
    let context = context(plan);
    let traits = forms(plan, &plan.fields);
    let values = values(&plan.fields, library);
    let opened = match parent {
        Some(parent) => quote!(#library::ObservedCall::open_under(#sites, #parent, #values)),
        None => quote!(#library::ObservedCall::open(#sites, #values)),
    };
    let relations = relations(plan, &quote!(#call.span()));
    let opened = if relations.is_empty() {
        opened
    } else {
        quote! {
            let #call = #opened;
            if #call.has_span() {
                #relations
            }
            #call
        }
    };
    let clock = match &plan.returned {
        Ending::Full { level, .. } => Some(quote! {
            if #sites.returned.may_be_on(#level) {
                #call.start_clock();
            }
        }),
        _ => None,
    };
    let allowed = allowed(plan);
    let mutable = clock.as_ref().map(|_| quote!(mut));
    // A future logs its arguments inside, and uses the `static` directly so as not to store a reference.
    let statics = match plan.shape {
        Shape::Async | Shape::AsyncBlock(_) if plan.called.is_some() => {
            quote!(#statics let #sites = &__CTX_LAYER_SITES;)
        }
        _ => quote!(let #sites = { #statics &__CTX_LAYER_SITES };),
    };
    let opens = if plan.evaluates { quote!(#sites.opens_span) } else { quote!(#sites.span.may_be_shown) };
    quote! {
        #statics
        #context
        #allowed
        let #mutable #call = if #opens(#level) {
            #traits
            #opened
        } else {
            #library::ObservedCall::without_span(#sites)
        };
        #clock
    }
}

/// Returns the spans that the span follows from, and those that it is linked to.
fn relations(plan: &Plan, span: &TokenStream) -> TokenStream {
    let Plan { call: library, follows_from, links, .. } = plan;
    let one = hidden("one");
    let follows_from = follows_from.iter().map(|causes| {
        // Without this, a lint warns about an `Option`.
        let causes = quote_spanned!(located_at(causes)=> ::core::iter::IntoIterator::into_iter(#causes));
        quote! {
            for #one in #causes {
                #span.follows_from(#one);
            }
        }
    });
    let links = links.iter().map(|messages| {
        let place = located_at(messages);
        let library = at(library, place);
        let link = quote_spanned!(place=> (&&&&&#library::Restore(&#one)).link(#span));
        let messages = match messages {
            // Borrowed, since the body uses them.
            Expr::Path(_) => quote_spanned!(place=> #messages.iter()),
            _ => quote_spanned!(located_at(messages)=> ::core::iter::IntoIterator::into_iter(#messages)),
        };
        quote! {
            for #one in #messages {
                use #library::forms::*;
                #link;
            }
        }
    });
    quote!(#(#follows_from)* #(#links)*)
}

/// Returns the function's callsites: a `static` with a name that its expressions do not use.
fn statics(plan: &Plan) -> TokenStream {
    let Plan { call: library, name, target, level, .. } = plan;
    let fields = names(&plan.fields);
    let called = match &plan.called {
        Some((level, arguments)) => {
            let names = named(arguments);
            quote!(#library::Event::called(#level, &["message", #(#names),*]))
        }
        None => quote!(#library::Event::NONE),
    };
    let returned = match &plan.returned {
        Ending::Silent => quote!(#library::Event::NONE),
        Ending::Full { level, .. } if matches!(plan.shape, Shape::Stream { .. }) => {
            quote!(#library::Event::ended(#level))
        }
        Ending::Full { level, .. } => quote!(#library::Event::returned(#level)),
        Ending::Plain { level, .. } => quote!(#library::Event::only_returned(#level)),
    };
    let failed = match &plan.failed {
        Ending::Silent => quote!(#library::Event::NONE),
        Ending::Full { level, .. } => quote!(#library::Event::failed(#level)),
        Ending::Plain { level, .. } => quote!(#library::Event::only_failed(#level)),
    };
    quote! {
        static __CTX_LAYER_SITES: #library::Sites = #library::Sites::new(
            &__CTX_LAYER_SITES,
            #library::place!(#target),
            (#name, #level, #fields),
            #called,
            #returned,
            #failed,
        );
    }
}

/// Attaches context fields from arguments until the end of the block.
fn context(plan: &Plan) -> Option<TokenStream> {
    let Names { fields, .. } = Names::new();
    let scope = scope(plan);
    let Plan { call, library, context, .. } = plan;
    if context.is_empty() {
        return None;
    }
    let set = context.iter().fold(quote!(#library::Fields::new()), |fields, context| {
        let value = referable(&context.value);
        let field = context.field();
        let call = at(call, field.span());
        quote_spanned!(located_at(&value)=> (&&&&&&#call::SetField(#field, &#value)).set(#fields))
    });
    let set = quote! {{
        use #call::forms::*;
        #set
    }};
    Some(match plan.shape {
        Shape::Sync | Shape::Never => quote!(let #scope = #set.attach();),
        // A future attaches them at each poll.
        _ => quote! {
            let #fields = #call::Setting::of(#set);
            let #scope = #fields.attach();
        },
    })
}

/// Returns the guard of the context fields. It has a name if it is dropped explicitly.
fn scope(plan: &Plan) -> Ident {
    match plan.shape {
        Shape::Async | Shape::AsyncBlock(_) => hidden("scope"),
        _ => hidden("_scope"),
    }
}

fn in_fields(plan: &Plan, future: &TokenStream, fields: &Ident) -> TokenStream {
    let Plan { call, .. } = plan;
    if plan.context.is_empty() { future.clone() } else { quote!(#call::in_fields(#fields, #future)) }
}

/// Returns the event of the call.
fn called(plan: &Plan, sites: &TokenStream) -> Option<TokenStream> {
    let Plan { call: library, .. } = plan;
    let (level, arguments) = plan.called.as_ref()?;
    let traits = forms(plan, arguments);
    let values = valued(arguments, library);
    let allowed = allowed(plan);
    Some(quote! {
        #allowed
        if #sites.called.may_be_on(#level) {
            #traits
            #sites.called.emit(&[::core::option::Option::Some(&"called"), #(#values),*]);
        }
    })
}

/// Allows Clippy's pedantic lints about arguments such as `_unused`, since the uses are not the user's.
fn allowed(plan: &Plan) -> Option<TokenStream> {
    let is_marked = plan.function.bindings().iter().any(|binding| binding.field().starts_with('_'));
    is_marked.then(|| quote!(#[allow(clippy::used_underscore_binding)]))
}

/// Imports the traits that select the best forms of these values.
fn forms(plan: &Plan, values: &[NamedValue]) -> Option<TokenStream> {
    let Plan { call, .. } = plan;
    values.iter().any(|value| value.value.needs_forms()).then(|| quote!(use #call::forms::*;))
}

/// Returns the body as a closure with the function's return type, so that it means the same as without the attribute.
fn closure(plan: &Plan) -> TokenStream {
    let span = output_span(plan);
    let body = plan.function.block(&plan.shape, &plan.function.body);
    let output = match plan.shape {
        Shape::Never => Some(quote_spanned!(span=> -> !)),
        _ => plan.function.body_type(&plan.shape).map(|output| quote_spanned!(span=> -> #output)),
    };
    quote!(move || #output #body)
}

/// Fixes the output type of an `async` block, which has no syntax for it.
fn typed(plan: &Plan) -> Option<TokenStream> {
    let span = output_span(plan);
    plan.function.body_type(&plan.shape).map(|expected| {
        quote_spanned! {span=>
            #[allow(unreachable_code)]
            if false {
                let returned: #expected = loop {};
                return returned;
            }
        }
    })
}

/// Returns the span of the return type, for type errors. Lints recognize it as a macro's.
fn output_span(plan: &Plan) -> Span {
    let span = match &plan.function.signature.output {
        ReturnType::Default => plan.function.signature.ident.span(),
        ReturnType::Type(_, returned) => returned.span(),
    };
    Span::mixed_site().located_at(span)
}

/// Returns the closure that observes the output of a future. It is annotated with the type if the body does not
/// determine it.
fn ended(plan: &Plan, expected: Option<&Type>) -> TokenStream {
    let Names { returned, ending, .. } = Names::new();
    // For an `async fn` that never returns, any use of the value would change its type.
    if let ReturnType::Type(_, output) = &plan.function.signature.output
        && let Type::Never(_) = **output
    {
        return quote!(|_, _| {});
    }
    let end = end(plan, &ending, &returned.to_token_stream());
    let expected = expected.map(|expected| quote!(: &#expected));
    quote!(|#returned #expected, #ending| { #end })
}

/// Returns the closure that observes each item of a stream.
fn item(plan: &Plan) -> TokenStream {
    let Names { returned, ending, error, .. } = Names::new();
    let Plan { call: library, .. } = plan;
    let failed = failed(plan, &ending);
    let expected = plan.function.produced_type().map(|expected| quote!(: &#expected));
    quote! {
        |#returned #expected, #ending| {
            use #library::forms::*;
            match (&&#library::Ended(#returned)).split() {
                ::core::result::Result::Ok(_) => false,
                ::core::result::Result::Err(#error) => {
                    #failed
                    true
                }
            }
        }
    }
}

/// Returns the code that observes the result of a call.
fn end(plan: &Plan, on: &Ident, returned: &TokenStream) -> TokenStream {
    let Names { value, error, .. } = Names::new();
    let Plan { call: library, .. } = plan;
    if plan.function.never_fails() {
        let traits = has_forms(plan).then(|| quote!(use #library::forms::*;));
        let succeeded = succeeded(plan, on, returned);
        return quote!(#traits #succeeded);
    }
    let succeeded = succeeded(plan, on, &value.to_token_stream());
    let failed = failed(plan, on);
    let success = match &plan.returned {
        Ending::Silent => quote!(_),
        _ => value.to_token_stream(),
    };
    quote! {
        use #library::forms::*;
        match (&&#library::Ended(#returned)).split() {
            ::core::result::Result::Ok(#success) => { #succeeded }
            ::core::result::Result::Err(#error) => { #failed }
        }
    }
}

/// Returns `true` if the end of a call shows values in forms that traits select.
fn has_forms(plan: &Plan) -> bool {
    !plan.function.never_fails() || matches!(plan.returned, Ending::Full { format: None, .. })
}

fn succeeded(plan: &Plan, on: &Ident, value: &TokenStream) -> TokenStream {
    let Plan { call: library, naming, .. } = plan;
    let shown = |format: &Option<Format>| match format {
        None if plan.is_secret => quote!(&#library::REDACTED),
        None => quote!(#library::value(&(&&&&&&#library::Returned(#value) #naming).show())),
        Some(format) => format.of(value, library),
    };
    match &plan.returned {
        Ending::Silent => quote!(#on.succeeded();),
        Ending::Full { level, format } => {
            let shown = shown(format);
            quote! {
                if #on.may_log_result(#level) {
                    #on.returned(#shown);
                } else {
                    #on.succeeded();
                }
            }
        }
        Ending::Plain { format, .. } => {
            let shown = shown(&Some(*format));
            quote!(#on.returned(#shown);)
        }
    }
}

fn failed(plan: &Plan, on: &Ident) -> TokenStream {
    let Names { error, .. } = Names::new();
    let Plan { call: library, .. } = plan;
    let shown = |format: &Option<Format>| match format {
        None => quote!(::core::option::Option::None),
        Some(format) => {
            let shown = format.of(&error.to_token_stream(), library);
            quote!(::core::option::Option::Some(#shown))
        }
    };
    let log = match &plan.failed {
        Ending::Silent => quote!(#library::Log::Never),
        Ending::Plain { format, .. } => {
            let shown = shown(&Some(*format));
            quote!(#library::Log::Always(#shown))
        }
        Ending::Full { format, .. } => {
            let shown = shown(format);
            let when = if plan.fails_at_every_level { quote!(Always) } else { quote!(Once) };
            quote!(#library::Log::#when(#shown))
        }
    };
    let failure = if plan.function.error_may_borrow() { quote!(BorrowedFailure) } else { quote!(Failure) };
    quote!(#on.failed(&(&&&&&&#library::#failure(#error)).form(), #log);)
}
