//! A forged tenant, sent to a service that trusts every caller, and to one that does not.
//!
//! Run it with `cargo run --example trust`.

use std::collections::HashMap;

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::{ROLE, TENANT_ID},
    fields_once_per_line,
    propagation::{self, Trust},
};
use tracing::info;
use tracing_subscriber::prelude::*;

fn main() {
    let text = tracing_subscriber::fmt::layer().without_time().with_target(false).with_ansi(false);
    // The warnings about dropped values are left out.
    let filter = tracing_subscriber::filter::filter_fn(|metadata| metadata.target() == "trust");
    tracing_subscriber::registry()
        .with(fields_once_per_line(text.with_filter(filter)))
        .with_context_fields(Schema::well_known())
        .init();

    // From the internet: a caller who claims another tenant.
    let attack = HashMap::from([
        ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ("baggage".to_owned(), "tenant_id=victim,role=admin,locale=x%0alevel%3Derror".to_owned()),
    ]);

    // Wrong: this service is reachable from the internet, and trusts its callers.
    propagation::extract(&attack, Trust::internal()).in_scope(|| {
        info!("wrong");
        println!("it shows the orders of {:?}", TENANT_ID.get().as_deref().unwrap_or("nobody"));
    });

    // Right, and the default.
    let extracted = propagation::extract(&attack, Trust::default());
    extracted.in_scope(|| {
        info!("right");
        println!("it shows the orders of {:?}", TENANT_ID.get().as_deref().unwrap_or("nobody"));
        // The authenticated tenant.
        TENANT_ID.in_scope("acme", || info!("logged in"));
    });
    println!("the trace is continued: {}", extracted.is_continued());
    println!("dropped: {}", extracted.dropped()[0]);

    // Not even that: the caller must not decide whether the trace is recorded.
    let linked = propagation::extract(&attack, Trust::external().link_only());
    println!("a new trace: {}, linked to theirs: {}", !linked.is_continued(), linked.remote().is_some());

    // A role is not propagated, and a forged log line is not a locale. That applies to internal callers, too.
    let internal = propagation::extract(&attack, Trust::internal());
    internal.in_scope(|| println!("their role: {:?}", ROLE.get()));
    for dropped in internal.dropped() {
        println!("dropped from an internal caller: {dropped}");
    }
}
