//! What can be named in the arguments of an attribute.

use syn::{Expr, Ident};

use super::Function;
use crate::{
    expression::{is_constant_name, root},
    mistakes::{Mistakes, did_you_mean},
};

/// The names of a function's parameters, or of those of several.
pub(crate) struct Parameters {
    names: Vec<Ident>,
    /// What has them, or does not.
    owner: String,
}

impl Parameters {
    pub(crate) fn of_function(function: &Function) -> Self {
        Parameters { names: names(function).collect(), owner: format!("`{}` has no", function.signature.ident) }
    }

    /// Those of all methods of a block.
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
            [] => "there are none".to_owned(),
            known => format!("there are: {}", known.join(", ")),
        };
        format!("{} parameter `{name}`{hint}; {those}", self.owner)
    }

    /// What an expression begins with, if that should be a parameter and is none. One that begins with a constant or a
    /// path may be anything.
    pub(crate) fn missing<'a>(&self, expression: &'a Expr) -> Option<&'a Ident> {
        root(expression).filter(|root| !self.has(root) && !is_constant_name(root))
    }

    /// Whether an expression begins with what it may begin with.
    pub(crate) fn has_root(&self, expression: &Expr, mistakes: &mut Mistakes) -> bool {
        let missing = self.missing(expression);
        if let Some(name) = missing {
            mistakes.add(name, self.no_parameter(name));
        }
        missing.is_none()
    }
}

fn names(function: &Function) -> impl Iterator<Item = Ident> {
    function.bindings().into_iter().map(|binding| binding.name)
}
