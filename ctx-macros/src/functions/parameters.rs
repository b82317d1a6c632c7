//! The parameters that an attribute's arguments can name.

use syn::{Expr, Ident};

use super::function::Function;
use crate::{
    errors::{Errors, did_you_mean},
    expression::{is_constant_name, root},
};

/// The parameter names of a function, or of several.
pub(crate) struct Parameters {
    names: Vec<Ident>,
    /// The start of the message for a missing parameter.
    owner: String,
}

impl Parameters {
    pub(crate) fn of_function(function: &Function) -> Self {
        Parameters { names: names(function).collect(), owner: format!("`{}` has no", function.signature.ident) }
    }

    /// Returns the parameters of all methods of a block.
    pub(crate) fn of_methods<'a>(methods: impl Iterator<Item = &'a Function>) -> Self {
        let mut all: Vec<Ident> = Vec::new();
        for name in methods.flat_map(names) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        Parameters { names: all, owner: "no method of this block has a".to_owned() }
    }

    pub(crate) fn has(&self, name: &Ident) -> bool {
        self.names.contains(name)
    }

    pub(crate) fn no_parameter(&self, name: &Ident) -> String {
        let known: Vec<String> = self.names.iter().map(Ident::to_string).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint = did_you_mean(&name.to_string(), &known);
        let those = match known.as_slice() {
            [] => "it has none".to_owned(),
            known => format!("expected one of: {}", known.join(", ")),
        };
        format!("{} parameter `{name}`{hint}; {those}", self.owner)
    }

    /// Returns the first identifier of an expression, if it should be a parameter and is none. Constants and paths are
    /// accepted.
    pub(crate) fn missing<'a>(&self, expression: &'a Expr) -> Option<&'a Ident> {
        root(expression).filter(|root| !self.has(root) && !is_constant_name(root))
    }

    /// Reports an expression that begins with an unknown parameter. Returns `true` if there is none.
    pub(crate) fn has_root(&self, expression: &Expr, errors: &mut Errors) -> bool {
        let missing = self.missing(expression);
        if let Some(name) = missing {
            errors.add(name, self.no_parameter(name));
        }
        missing.is_none()
    }
}

fn names(function: &Function) -> impl Iterator<Item = Ident> {
    function.bindings().into_iter().map(|binding| binding.name)
}
