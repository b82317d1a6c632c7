//! `#[with_observability(...)]`: parsing (`arguments`), validation (`check`), lowering (`plan`, `redact`, `values`),
//! expansion (`expand`), and `impl` blocks (`methods`).

mod arguments;
mod check;
mod expand;
mod methods;
mod observed;
mod plan;
mod redact;
#[cfg(test)]
mod tests;
mod values;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Ident, LitStr, Token,
    parse::{ParseStream, Parser},
    token,
};

use self::{arguments::ObservabilityArguments, observed::observed};
use crate::{errors::Errors, functions::Function};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let item = match target(&item) {
        Target::Methods => methods::expand(arguments, item, &mut errors),
        Target::Function => function(arguments, item, &mut errors),
        Target::Other(keyword, what) => {
            let message =
                format!("`with_observability` applies to a function, a method or an `impl` block, not to {what}");
            errors.add_error(syn::Error::new(keyword, message));
            item
        }
    };
    // Valid code is expanded next to the errors, so that callers of the function cause no further errors.
    let errors = errors.into_compile_errors();
    quote!(#item #errors)
}

fn function(arguments: TokenStream, item: TokenStream, errors: &mut Errors) -> TokenStream {
    let arguments = ObservabilityArguments::parse(arguments, ObservabilityArguments::default(), errors);
    match syn::parse2::<Function>(item.clone()) {
        Ok(function) => {
            if let Some(name) = arguments.except.first() {
                errors.add(name, "`except` applies to an `impl` block: remove the attribute from the function instead");
            }
            observed(arguments, function, None, errors)
        }
        Err(error) => {
            errors.add_error(error);
            item
        }
    }
}

/// The item with the attribute.
enum Target {
    Function,
    Methods,
    /// The keyword of another item, and its kind.
    Other(Span, &'static str),
}

/// Returns the kind of an item. Reads only up to its first keyword, since the rest may be invalid.
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

/// Returns the kind of an item that cannot be observed.
fn other(input: ParseStream<'_>) -> Option<&'static str> {
    if input.peek(Token![struct]) {
        Some("a struct")
    } else if input.peek(Token![enum]) {
        Some("an enum")
    } else if input.peek(Token![union]) && input.peek2(Ident) {
        Some("a union")
    } else if input.peek(Token![trait]) || input.peek(Token![unsafe]) && input.peek2(Token![trait]) {
        Some("a trait: add it to the methods that have a body")
    } else if input.peek(Token![mod]) {
        Some("a module")
    } else if input.peek(Token![static]) || input.peek(Token![const]) && !is_const_fn(input) {
        Some("a constant or a static")
    } else if is_extern_block(&input.fork()).unwrap_or(false) {
        Some("an `extern` block")
    } else if input.peek(Token![type]) {
        Some("a type alias")
    } else if input.peek(Token![use]) || input.peek(Token![extern]) && input.peek2(Token![crate]) {
        Some("an import")
    } else if input.peek2(Token![!]) {
        Some("a macro")
    } else {
        None
    }
}

/// Returns `true` for `const fn`, `const unsafe fn`, `const async fn`, `const extern "C" fn`.
fn is_const_fn(input: ParseStream<'_>) -> bool {
    input.peek2(Token![fn]) || input.peek2(Token![unsafe]) || input.peek2(Token![async]) || input.peek2(Token![extern])
}

/// Returns `true` for `unsafe extern "C" {`.
fn is_extern_block(input: ParseStream<'_>) -> syn::Result<bool> {
    input.parse::<Option<Token![unsafe]>>()?;
    input.parse::<Token![extern]>()?;
    input.parse::<Option<LitStr>>()?;
    Ok(input.peek(token::Brace))
}
