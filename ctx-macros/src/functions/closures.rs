//! Closure bounds for a body that is expanded as a closure.
//!
//! At the end of a function that returns `impl Fn(&str) -> &str`, the compiler infers the type of `|text|` from those
//! bounds. At the end of a closure that returns `_` it has no bounds. They are therefore repeated on a function through
//! which the closure is passed:
//!
//! ```text
//! fn __ctx_layer_body<F: FnOnce() -> R0, R0: Fn(&A1) -> &A1, A1: ?Sized>(body: F) -> F { body }
//! __ctx_layer_body::<_, _, str>(move || -> _ { |text| text.trim() })
//! ```
//!
//! That function cannot name the type parameters of the outer one. Therefore every type without a lifetime of the bound
//! becomes a type parameter of it, and is given at the call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    BoundLifetimes, GenericParam, Lifetime, PathArguments, ReturnType, TraitBound, Type, TypeImplTrait, TypeParamBound,
    TypeReference,
    visit_mut::{VisitMut, visit_type_mut, visit_type_reference_mut},
};

use super::function::Function;

impl Function {
    /// Returns `true` if the function returns closures whose bounds its body depends on.
    pub(crate) fn returns_closures(&self) -> bool {
        !self.with_closure_bounds(TokenStream::new()).is_empty()
    }

    /// Returns a body closure with the bounds of the closures that it returns. Unchanged if it returns none.
    pub(crate) fn with_closure_bounds(&self, body: TokenStream) -> TokenStream {
        let ReturnType::Type(_, returned) = &self.signature.output else { return body };
        let mut output = (**returned).clone();
        let mut passed = BoundsFunction::default();
        passed.visit_type_mut(&mut output);
        let BoundsFunction { lifetimes, parameters, arguments, has_closure, .. } = passed;
        if !has_closure {
            return body;
        }
        let name = Ident::new("__ctx_layer_body", Span::mixed_site());
        quote! {{
            fn #name<#(#lifetimes,)* F: ::core::ops::FnOnce() -> #output, #(#parameters),*>(body: F) -> F {
                body
            }
            #name::<_, #(#arguments),*>(#body)
        }}
    }
}

/// The function through which a body is passed, while it is built.
#[derive(Default)]
struct BoundsFunction {
    lifetimes: Vec<Lifetime>,
    parameters: Vec<TokenStream>,
    /// The types given for the type parameters.
    arguments: Vec<TokenStream>,
    has_closure: bool,
    /// Within a closure's bound: the lifetimes that the bound declares.
    bound: Option<Vec<Lifetime>>,
}

impl BoundsFunction {
    /// Replaces a type by a type parameter.
    fn replace(&mut self, written: &mut Type, is_sized: bool) {
        let name = format_ident!("A{}", self.parameters.len());
        self.arguments.push(written.to_token_stream());
        self.parameters.push(if is_sized { quote!(#name) } else { quote!(#name: ?::core::marker::Sized) });
        *written = syn::parse_quote!(#name);
    }

    /// Returns `true` if a type contains something that has to be in the function's signature.
    fn is_kept(&self, written: &Type) -> bool {
        let mut search = ClosureSearch { bound: self.bound.as_deref(), found: false };
        search.visit_type_mut(&mut written.clone());
        search.found
    }

    fn closure(&mut self, implemented: &TypeImplTrait) -> Type {
        let name = format_ident!("R{}", self.parameters.len());
        // Reserves its position before those of its bounds.
        let at = self.parameters.len();
        self.parameters.push(name.to_token_stream());
        self.arguments.push(quote!(_));
        let mut bounds: Vec<TraitBound> = Vec::new();
        for bound in &implemented.bounds {
            let TypeParamBound::Trait(bound) = bound else { continue };
            if !is_of_closure(bound) {
                continue;
            }
            self.has_closure = true;
            let mut bound = bound.clone();
            self.bound = Some(bound.lifetimes.as_ref().map(own_lifetimes).unwrap_or_default());
            self.visit_trait_bound_mut(&mut bound);
            self.bound = None;
            bounds.push(bound);
        }
        self.parameters[at] = quote!(#name: #(#bounds)+*);
        syn::parse_quote!(#name)
    }
}

/// Returns `true` for a bound such as `Fn(&str) -> &str`.
fn is_of_closure(bound: &TraitBound) -> bool {
    let last = bound.path.segments.last();
    last.is_some_and(|last| matches!(last.arguments, PathArguments::Parenthesized(_)))
}

fn own_lifetimes(bound: &BoundLifetimes) -> Vec<Lifetime> {
    let lifetimes = bound.lifetimes.iter().filter_map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) => Some(parameter.lifetime.clone()),
        _ => None,
    });
    lifetimes.collect()
}

impl VisitMut for BoundsFunction {
    fn visit_type_mut(&mut self, written: &mut Type) {
        match written {
            Type::ImplTrait(implemented) => *written = self.closure(&implemented.clone()),
            written if self.is_kept(written) => visit_type_mut(self, written),
            // The unit type.
            Type::Tuple(tuple) if tuple.elems.is_empty() => {}
            written => self.replace(written, true),
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if matches!(*reference.elem, Type::ImplTrait(_)) || self.is_kept(&reference.elem) {
            return visit_type_reference_mut(self, reference);
        }
        if let Some(lifetime) = &mut reference.lifetime {
            self.visit_lifetime_mut(lifetime);
        }
        self.replace(&mut reference.elem, false);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        let is_own = self.bound.as_ref().is_some_and(|own| own.contains(lifetime));
        let is_known =
            is_own || lifetime.ident == "static" || lifetime.ident == "_" || self.lifetimes.contains(lifetime);
        if !is_known {
            self.lifetimes.push(lifetime.clone());
        }
    }
}

/// A search of a type for parts that cannot be named at the call: `impl Trait`, and lifetimes of a bound.
struct ClosureSearch<'a> {
    /// `None` outside of bounds, where an elided lifetime belongs to the outer function.
    bound: Option<&'a [Lifetime]>,
    found: bool,
}

impl VisitMut for ClosureSearch<'_> {
    fn visit_type_impl_trait_mut(&mut self, _: &mut TypeImplTrait) {
        self.found = true;
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        self.found |= self.bound.is_some() && reference.lifetime.is_none();
        visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        self.found |= self.bound.is_some_and(|own| lifetime.ident == "_" || own.contains(lifetime));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(signature: &str) -> String {
        let function: Function = syn::parse_str(&format!("{signature} {{}}")).unwrap();
        flat(&function.with_closure_bounds(quote!(BODY)).to_string())
    }

    /// Removes the spaces, which are insignificant.
    fn flat(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn a_body_that_returns_no_closure_is_unchanged() {
        for signature in ["fn f()", "fn f() -> impl Iterator<Item = u8>", "fn f() -> Box<dyn Fn(&str) -> &str>"] {
            assert_eq!(passed(signature), "BODY", "{signature}");
        }
    }

    #[test]
    fn closure_bounds_are_repeated_with_type_parameters() {
        assert_eq!(
            passed("fn f<T>() -> Option<impl for<'a> Fn(&'a T, Self, &str) -> &'a T + Send>"),
            flat(
                "{ fn __ctx_layer_body<
                    F: ::core::ops::FnOnce() -> Option<R0>,
                    R0: for<'a> Fn(&'a A1, A2, &A3) -> &'a A4,
                    A1: ?::core::marker::Sized, A2, A3: ?::core::marker::Sized, A4: ?::core::marker::Sized
                >(body: F) -> F { body }
                __ctx_layer_body::<_, _, T, Self, str, T>(BODY) }"
            )
        );
    }

    #[test]
    fn lifetimes_of_the_function_are_declared_where_needed() {
        assert_eq!(
            passed("fn f<'x>() -> impl FnOnce(Pair<'x, '_>) + 'x"),
            flat(
                "{ fn __ctx_layer_body<'x, F: ::core::ops::FnOnce() -> R0, R0: FnOnce(Pair<'x, '_>)>(body: F) -> F { body }
                __ctx_layer_body::<_, _>(BODY) }"
            )
        );
    }
}
