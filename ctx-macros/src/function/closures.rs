//! What tells a body that stands in a closure of its own which closures it is to give back.
//!
//! At the end of a function that returns `impl Fn(&str) -> &str`, the compiler takes from those bounds what `|text|` is.
//! It knows of no bounds at the end of a closure that returns `_`, so they are written again, on a function that the
//! closure is passed through:
//!
//! ```text
//! fn __ctx_layer_body<F: FnOnce() -> R0, R0: Fn(&A1) -> &A1, A1: ?Sized>(body: F) -> F { body }
//! __ctx_layer_body::<_, _, str>(move || -> _ { |text| text.trim() })
//! ```
//!
//! That function cannot name the type parameters of the one around it. So every type that has no lifetime of the
//! bound's own is a parameter of it, and is named where it is called.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    BoundLifetimes, GenericParam, Lifetime, PathArguments, ReturnType, TraitBound, Type, TypeImplTrait, TypeParamBound,
    TypeReference,
    visit_mut::{VisitMut, visit_type_mut, visit_type_reference_mut},
};

use super::Function;

impl Function {
    /// Returns `true` if it returns closures whose bounds its body has to know.
    pub(crate) fn gives_closures(&self) -> bool {
        !self.with_closures_known(TokenStream::new()).is_empty()
    }

    /// A closure that is the function's body, told which closures it gives back. As it is where there are none.
    pub(crate) fn with_closures_known(&self, body: TokenStream) -> TokenStream {
        let ReturnType::Type(_, returned) = &self.signature.output else { return body };
        let mut output = (**returned).clone();
        let mut passed = Passed::default();
        passed.visit_type_mut(&mut output);
        let Passed { lifetimes, parameters, arguments, has_closure, .. } = passed;
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

/// The function that a body is passed through, as far as it is made.
#[derive(Default)]
struct Passed {
    lifetimes: Vec<Lifetime>,
    parameters: Vec<TokenStream>,
    /// The types that the parameters are.
    arguments: Vec<TokenStream>,
    has_closure: bool,
    /// Within the bound of a closure: the lifetimes that are its own.
    bound: Option<Vec<Lifetime>>,
}

impl Passed {
    /// A parameter in place of a type.
    fn replace(&mut self, written: &mut Type, is_sized: bool) {
        let name = format_ident!("A{}", self.parameters.len());
        self.arguments.push(written.to_token_stream());
        self.parameters.push(if is_sized { quote!(#name) } else { quote!(#name: ?::core::marker::Sized) });
        *written = syn::parse_quote!(#name);
    }

    /// Whether a type has something in it that the function has to have itself.
    fn is_kept(&self, written: &Type) -> bool {
        let mut search = ClosureSearch { bound: self.bound.as_deref(), found: false };
        search.visit_type_mut(&mut written.clone());
        search.found
    }

    fn closure(&mut self, implemented: &TypeImplTrait) -> Type {
        let name = format_ident!("R{}", self.parameters.len());
        // In its place before those that its bounds have.
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

/// `Fn(&str) -> &str`
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

impl VisitMut for Passed {
    fn visit_type_mut(&mut self, written: &mut Type) {
        match written {
            Type::ImplTrait(implemented) => *written = self.closure(&implemented.clone()),
            written if self.is_kept(written) => visit_type_mut(self, written),
            // `()`
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

/// Searches a type for what cannot be named where the function is called: `impl Trait`, and lifetimes of a bound.
struct ClosureSearch<'a> {
    /// `None` outside of bounds, where a lifetime that is left out is one of the function around it.
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
        flat(&function.with_closures_known(quote!(BODY)).to_string())
    }

    /// Without the spaces, which say nothing.
    fn flat(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn a_body_that_gives_no_closure_is_as_it_is() {
        for signature in ["fn f()", "fn f() -> impl Iterator<Item = u8>", "fn f() -> Box<dyn Fn(&str) -> &str>"] {
            assert_eq!(passed(signature), "BODY", "{signature}");
        }
    }

    #[test]
    fn the_bounds_of_a_closure_are_written_again_with_parameters_for_what_they_cannot_name() {
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
    fn lifetimes_of_the_function_are_declared_where_they_are_needed() {
        assert_eq!(
            passed("fn f<'x>() -> impl FnOnce(Pair<'x, '_>) + 'x"),
            flat(
                "{ fn __ctx_layer_body<'x, F: ::core::ops::FnOnce() -> R0, R0: FnOnce(Pair<'x, '_>)>(body: F) -> F { body }
                __ctx_layer_body::<_, _>(BODY) }"
            )
        );
    }
}
