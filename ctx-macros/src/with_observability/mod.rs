//! `#[with_observability(...)]`: what was written (`arguments`), what is wrong with it (`check`), what it means (`plan`,
//! `redact`, `values`), what it becomes (`expand`), and the same for each method of an `impl` block (`methods`).

mod arguments;
mod check;
mod expand;
mod methods;
mod plan;
mod redact;
mod secret_name;
#[cfg(test)]
mod tests;
mod values;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Ident, LitStr, Token,
    parse::{ParseStream, Parser},
    token,
};

use self::{arguments::ObservabilityArguments, plan::Plan};
use crate::{
    function::{Function, Parameters},
    mistakes::Mistakes,
    propagate,
};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let item = match target(&item) {
        Target::Methods => methods::expand(arguments, item, &mut mistakes),
        Target::Function => function(arguments, item, &mut mistakes),
        Target::Other(keyword, what) => {
            let message =
                format!("`with_observability` goes on a function, a method or an `impl` block, not on {what}");
            mistakes.add_error(syn::Error::new(keyword, message));
            item
        }
    };
    // What is valid stands beside the errors, so that whoever calls the function gets none of their own.
    let errors = mistakes.into_compile_errors();
    quote!(#item #errors)
}

fn function(arguments: TokenStream, item: TokenStream, mistakes: &mut Mistakes) -> TokenStream {
    let arguments = ObservabilityArguments::parse(arguments, ObservabilityArguments::default(), mistakes);
    match syn::parse2::<Function>(item.clone()) {
        Ok(function) => {
            if let Some(name) = arguments.except.first() {
                mistakes.add(name, "`except` goes on an `impl` block: a function needs no attribute to be left out");
            }
            observed(arguments, function, None, mistakes)
        }
        Err(error) => {
            mistakes.add_error(error);
            item
        }
    }
}

/// The function, observed, or as it is where that cannot be.
fn observed(
    mut arguments: ObservabilityArguments,
    mut function: Function,
    owner: Option<&str>,
    mistakes: &mut Mistakes,
) -> TokenStream {
    if let Some(links) = propagate::settle(&mut function) {
        if arguments.links.is_some() {
            mistakes.add(&links, "`links` is given twice: here, and to `with_observability`");
        }
        arguments.links = Some(links);
    }
    if propagate::is_restored_already(&function) {
        mistakes.add_error(syn::Error::new(
            Span::call_site(),
            "the span would not be in the context that `#[propagate]` restores, which cannot see `#[with_observability]` \
             under another name: put it above `#[propagate]`",
        ));
    }
    let is_possible = check::function(&function, mistakes);
    check::arguments(&mut arguments, &Parameters::of_function(&function), mistakes);
    mistakes.spare(&mut function);
    if is_possible { expand::function(&Plan::new(arguments, function, owner)) } else { function.to_token_stream() }
}

/// What an attribute stands on.
enum Target {
    Function,
    Methods,
    /// Its keyword, and what that makes.
    Other(Span, &'static str),
}

/// Looks no further than the item's first keyword: what follows need not be valid yet.
fn target(item: &TokenStream) -> Target {
    let parser = |input: ParseStream<'_>| {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        let target = if input.peek(Token![impl]) || input.peek(Token![unsafe]) && input.peek2(Token![impl]) {
            Target::Methods
        } else {
            other(input).map_or(Target::Function, |what| Target::Other(input.span(), what))
        };
        input.parse::<TokenStream>()?;
        Ok(target)
    };
    parser.parse2(item.clone()).unwrap_or(Target::Function)
}

/// What it is that cannot be observed.
fn other(input: ParseStream<'_>) -> Option<&'static str> {
    if input.peek(Token![struct]) {
        Some("a structure")
    } else if input.peek(Token![enum]) {
        Some("an enumeration")
    } else if input.peek(Token![union]) && input.peek2(Ident) {
        Some("a union")
    } else if input.peek(Token![trait]) || input.peek(Token![unsafe]) && input.peek2(Token![trait]) {
        Some("a whole trait: put it on the methods that have a body")
    } else if input.peek(Token![mod]) {
        Some("a module")
    } else if input.peek(Token![static]) || input.peek(Token![const]) && !is_const_fn(input) {
        Some("a value")
    } else if is_extern_block(&input.fork()).unwrap_or(false) {
        Some("a block of functions that are defined elsewhere")
    } else if input.peek(Token![type]) {
        Some("another name for a type")
    } else if input.peek(Token![use]) || input.peek(Token![extern]) && input.peek2(Token![crate]) {
        Some("an import")
    } else if input.peek2(Token![!]) {
        Some("a macro")
    } else {
        None
    }
}

/// `const fn`, `const unsafe fn`, `const async fn`, `const extern "C" fn`
fn is_const_fn(input: ParseStream<'_>) -> bool {
    input.peek2(Token![fn]) || input.peek2(Token![unsafe]) || input.peek2(Token![async]) || input.peek2(Token![extern])
}

/// `unsafe extern "C" {`
fn is_extern_block(input: ParseStream<'_>) -> syn::Result<bool> {
    input.parse::<Option<Token![unsafe]>>()?;
    input.parse::<Token![extern]>()?;
    input.parse::<Option<LitStr>>()?;
    Ok(input.peek(token::Brace))
}
