//! Items that are no test.

#[ctx_layer::test]
fn another_parameter(number: u64) {}

#[ctx_layer::test]
struct NoFunction;

fn main() {}
