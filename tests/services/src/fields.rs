//! Fields of every type.

use ctx_layer::{
    FutureFieldsExt, Schema,
    field::well_known::{REQUEST_ID, TENANT_ID},
};

ctx_layer::context_fields! {
    /// The shard that holds the tenant's data.
    pub static SHARD: u64 = "shard" => propagated, baggage_key("x-shard");
    /// The share of requests that are traced.
    pub static RATIO: f64 = "ratio" => propagated;
    /// `true` if the user sees unreleased features.
    pub static BETA: bool = "beta" => propagated;
}

/// Returns the fields of these tests.
pub fn schema() -> Schema {
    let fields = Schema::builder().field(&TENANT_ID).field(&REQUEST_ID).field(&SHARD).field(&RATIO).field(&BETA);
    fields.build().expect("no name is in it twice")
}

/// A tenant with a character that has to be encoded.
pub const TENANT: &str = "zürich ag";

/// Runs a future with a field of every type.
pub async fn with_all<F: Future>(future: F) -> F::Output {
    future
        .with_field(&TENANT_ID, TENANT)
        .with_field(&SHARD, 7_u64)
        .with_field(&RATIO, 0.25)
        .with_field(&BETA, true)
        .await
}
