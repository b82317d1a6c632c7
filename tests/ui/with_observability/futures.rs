//! Output types of futures: the error is at the wrong value; without the attribute it is at the signature.

use ctx_layer::with_observability;

#[with_observability]
fn wrong_future() -> impl Future<Output = u8> {
    async move { "text" }
}

fn main() {}
