//! A MongoDB collection as a queue: a document with `context` inside, which another service polls.
//!
//! `cargo run -p ctx-service-tests --features mongodb --example mongodb`

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination},
    prelude::*,
    propagation::{self, Captured, Trust},
};
use ctx_service_tests::{Result, example};
use mongodb::{
    Client, Collection,
    bson::{Document, doc, serialize_to_bson},
};
use tracing::{Instrument, info, info_span};

/// The first service writes a job. Its context is that of now, whenever it is read.
async fn order(jobs: &Collection<Document>) -> Result {
    info!("ordered");
    let context = serialize_to_bson(&propagation::capture())?;
    jobs.insert_one(doc! { "order": 7, "context": context }).await?;
    Ok(())
}

/// The second service polls.
async fn ship(jobs: &Collection<Document>, consumer: &Consumer) -> Result {
    while let Some(job) = jobs.find_one_and_delete(doc! {}).await? {
        // A job without context, or with a bad one, is a job.
        let context = job.get_document("context").ok();
        consumer.process(&context).run(async { info!(order = job.get_i32("order").ok(), "shipped") }).await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result {
    example::init();
    let server = example::server(27118, "bash tests/services/servers/mongodb.sh start target/services");
    let client = Client::with_uri_str(format!("mongodb://{server}/?directConnection=true")).await?;
    let jobs = client.database("ctx").collection::<Document>("jobs");
    order(&jobs).instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;
    ship(&jobs, &Consumer::new(Destination::new("mongodb", "jobs")).trust(Trust::internal())).await?;
    // The context as the document has it: `{"traceparent": "00-...", "baggage": "tenant_id=acme"}`.
    assert_eq!(propagation::capture(), Captured::new());
    Ok(())
}
