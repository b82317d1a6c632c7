//! Items that the attribute does not support.

use ctx_layer::with_observability;

#[with_observability(log_arg = false, skip(b))]
pub const fn constant(a: u8) -> u8 {
    a
}

/// Documented.
#[with_observability]
#[derive(Debug)]
pub struct Structure;

#[with_observability]
pub enum Enumeration {}

#[with_observability]
union Union {
    _a: u8,
}

#[with_observability]
trait Whole {
    fn f(&self) {}
}

trait Trait {
    #[with_observability]
    fn without_a_body(&self, a: u8) -> u8;

    #[with_observability]
    fn with_a_body(&self) {}
}

#[with_observability]
mod module {}

#[with_observability]
static STATIC: u8 = 1;

#[with_observability]
const CONST: u8 = constant(1);

#[with_observability]
type Alias = u8;

#[with_observability]
use std::fmt;

#[with_observability]
unsafe extern "C" {}

#[with_observability]
macro_rules! rules {
    () => {};
}

// What is valid of all this can be used.
fn main() {
    let _: Option<Alias> = Some(constant(STATIC) + CONST);
    let _ = Structure;
    rules!();
    println!("{}", format_args!("{:?}", Structure));
}

impl Trait for Structure {
    fn without_a_body(&self, a: u8) -> u8 {
        a
    }
}

impl Whole for Structure {}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_a_body();
        f.pad("")
    }
}
