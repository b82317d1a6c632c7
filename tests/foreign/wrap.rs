//! Installs `ctx-layer` around every subscriber of the tests that are linked with this crate.

use std::sync::Arc;

use ctx_layer::{Schema, SubscriberFieldsExt};
use tracing_core::foreign::WRAP;

#[ctor::ctor]
fn install() {
    let is_first = WRAP.set(|subscriber| Arc::new(subscriber.with_context_fields(Schema::well_known()))).is_ok();
    assert!(is_first, "this crate is linked once");
}
