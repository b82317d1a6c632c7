//! What a future comes to: the error is at what is wrong, where without the attribute it is at the signature.

use ctx_layer::with_observability;

#[with_observability]
fn wrong_future() -> impl Future<Output = u8> {
    async move { "text" }
}

fn main() {}
