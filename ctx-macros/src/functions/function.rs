//! A function with attributes.

use proc_macro2::TokenStream;
use quote::{ToTokens, TokenStreamExt, quote};
use syn::{
    Attribute, Ident, Signature, Token, Visibility, braced,
    parse::{Parse, ParseStream},
    token::Brace,
};

use super::bindings::{self, Binding};
use crate::errors::Errors;

/// A function whose body may be invalid, so that completion works while it is being typed.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    visibility: Visibility,
    default: Option<Ident>,
    pub(crate) signature: Signature,
    inner_attributes: Vec<Attribute>,
    pub(super) brace: Brace,
    pub(crate) body: TokenStream,
    /// The type parameters of the surrounding `impl` block, where known.
    pub(crate) block_parameters: Vec<Ident>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let default = if input.peek(syn::Ident) && !input.peek2(Token![!]) { Some(input.parse()?) } else { None };
        let signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let message = "this function has no body: add the attribute to its implementations";
            return Err(syn::Error::new_spanned(&signature.ident, message));
        }
        let body;
        let brace = braced!(body in input);
        let inner_attributes = body.call(Attribute::parse_inner)?;
        let body = body.parse()?;
        Ok(Function {
            attributes,
            visibility,
            default,
            signature,
            inner_attributes,
            brace,
            body,
            block_parameters: Vec::new(),
        })
    }
}

impl Function {
    /// Returns the function with another body.
    pub(crate) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let Function { attributes, visibility, default, signature, inner_attributes, brace, .. } = self;
        let mut tokens = quote!(#(#attributes)* #visibility #default #signature);
        brace.surround(&mut tokens, |tokens| {
            tokens.append_all(inner_attributes);
            tokens.append_all(body.clone());
        });
        tokens
    }

    /// Returns `true` if a type of this name is a type parameter of the function or the `impl` block.
    pub(crate) fn is_type_parameter(&self, name: &Ident) -> bool {
        self.signature.generics.type_params().any(|known| known.ident == *name) || self.block_parameters.contains(name)
    }

    /// Returns the names that its parameters bind.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        bindings::of(&self.signature)
    }

    /// Silences lints if there are errors: an argument may be unused only because an entry could not be parsed.
    pub(crate) fn silence_lints(&mut self, errors: &Errors) {
        if !errors.is_empty() {
            self.attributes.push(syn::parse_quote!(#[allow(unused_variables, unused_mut)]));
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.with_body(&self.body));
    }
}
