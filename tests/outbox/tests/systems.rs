//! A system with an outbox that `ctx-check` judges: orders are written with their messages, a relay sends them, a mailer receives
//! them. Whole, it is healthy; a relay that passes on no headers is found.

use std::{convert::Infallible, fs, path::PathBuf};

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{
        Consumer, Destination, Producer,
        outbox::{Outbox, Relay, StoredMessage},
    },
    prelude::*,
    propagation::Trust,
};
use sqlx::{Sqlite, SqlitePool, query, sqlite::SqlitePoolOptions};
use tokio::sync::mpsc::unbounded_channel;

use system::{System, edges, found};

#[path = "../../tests/systems/system.rs"]
mod system;

/// The part that is taken out of the system.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Removed {
    Nothing,
    /// The relay sends the body of a message, and not its headers.
    Headers,
}

fn destination() -> Destination {
    Destination::new("rabbitmq", "orders")
}

async fn open(file: PathBuf) -> SqlitePool {
    let url = format!("sqlite://{}?mode=rwc", file.display());
    SqlitePoolOptions::new().max_connections(1).connect(&url).await.expect("it can be opened")
}

#[with_observability(kind = server, context = { tenant: TENANT_ID }, skip(pool))]
async fn order(pool: &SqlitePool, tenant: &str) {
    let mut transaction = pool.begin().await.expect("it begins");
    query("INSERT INTO orders (item) VALUES ('an anvil')").execute(&mut *transaction).await.expect("it is written");
    let producer = Producer::new(destination());
    Outbox::<Sqlite>::new().append(&mut transaction, &producer, "an anvil").await.expect("it is written");
    transaction.commit().await.expect("it is committed");
}

fn run(removed: Removed) -> ctx_check::Report {
    let mut system = System::new(&["http/protobuf"]);
    let file = std::env::temp_dir().join(format!("ctx-outbox-{}-{removed:?}.sqlite", std::process::id()));
    let _ = fs::remove_file(&file);
    let database = file.clone();
    system.start("orders", move || async move {
        let pool = open(database).await;
        query("CREATE TABLE orders (item TEXT)").execute(&pool).await.expect("it is created");
        let mut connection = pool.acquire().await.expect("it is open");
        Outbox::<Sqlite>::new().create_table(&mut *connection).await.expect("it is created");
        drop(connection);
        for tenant in ["acme", "globex"] {
            order(&pool, tenant).await;
        }
        pool.close().await;
    });
    let (broker, mut queue) = unbounded_channel::<StoredMessage>();
    let database = file.clone();
    let published = system.start("relay", move || async move {
        let publish = |message| {
            let _ = broker.send(message);
            async { Ok::<_, Infallible>(()) }
        };
        let pool = open(database).await;
        let relay = Relay::<Sqlite>::new(pool.clone(), Outbox::new());
        let summary = relay.publish_pending(publish).await.expect("it is sent");
        pool.close().await;
        summary.published
    });
    assert_eq!(published, 2);
    system.start("mailer", move || async move {
        let consumer = Consumer::new(destination()).trust(Trust::internal());
        while let Some(message) = queue.recv().await {
            let work = || tracing::info!("sending a mail");
            match removed {
                Removed::Nothing => consumer.process(&message).in_scope(work),
                Removed::Headers => {
                    let no_headers = std::collections::HashMap::<String, String>::new();
                    consumer.process(&no_headers).in_scope(work);
                }
            }
        }
    });
    let report = system.judge("require = [\"tenant_id\"]");
    let _ = fs::remove_file(&file);
    report
}

#[test]
fn an_outbox_that_keeps_the_context_of_its_rows_is_healthy() {
    let report = run(Removed::Nothing);
    assert_eq!(found(&report), [""; 0]);
    assert!(edges(&report).contains(&"orders -> mailer: connected".to_owned()), "{:?}", edges(&report));
}

#[test]
fn a_relay_that_passes_on_no_headers_is_that_edge() {
    let report = run(Removed::Headers);
    assert_eq!(found(&report), ["ctx/broken-edge | orders -> mailer | no_propagator"]);
}
