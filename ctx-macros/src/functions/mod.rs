//! Functions with attributes.

mod bindings;
mod body;
mod closures;
mod fallible;
mod function;
mod in_place;
mod parameters;
mod shape;

pub(crate) use bindings::{Binding, conditions};
pub(crate) use function::Function;
pub(crate) use parameters::Parameters;
pub(crate) use shape::{AsyncBlock, Shape};
