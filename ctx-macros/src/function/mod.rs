//! Functions that attributes stand on.

mod bindings;
mod closures;
mod errors;
mod in_place;
mod parameters;
mod shape;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::{
    Attribute, Ident, ReturnType, Signature, Token, Type, Visibility, braced,
    parse::{Parse, ParseStream},
    token::Brace,
    visit_mut::VisitMut,
};

pub(crate) use bindings::{Binding, conditions};
pub(crate) use parameters::Parameters;
pub(crate) use shape::{AsyncBlock, Shape};

/// A function whose body need not be valid yet: what is being typed keeps its completion.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    visibility: Visibility,
    default: Option<Ident>,
    pub(crate) signature: Signature,
    inner_attributes: Vec<Attribute>,
    brace: Brace,
    pub(crate) body: TokenStream,
    /// The type parameters of the `impl` block that it stands in, where that is known.
    pub(crate) block_parameters: Vec<Ident>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let default = if input.peek(syn::Ident) && !input.peek2(Token![!]) { Some(input.parse()?) } else { None };
        let signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let message = "this function has no body: put the attribute on its implementations";
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
    /// The same function with another body.
    pub(crate) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let Function { attributes, visibility, default, signature, inner_attributes, brace, .. } = self;
        let mut tokens = quote!(#(#attributes)* #visibility #default #signature);
        brace.surround(&mut tokens, |tokens| {
            tokens.append_all(inner_attributes);
            tokens.append_all(body.clone());
        });
        tokens
    }

    /// Its body, or another one, in its own braces: they are what the compiler points at where nothing is returned.
    pub(crate) fn block(&self, shape: &Shape, body: impl ToTokens) -> TokenStream {
        let brace = match shape {
            Shape::AsyncBlock(block) => block.brace,
            _ => self.brace,
        };
        let mut tokens = TokenStream::new();
        brace.surround(&mut tokens, |tokens| body.to_tokens(tokens));
        tokens
    }

    /// Whether a type of this name is a parameter: its own, or the `impl` block's.
    pub(crate) fn is_type_parameter(&self, name: &Ident) -> bool {
        self.signature.generics.type_params().any(|known| known.ident == *name) || self.block_parameters.contains(name)
    }

    /// What its parameters are called within its body.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        bindings::of(&self.signature)
    }

    /// What its body comes to, with `_` for each `impl Trait`: for a future that is an `async` block, what that does.
    /// `None` where the signature does not say, and for `!`.
    pub(crate) fn body_type(&self, shape: &Shape) -> Option<Type> {
        let written = match (&self.signature.output, shape) {
            (ReturnType::Default, _) => {
                let span = Span::mixed_site().located_at(self.signature.ident.span());
                return Some(syn::parse_quote_spanned!(span=> ()));
            }
            (ReturnType::Type(_, returned), Shape::AsyncBlock(_)) => shape::output(returned)?,
            (ReturnType::Type(_, returned), _) => returned,
        };
        without_impl(written)
    }

    /// What the future comes to that it makes, or the item of the stream, as far as the signature says.
    pub(crate) fn made_type(&self) -> Option<Type> {
        match &self.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, returned) => without_impl(shape::output(returned)?),
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.with_body(&self.body));
    }
}

fn without_impl(written: &Type) -> Option<Type> {
    let mut written = written.clone();
    WithoutImpl.visit_type_mut(&mut written);
    (!matches!(written, Type::Never(_) | Type::Infer(_))).then_some(written)
}

/// Makes a type that can be written on a `let`.
struct WithoutImpl;

impl VisitMut for WithoutImpl {
    fn visit_type_mut(&mut self, written: &mut Type) {
        if let Type::ImplTrait(_) = written {
            *written = syn::parse_quote!(_);
        } else {
            syn::visit_mut::visit_type_mut(self, written);
        }
    }
}
