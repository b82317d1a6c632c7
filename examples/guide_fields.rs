//! Declares fields: their types, what is shown of them, and how bad values are handled.

use ctx_layer::{Fields, Schema, SubscriberFieldsExt, field::well_known::TENANT_ID, fields_once_per_line};
use tracing::{info, info_span};
use tracing_subscriber::{fmt::layer, prelude::*};

ctx_layer::context_fields! {
    /// The warehouse that serves the request.
    pub static WAREHOUSE: String = "warehouse" => max_len(12);
    /// How often the request was tried.
    pub static ATTEMPT: u64 = "attempt" => spans(false);
    /// The customer's address.
    pub static EMAIL: String = "customer.email" => masked;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let schema = Schema::builder().field(&TENANT_ID).field(&WAREHOUSE).field(&ATTEMPT).field(&EMAIL).build()?;
    tracing_subscriber::registry()
        .with(fields_once_per_line(layer().without_time().with_target(false)))
        .with_context_fields(schema)
        .init();

    let fields = Fields::new().with(&TENANT_ID, "acme").with(&ATTEMPT, 2u64).with(&EMAIL, "ada@example.com");
    fields.in_scope(|| {
        let _request = info_span!("request").entered();
        info!("set values are on the line, as their policies say");
        info!(tenant_id = "mine", "an event's own field wins");

        let _warehouse = WAREHOUSE.attach("rotterdam-europoort-2");
        info!("a value that is too long is cut");
        let _tenant = TENANT_ID.attach("acme\n2026-01-01 INFO forged");
        info!("a value cannot begin another line");
        assert_eq!(WAREHOUSE.get().as_deref(), Some("rotterdam-europoort-2")); // `get` returns all of it
    });
    info!("after the scope no value is current");
    Ok(())
}
