//! Functions with attributes.

mod bindings;
mod closures;
mod fallible;
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

/// A function whose body may be invalid, so that completion works while it is being typed.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    visibility: Visibility,
    default: Option<Ident>,
    pub(crate) signature: Signature,
    inner_attributes: Vec<Attribute>,
    brace: Brace,
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

    /// Returns a body in the original braces, which the compiler points at if a value is missing.
    pub(crate) fn block(&self, shape: &Shape, body: impl ToTokens) -> TokenStream {
        let brace = match shape {
            Shape::AsyncBlock(block) => block.brace,
            _ => self.brace,
        };
        let mut tokens = TokenStream::new();
        brace.surround(&mut tokens, |tokens| body.to_tokens(tokens));
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

    /// Returns the type of the body's value, with `_` for each `impl Trait`. For an `async` block it is that of the
    /// block's output. `None` if the signature has none, and for `!`.
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

    /// Returns the output type of the returned future, or the item type of the stream, as far as the signature has it.
    pub(crate) fn produced_type(&self) -> Option<Type> {
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

/// A visitor that makes a type legal on a `let`.
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
