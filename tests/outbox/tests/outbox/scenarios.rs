//! The scenarios that have to hold on each database.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ctx_layer::{
    FutureFieldsExt,
    field::well_known::{TENANT_ID, USER_ID},
    messaging::{
        Cause, SendOptions,
        outbox::{Inbox, Outbox, OutboxDatabase, Relay, StoredMessage},
    },
};
use opentelemetry::trace::SpanKind;
use sqlx::Pool;
use tracing::{Instrument, info, info_span};

use crate::shared::*;

/// A database with an empty outbox and an empty inbox of its own.
pub(crate) struct Tables<DB: OutboxDatabase> {
    pub(crate) pool: Pool<DB>,
    pub(crate) outbox: Outbox<DB>,
    pub(crate) inbox: Inbox<DB>,
}

impl<DB: OutboxDatabase> Tables<DB> {
    /// Creates tables that no other test uses.
    pub(crate) async fn create(pool: Pool<DB>, name: &str) -> Self {
        let outbox = Outbox::<DB>::with_table(&format!("outbox_{name}")).expect("it is a name");
        let inbox = Inbox::<DB>::with_table(&format!("inbox_{name}")).expect("it is a name");
        let mut connection = pool.acquire().await.expect("the database is there");
        outbox.create_table(&mut connection).await.expect("it is created");
        // It may be there.
        outbox.create_table(&mut connection).await.expect("it is there");
        inbox.create_table(&mut connection).await.expect("it is created");
        drop(connection);
        Tables { pool, outbox, inbox }
    }

    fn relay(&self) -> Relay<DB> {
        Relay::new(self.pool.clone(), self.outbox.clone())
    }

    /// Writes a message of a tenant, in a transaction.
    pub(crate) async fn order(&self, tenant: &str, payload: &str, options: &SendOptions) -> String {
        let write = async {
            let mut transaction = self.pool.begin().await.expect("it begins");
            let headers = [("content-type", "text/plain")];
            let written = self.outbox.append_with(&mut transaction, &producer(), payload, headers, options).await;
            let id = written.expect("it is written");
            transaction.commit().await.expect("it is committed");
            id.into_string()
        };
        write.instrument(info_span!("request")).with_field(&TENANT_ID, tenant).await
    }
}

/// A broker that keeps what it gets.
#[derive(Clone, Default)]
pub(crate) struct Broker(Arc<Mutex<Vec<StoredMessage>>>);

impl Broker {
    pub(crate) fn take(&self, message: StoredMessage) {
        info!(payload = &*String::from_utf8_lossy(message.payload()), "published");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }

    pub(crate) fn all(&self) -> Vec<StoredMessage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn payloads(broker: &Broker) -> Vec<String> {
    broker.all().iter().map(|message| String::from_utf8_lossy(message.payload()).into_owned()).collect()
}

pub(crate) async fn a_row_is_sent_in_the_context_in_which_it_was_written<DB: OutboxDatabase>(tables: &Tables<DB>) {
    let id = tables.order("acme", "anvil", &SendOptions::new()).await;
    let broker = Broker::default();
    let publish = |message: StoredMessage| {
        // Called in the row's context, and polled in it.
        assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
        let broker = broker.clone();
        async move {
            tokio::task::yield_now().await;
            assert_eq!((TENANT_ID.get().as_deref(), USER_ID.get()), (Some("acme"), None));
            broker.take(message);
            Ok::<_, Infallible>(())
        }
    };
    let relay = tables.relay();
    let relayed = relay.publish_pending(publish).instrument(info_span!("relay")).with_field(&TENANT_ID, "the relay's");
    let summary = relayed.with_field(&USER_ID, "the relay's").await.expect("the database is there");
    assert_eq!((summary.published, summary.failed), (1, 0));
    let sent = broker.all();
    let headers: HashMap<_, _> = sent[0].headers().collect();
    assert_eq!((sent[0].message_id(), headers["message_id"]), (id.as_str(), id.as_str()));
    assert_eq!((headers["content-type"], headers["baggage"]), ("text/plain", "tenant_id=acme"));
    assert_eq!((sent[0].system(), sent[0].destination(), sent[0].payload()), ("rabbitmq", "orders", &b"anvil"[..]));
    let mut of_broker = HashMap::new();
    sent[0].write_headers(&mut of_broker);
    consumer().process(&of_broker).in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
    // It is sent once.
    let again = relay.publish_pending(|_| async { Ok::<_, Infallible>(()) }).await.expect("the database is there");
    assert_eq!(again.published, 0);
}

/// Checks the spans of the scenario before.
pub(crate) fn spans_of_a_row_are_in_the_trace_of_its_request(stack: &Stack) {
    let (request, create, send) = (stack.span("request"), stack.span("create orders"), stack.span("send orders"));
    let (relay, process) = (stack.span("relay"), stack.span("process orders"));
    assert!(is_child_of(&create, &request) && create.span_kind == SpanKind::Producer);
    assert!(is_child_of(&send, &create) && send.span_kind == SpanKind::Client);
    assert!(is_linked_to(&send, &create));
    assert!(is_child_of(&process, &create));
    assert_ne!(send.span_context.trace_id(), relay.span_context.trace_id());
    let line = stack.lines().into_iter().find(|line| line["fields"]["message"] == "published").expect("it is logged");
    assert_eq!(line["fields"]["tenant_id"], "acme");
}

pub(crate) async fn a_row_of_a_transaction_that_is_rolled_back_is_not_sent<DB: OutboxDatabase>(tables: &Tables<DB>) {
    let mut transaction = tables.pool.begin().await.expect("it begins");
    tables.outbox.append(&mut transaction, &producer(), "never").await.expect("it is written");
    transaction.rollback().await.expect("it is rolled back");
    tables.order("acme", "sent", &SendOptions::new()).await;
    let broker = Broker::default();
    let publish = |message| {
        broker.take(message);
        async { Ok::<_, Infallible>(()) }
    };
    tables.relay().publish_pending(publish).await.expect("the database is there");
    assert_eq!(payloads(&broker), ["sent"]);
}

/// A relay that stops between the send and the mark.
pub(crate) async fn a_row_that_was_not_marked_is_sent_again_unchanged<DB: OutboxDatabase>(tables: &Tables<DB>) {
    tables.order("acme", "anvil", &SendOptions::new()).await;
    let broker = Broker::default();
    let stops = |message: StoredMessage| {
        broker.take(message);
        std::future::pending::<Result<(), Infallible>>()
    };
    let stopping = tables.relay().lease(Duration::from_millis(200));
    let stopped = tokio::time::timeout(Duration::from_millis(100), stopping.publish_pending(stops)).await;
    assert!(stopped.is_err());
    let publish = |message| {
        broker.take(message);
        async { Ok::<_, Infallible>(()) }
    };
    // The lease of the other is not over.
    let early = tables.relay().publish_pending(publish).await.expect("the database is there");
    assert_eq!(early.published, 0);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let in_time = tables.relay().publish_pending(publish).with_field(&TENANT_ID, "the relay's").await;
    assert_eq!(in_time.expect("the database is there").published, 1);
    let sent = broker.all();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].headers().collect::<Vec<_>>(), sent[1].headers().collect::<Vec<_>>());
    assert_eq!((sent[0].message_id(), sent[0].payload()), (sent[1].message_id(), sent[1].payload()));
    // The consumer handles it once.
    let mut handled = 0;
    for message in sent {
        let mut transaction = tables.pool.begin().await.expect("it begins");
        let is_first = tables.inbox.is_first(&mut transaction, "billing", message.message_id()).await;
        handled += u32::from(is_first.expect("the database is there"));
        transaction.commit().await.expect("it is committed");
    }
    assert_eq!(handled, 1);
}

pub(crate) async fn rows_of_a_relay_that_gave_up_are_released<DB: OutboxDatabase>(tables: &Tables<DB>) {
    tables.order("acme", "anvil", &SendOptions::new()).await;
    let relay = tables.relay();
    let never = |_: StoredMessage| std::future::pending::<Result<(), Infallible>>();
    assert!(tokio::time::timeout(Duration::from_millis(100), relay.publish_pending(never)).await.is_err());
    relay.release().await.expect("the database is there");
    let published = tables.relay().publish_pending(|_| async { Ok::<_, Infallible>(()) }).await;
    assert_eq!(published.expect("the database is there").published, 1);
}

pub(crate) async fn a_send_that_fails_waits_and_is_given_up<DB: OutboxDatabase>(tables: &Tables<DB>) {
    for payload in ["first", "bad", "last"] {
        tables.order("acme", payload, &SendOptions::new()).await;
    }
    let broker = Broker::default();
    let publish = |message: StoredMessage| {
        let is_bad = message.payload() == b"bad";
        if !is_bad {
            broker.take(message);
        }
        async move { if is_bad { Err(io::Error::other("the broker refuses it")) } else { Ok(()) } }
    };
    let relay = tables.relay().retry_after(Duration::from_millis(50)).max_attempts(2);
    let mut failed = 0;
    for _ in 0..4 {
        failed += relay.publish_pending(publish).await.expect("the database is there").failed;
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    assert_eq!((payloads(&broker), failed), (vec!["first".to_owned(), "last".to_owned()], 2));
}

pub(crate) async fn a_delayed_message_is_linked_and_keeps_its_fields<DB: OutboxDatabase>(tables: &Tables<DB>) {
    tables.order("acme", "reminder", &SendOptions::new().cause(Cause::Delayed)).await;
    let broker = Broker::default();
    let publish = |message| {
        broker.take(message);
        async { Ok::<_, Infallible>(()) }
    };
    tables.relay().publish_pending(publish).await.expect("the database is there");
    let message = broker.all().remove(0);
    let processing = consumer().process(&message);
    assert_eq!(processing.cause(), Cause::Delayed);
    processing.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
}

pub(crate) fn spans_of_a_delayed_message_are_linked(stack: &Stack) {
    let create = stack.span("create orders");
    for span in [stack.span("send orders"), stack.span("process orders")] {
        assert!(is_linked_to(&span, &create));
        assert_ne!(span.span_context.trace_id(), create.span_context.trace_id());
    }
}

/// Several relays at once, and many tenants.
pub(crate) async fn relays_that_run_at_once_send_each_row_once<DB: OutboxDatabase>(tables: &Tables<DB>) {
    let mut written = Vec::new();
    for order in 0..120 {
        written.push(
            tables
                .order(&format!("tenant-{}", order % 10), &format!("tenant-{}", order % 10), &SendOptions::new())
                .await,
        );
    }
    let broker = Broker::default();
    let publish = |message: StoredMessage| {
        let broker = broker.clone();
        async move {
            let tenant = TENANT_ID.get();
            tokio::task::yield_now().await;
            assert_eq!(tenant.as_deref().map(str::as_bytes), Some(message.payload()));
            broker.take(message);
            Ok::<_, Infallible>(())
        }
    };
    let (one, two, three) = (tables.relay().batch(7), tables.relay().batch(11), tables.relay().batch(0));
    let (one, two, three) =
        tokio::join!(one.publish_pending(publish), two.publish_pending(publish), three.publish_pending(publish));
    let published: u64 = [one, two, three].into_iter().map(|sent| sent.expect("the database is there").published).sum();
    assert_eq!(published, 120);
    let mut sent: Vec<_> = broker.all().iter().map(|message| message.message_id().to_owned()).collect();
    sent.sort_unstable();
    written.sort_unstable();
    assert_eq!(sent, written);
}

pub(crate) async fn rows_are_sent_in_the_order_in_which_they_were_written<DB: OutboxDatabase>(tables: &Tables<DB>) {
    let written: Vec<String> = (0..25).map(|order| format!("order-{order}")).collect();
    for order in &written {
        tables.order("acme", order, &SendOptions::new()).await;
    }
    let broker = Broker::default();
    let publish = |message| {
        broker.take(message);
        async { Ok::<_, Infallible>(()) }
    };
    tables.relay().batch(4).publish_pending(publish).await.expect("the database is there");
    assert_eq!(payloads(&broker), written);
}

pub(crate) async fn an_id_is_stored_once<DB: OutboxDatabase>(tables: &Tables<DB>) {
    let options = SendOptions::new().message_id("order-7");
    assert_eq!(tables.order("acme", "anvil", &options).await, "order-7");
    let mut connection = tables.pool.acquire().await.expect("the database is there");
    let again = tables.outbox.append_with(&mut connection, &producer(), "anvil", [], &options).await;
    let error = again.expect_err("it is unique");
    assert!(error.as_database_error().is_some_and(|error| error.is_unique_violation()), "{error}");
}

pub(crate) async fn published_rows_can_be_purged<DB: OutboxDatabase>(tables: &Tables<DB>) {
    tables.order("acme", "sent", &SendOptions::new()).await;
    tables.relay().publish_pending(|_| async { Ok::<_, Infallible>(()) }).await.expect("the database is there");
    let id = tables.order("acme", "waits", &SendOptions::new()).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let mut connection = tables.pool.acquire().await.expect("the database is there");
    tables.outbox.purge(&mut connection, Duration::from_secs(3600)).await.expect("the database is there");
    tables.outbox.purge(&mut connection, Duration::ZERO).await.expect("the database is there");
    assert!(tables.inbox.is_first(&mut connection, "a", &id).await.expect("the database is there"));
    assert!(!tables.inbox.is_first(&mut connection, "a", &id).await.expect("the database is there"));
    assert!(tables.inbox.is_first(&mut connection, "b", &id).await.expect("the database is there"));
    tokio::time::sleep(Duration::from_millis(5)).await;
    tables.inbox.purge(&mut connection, Duration::ZERO).await.expect("the database is there");
    assert!(tables.inbox.is_first(&mut connection, "a", &id).await.expect("the database is there"));
    drop(connection);
    // A row that waits is not purged.
    let broker = Broker::default();
    let publish = |message| {
        broker.take(message);
        async { Ok::<_, Infallible>(()) }
    };
    tables.relay().publish_pending(publish).await.expect("the database is there");
    assert_eq!(payloads(&broker), ["waits"]);
}
