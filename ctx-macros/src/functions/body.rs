//! The body of a function, and the type of its value.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{ReturnType, Type, visit_mut::VisitMut};

use super::{
    function::Function,
    shape::{self, Shape},
};

impl Function {
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
