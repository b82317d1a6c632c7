//! The expansion: a `static` for each field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Expr, Ident, Meta, Path, spanned::Spanned};

use super::syntax::{Declaration, Declarations};
use crate::location::at;

pub(super) fn items(declarations: &Declarations) -> TokenStream {
    declarations.fields.iter().map(|field| item(&declarations.library, field)).collect()
}

fn item(library: &Path, field: &Declaration) -> TokenStream {
    let Declaration { attributes, visibility, key, value_type, name, policies } = field;
    let docs = attributes.iter().filter_map(doc);
    // Only the library can tell whether its feature `hashed` is on.
    let hashed = policies.iter().filter(|policy| policy.word == "hashed").map(|policy| policy.word.span());
    let required = hashed.map(|span| quote_spanned!(span=> #library::__require_hashed!();));
    let policies = policies.iter().map(|policy| {
        let word = match &policy.word {
            hashed if hashed == "hashed" => &Ident::new("__hashed", hashed.span()),
            word => word,
        };
        let arguments = policy.arguments.iter();
        quote!(.#word(#(#arguments)*))
    });
    // The compiler checks the key when it is created. The span makes its errors point at the name.
    let new = at(&quote!(#library::field::ContextField::new), name.span());
    let make = quote_spanned! {name.span()=>
        #new(
            #name,
            ::core::concat!(#(#docs, "\n",)* ""),
            #library::field::Policy::new()#(#policies)*,
            #library::field::Parser::<#value_type>::PARSE,
        )
    };
    quote! {
        #(#attributes)*
        #visibility static #key: #library::field::ContextField<#value_type> = {
            #[allow(unused_imports)]
            use #library::field::NoParser as _;
            #(#required)*
            #make
        };
    }
}

/// Returns the string of a documentation comment.
fn doc(attribute: &Attribute) -> Option<&Expr> {
    match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => Some(&doc.value),
        _ => None,
    }
}
