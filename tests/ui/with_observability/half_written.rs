//! A body that is being written: the error is the one that the compiler has about it.

use ctx_layer::with_observability;

#[with_observability(log_args = false)]
fn half_written(text: &str) -> usize {
    let _ = text.;
    0
}

#[with_observability]
async fn half_written_later(text: &str) -> usize {
    let length = text.len()
    length
}

fn main() {
    let _ = half_written("") + 1;
    drop(half_written_later(""));
}
