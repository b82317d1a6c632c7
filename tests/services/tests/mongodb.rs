//! A MongoDB collection as a queue: `bash tests/services/run mongodb`. `secantusdb` runs in place of mongod.

use std::time::Duration;

use bson::{Bson, DateTime, Document, doc};
use ctx_layer::{
    FutureFieldsExt,
    database::{self, Call},
    field::well_known::TENANT_ID,
    messaging::{Delivery, ReceiveOptions, Settlement},
    propagation::{self, Captured, Carrier, Trust},
};
use ctx_service_tests::{
    Result,
    broker::{Body, Broker, dead_letters_of},
    messages::ack,
    scenarios, server,
};
use mongodb::{Client, Collection};

struct MongoDb {
    queue: String,
    jobs: Collection<Document>,
}

impl Broker for MongoDb {
    const SYSTEM: &'static str = "mongodb";
    const SERVER: &'static str = "mongodb";
    const MOVES_DEAD_LETTERS: bool = true;
    // The server of the tests, which is in Python, takes minutes for ten thousand.
    const MESSAGES: u32 = 1_000;
    type Headers = Document;
    type Delivery = Job;

    async fn connect(queue: &str) -> Result<Self> {
        let url = format!("mongodb://127.0.0.1:{}/?directConnection=true", server::port(27017));
        let jobs = Client::with_uri_str(url).await?.database("ctx").collection("jobs");
        Ok(MongoDb { queue: queue.to_owned(), jobs })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn send(&self, headers: Document, body: &str) -> Result {
        let job = doc! { "queue": &self.queue, "body": body, "context": headers, "attempts": 0, "taken": DateTime::from_millis(0) };
        self.jobs.insert_one(job).await?;
        Ok(())
    }

    async fn receive(&self) -> Result<Job> {
        loop {
            let now = DateTime::now();
            let free = DateTime::from_millis(now.timestamp_millis() - 2_000);
            let filter = doc! { "queue": &self.queue, "taken": { "$lt": free } };
            let update = doc! { "$set": { "taken": now }, "$inc": { "attempts": 1 } };
            let found = self.jobs.find_one_and_update(filter, update).await?;
            if let Some(document) = found {
                let context = document.get_document("context").cloned().unwrap_or_default();
                return Ok(Job { document, context, jobs: self.jobs.clone() });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

struct Job {
    document: Document,
    context: Document,
    jobs: Collection<Document>,
}

impl Delivery for Job {
    type Error = mongodb::error::Error;

    fn headers(&self) -> impl Carrier {
        &self.context
    }

    fn options(&self) -> ReceiveOptions {
        // As it was before this attempt.
        let attempts = self.document.get_i32("attempts").ok().and_then(|attempts| u32::try_from(attempts).ok());
        ReceiveOptions::new().delivery(attempts.unwrap_or_default() + 1)
    }

    async fn settle(&self, settlement: Settlement) -> mongodb::error::Result<()> {
        let this = doc! { "_id": self.document.get("_id").cloned().unwrap_or(Bson::Null) };
        match settlement {
            Settlement::Ack => {
                self.jobs.delete_one(this).await?;
            }
            // It is taken again after a while.
            Settlement::Nack | Settlement::Requeue => {}
            Settlement::DeadLetter => {
                let dead = dead_letters_of(self.document.get_str("queue").unwrap_or_default());
                let update = doc! { "$set": { "queue": dead, "attempts": 0, "taken": DateTime::from_millis(0) } };
                drop(self.jobs.update_one(this, update).await?);
            }
        }
        Ok(())
    }
}

impl Body for Job {
    fn body(&self) -> String {
        self.document.get_str("body").unwrap_or_default().to_owned()
    }
}

ctx_service_tests::scenarios! { MongoDb:
    alone: a_message_survives_a_restart_of_the_database_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    redelivery => a_job_of_a_killed_consumer_keeps_its_parent,
    attempts => attempts_are_counted,
    dead_letters => a_dead_letter_keeps_its_context,
    tenants => a_thousand_jobs_of_a_hundred_tenants_are_not_mixed_up,
    without_context => a_job_without_context_gets_none,
    hostile_context => a_hostile_job_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
}

#[tokio::test]
async fn captured_context_in_a_document_is_read_by_the_other_service() -> Result {
    let broker = MongoDb::connect(&scenarios::unique("captured")).await?;
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let captured = propagation::extract(&parent, Trust::external()).in_scope(propagation::capture);
    let context = bson::serialize_to_document(&captured)?;
    broker.send(context.clone(), "paid").await?;
    let job = scenarios::receive(&broker).await?;
    assert_eq!(job.context, context);
    assert_eq!(bson::deserialize_from_document::<Captured>(job.context.clone())?, captured);
    assert!(propagation::extract(&job.headers(), Trust::external()).is_continued());
    ack(job).await
}

#[tokio::test]
async fn a_context_of_another_type_costs_no_document() -> Result {
    let broker = MongoDb::connect(&scenarios::unique("types")).await?;
    for context in [Bson::Null, Bson::Int32(7), Bson::Document(doc! { "traceparent": 7, "baggage": [1] })] {
        let job = doc! { "queue": &broker.queue, "body": "raw", "context": context, "attempts": 0, "taken": DateTime::from_millis(0) };
        broker.jobs.insert_one(job).await?;
        let job = scenarios::receive(&broker).await?;
        let extracted = propagation::extract(&job.headers(), Trust::internal());
        assert!(!extracted.is_continued() && extracted.fields().is_empty());
        ack(job).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_profiler_names_the_tenant() -> Result {
    let url = format!("mongodb://127.0.0.1:{}/?directConnection=true", server::port(27017));
    let database = Client::with_uri_str(url).await?.database(&scenarios::unique("profiled"));
    database.run_command(doc! { "profile": 2 }).await?;
    let find = async {
        let orders = database.collection::<Document>("orders");
        let call = Call::new("mongodb", "find").collection("orders");
        let find = orders.find_one(doc! { "order": 7 });
        match database::comment() {
            Some(comment) => call.run(async { find.comment(comment).await }).await,
            None => call.run(async { find.await }).await,
        }
    };
    find.with_field(&TENANT_ID, "acme").await?;
    let profile = database.collection::<Document>("system.profile");
    let entry = profile.find_one(doc! { "op": "query" }).await?.ok_or("the query is profiled")?;
    assert_eq!(entry.get_document("command")?.get_str("comment")?, "tenant_id=acme");
    Ok(())
}
