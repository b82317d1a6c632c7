//! Scenarios that each technology must pass, with producer and consumer in processes of their own.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ctx_layer::{
    FutureFieldsExt,
    field::well_known::TENANT_ID,
    messaging::{Delivery, Message, Settlement, Worker},
    propagation::{self, Carrier, CarrierMut, Trust},
};
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::timeout};
use tracing::{Instrument, info, info_span};

use crate::{
    Result,
    broker::{Body, Broker, dead_letters_of},
    fields::{self, TENANT},
    messages::{SpanIds, ack, consumer, handle, send},
    peer::{self, Language},
    printed::Printed,
    server, telemetry,
    worker::{self, Mode, Process},
};

/// The longest time that a message takes, which is that of a consumer group that forms again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Defines the tests of a technology, and the process of its workers.
#[macro_export]
macro_rules! scenarios {
    ($broker:ty: alone: $restart:ident, $($scenario:ident => $name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() -> $crate::Result {
                $crate::scenarios::$scenario::<$broker>().await
            }
        )*

        /// Ends the connections of the other tests, so it runs alone.
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        #[ignore = "restarts the server of the other tests"]
        async fn $restart() -> $crate::Result {
            $crate::scenarios::restart::<$broker>().await
        }

        /// The consumer in a process of its own, which the tests start.
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        #[ignore = "a process of the other tests"]
        async fn worker() -> $crate::Result {
            $crate::scenarios::work::<$broker>().await
        }
    };
}

/// Returns the name of a queue that no other test uses.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("ctx_{name}_{now}_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Receives a message.
///
/// # Errors
///
/// If there is none within a minute.
pub async fn receive<B: Broker>(broker: &B) -> Result<B::Delivery> {
    timeout(PATIENCE, broker.receive()).await.map_err(|_| "no message within a minute")?
}

/// Sends a message within a request with a field of every type. Returns the trace and the id of the producer's span.
async fn send_in_request<B: Broker>(broker: &B, body: &str) -> Result<SpanIds> {
    let request = async { send(broker, B::Headers::default(), body).instrument(info_span!("request")).await };
    fields::with_all(request).await
}

/// Returns the messages of a queue, without end.
fn messages<B: Broker>(broker: Arc<B>) -> impl Stream<Item = Result<B::Delivery>> + Send {
    stream::try_unfold(broker, |broker| async {
        let delivery = broker.receive().await?;
        Ok(Some((delivery, broker)))
    })
}

/// Handles messages as a process of its own, which prints a line and a span for each.
pub async fn work<B: Broker>() -> Result {
    let Some((queue, mode, messages_in_all)) = worker::assignment() else {
        return Err("only other tests start a worker".into());
    };
    telemetry::install();
    let broker = Arc::new(B::connect(&queue).await?);
    let handled = Arc::new(Semaphore::new(0));
    let enough = handled.clone();
    let handler = move |message: Message<B::Delivery>| {
        let handled = handled.clone();
        async move {
            info!(attempt = message.attempt(), body = message.body(), cause = message.cause().as_str(), "handled");
            handled.add_permits(1);
            match mode {
                Mode::Handle => Settlement::Ack,
                Mode::Reject => Settlement::DeadLetter,
                Mode::Hang => std::future::pending().await,
            }
        }
    };
    let permits = u32::try_from(messages_in_all)?;
    let shutdown = async move {
        let _ = timeout(PATIENCE, enough.acquire_many(permits)).await;
    };
    let summary = Worker::new(consumer::<B>(&queue, Trust::internal()), handler)
        .shutdown(shutdown)
        .run(messages(broker.clone()))
        .await?;
    broker.close().await?;
    match mode {
        Mode::Handle => assert_eq!(summary.acked, u64::from(permits), "{summary:?}"),
        _ => assert_eq!(summary.dead_lettered, u64::from(permits), "{summary:?}"),
    }
    Ok(())
}

/// Checks the line and the span of a worker that handled a message of [`send_in_request`].
fn check_handled(printed: &Printed, body: &str, (trace, parent): &SpanIds) -> Result {
    let line = printed.line("handled")?;
    assert_eq!(line["body"], body);
    check_fields(line);
    assert_eq!(line["trace_id"], **trace);
    // A worker that is killed exports no span.
    if let [span] = printed.spans("consumer")[..] {
        assert_eq!((&span["trace"], &span["parent"]), (&json!(trace), &json!(parent)));
        assert_eq!(span["span"], line["span_id"]);
        assert_eq!(span["attributes"]["tenant_id"], TENANT);
    }
    Ok(())
}

/// Checks the fields of [`send_in_request`] and their types.
fn check_fields(line: &Value) {
    assert_eq!(line["tenant_id"], TENANT);
    assert_eq!((&line["shard"], &line["ratio"], &line["beta"]), (&json!(7), &json!(0.25), &json!(true)));
}

/// A consumer in another process has the producer's trace, its span as parent, and all fields with their types.
pub async fn end_to_end<B: Broker>() -> Result {
    telemetry::install();
    let queue = unique("end_to_end");
    let broker = B::connect(&queue).await?;
    let sent = send_in_request(&broker, "paid").await?;
    let printed = Process::start(&queue, Mode::Handle, 1)?.finish()?;
    check_handled(&printed, "paid", &sent)?;
    printed.span("consumer")?;
    let producer = telemetry::span(&sent.1).ok_or("the producer's span is exported")?;
    assert_eq!(producer["kind"], "producer");
    assert_eq!(producer["attributes"]["tenant_id"], TENANT);
    Ok(())
}

/// A consumer that is killed leaves the message, and the next one continues the same trace with the same parent.
pub async fn redelivery<B: Broker>() -> Result {
    telemetry::install();
    let queue = unique("redelivery");
    let broker = B::connect(&queue).await?;
    let sent = send_in_request(&broker, "paid").await?;
    let killed = Process::start(&queue, Mode::Hang, 1)?.kill_at("handled")?;
    check_handled(&killed, "paid", &sent)?;
    assert_eq!(killed.line("handled")?["attempt"], 1);
    let printed = Process::start(&queue, Mode::Handle, 1)?.finish()?;
    check_handled(&printed, "paid", &sent)?;
    printed.span("consumer")?;
    Ok(())
}

/// The attempts are counted by the server.
pub async fn attempts<B: Broker>() -> Result {
    telemetry::install();
    let queue = unique("attempts");
    let broker = B::connect(&queue).await?;
    send_in_request(&broker, "paid").await?;
    Process::start(&queue, Mode::Hang, 1)?.kill_at("handled")?;
    let printed = Process::start(&queue, Mode::Handle, 1)?.finish()?;
    assert_eq!(printed.line("handled")?["attempt"], 2);
    Ok(())
}

/// A dead letter has the first sender's fields. Its span is a child of the sender's, or linked where the consumer sent it again.
pub async fn dead_letters<B: Broker>() -> Result {
    telemetry::install();
    let queue = unique("dead_letters");
    let broker = B::connect(&queue).await?;
    let sent = send_in_request(&broker, "paid").await?;
    check_handled(&Process::start(&queue, Mode::Reject, 1)?.finish()?, "paid", &sent)?;
    let printed = Process::start(&dead_letters_of(&queue), Mode::Handle, 1)?.finish()?;
    if B::MOVES_DEAD_LETTERS {
        return check_handled(&printed, "paid", &sent);
    }
    let (line, span) = (printed.line("handled")?, printed.span("consumer")?);
    check_fields(line);
    assert_eq!(line["cause"], "dead_letter");
    assert_eq!((&span["parent"], &span["links"]), (&Value::Null, &json!([{"trace": sent.0, "span": sent.1}])));
    Ok(())
}

/// Ten thousand messages, or as many as the broker's type says, of a hundred tenants are handled by eight workers, each in its tenant's context.
pub async fn tenants<B: Broker>() -> Result {
    let all = usize::try_from(B::MESSAGES)?;
    const TENANTS: usize = 100;
    const WORKERS: usize = 8;
    telemetry::install();
    let queue = unique("tenants");
    let broker = Arc::new(B::connect(&queue).await?);
    let handled = Arc::new(Semaphore::new(0));
    let enough = handled.clone();
    let handler = move |message: Message<B::Delivery>| {
        let handled = handled.clone();
        async move {
            let expected = message.body();
            tokio::task::yield_now().await;
            assert_eq!(TENANT_ID.get().as_deref(), Some(expected.as_str()));
            info!(expected, "of a tenant");
            handled.add_permits(1);
        }
    };
    let worker = Worker::new(consumer::<B>(&queue, Trust::internal()), handler).concurrency(WORKERS);
    let worker = worker.shutdown(async move { drop(timeout(PATIENCE * 10, enough.acquire_many(B::MESSAGES)).await) });
    let worker = tokio::spawn(worker.run(messages(broker.clone())));
    let mut senders = tokio::task::JoinSet::<Result>::new();
    for sender in 0..WORKERS {
        let broker = broker.clone();
        senders.spawn(async move {
            for message in (sender..all).step_by(WORKERS) {
                let tenant = format!("tenant-{}", message % TENANTS);
                send(&*broker, B::Headers::default(), &tenant).with_field(&TENANT_ID, tenant.clone()).await?;
            }
            Ok(())
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    let summary = worker.await??;
    assert_eq!((summary.panicked, summary.nacked), (0, 0), "{summary:?}");
    let lines = telemetry::lines("of a tenant");
    // A broker may deliver a message twice.
    assert!(lines.len() >= all, "{}", lines.len());
    let mut counts = HashMap::<String, usize>::new();
    for line in lines {
        assert_eq!(line["tenant_id"], line["expected"]);
        *counts.entry(line["expected"].to_string()).or_default() += 1;
    }
    assert_eq!(counts.len(), TENANTS);
    Ok(())
}

/// Sends headers as they are.
async fn sent_as_they_are<B: Broker>(broker: &B, headers: &[(&str, &str)]) -> Result<B::Delivery> {
    let mut carrier = B::Headers::default();
    headers.iter().for_each(|(key, value)| carrier.set(key, value));
    broker.send(carrier, "raw").await?;
    receive(broker).await
}

/// Returns what a handler of a delivery sees: the fields, and whether the trace is that of the sender.
async fn seen<B: Broker>(delivery: &B::Delivery, trust: Trust) -> (Option<String>, Option<u64>, bool) {
    let is_continued = propagation::extract(&delivery.headers(), trust).is_continued();
    let (mut tenant, mut shard) = (None, None);
    let look = async { (tenant, shard) = (TENANT_ID.get().map(|text| text.to_string()), fields::SHARD.get()) };
    handle::<B, _>(delivery, trust, look).await;
    (tenant, shard, is_continued)
}

/// A message without context has none, also after one that has.
pub async fn without_context<B: Broker>() -> Result {
    telemetry::install();
    let broker = B::connect(&unique("without_context")).await?;
    send_in_request(&broker, "with").await?;
    let with = receive(&broker).await?;
    assert_eq!(seen::<B>(&with, Trust::internal()).await, (Some(TENANT.to_owned()), Some(7), true));
    ack(with).await?;
    let without = sent_as_they_are(&broker, &[]).await?;
    assert_eq!(seen::<B>(&without, Trust::internal()).await, (None, None, false));
    ack(without).await
}

/// A hostile sender sets nothing where it is not trusted, and no bad value where it is.
pub async fn hostile_context<B: Broker>() -> Result {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    telemetry::install();
    let broker = B::connect(&unique("hostile_context")).await?;
    let victim =
        sent_as_they_are(&broker, &[("traceparent", PARENT), ("baggage", "tenant_id=victim,x-shard=7")]).await?;
    assert_eq!(seen::<B>(&victim, Trust::external()).await, (None, None, true));
    assert_eq!(seen::<B>(&victim, Trust::external().link_only()).await, (None, None, false));
    ack(victim).await?;

    let long = format!("tenant_id={}", "x".repeat(5_000));
    let cases = [
        (
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "tenant_id=a%0Ab,x-shard=7",
            (None, Some(7), false),
        ),
        ("garbage", "x-shard=seven,tenant_id=acme", (Some("acme"), None, false)),
        ("", ",,;=,%", (None, None, false)),
        (PARENT, long.as_str(), (None, None, true)),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "x-shard=-1", (None, None, true)),
    ];
    for (parent, baggage, (tenant, shard, is_continued)) in cases {
        let delivery = sent_as_they_are(&broker, &[("traceparent", parent), ("baggage", baggage)]).await?;
        let expected = (tenant.map(str::to_owned), shard, is_continued);
        assert_eq!(seen::<B>(&delivery, Trust::internal()).await, expected, "{parent} {baggage}");
        ack(delivery).await?;
    }
    Ok(())
}

/// Baggage of 64 members and 8192 bytes, the longest that is passed on, arrives whole.
pub async fn longest_baggage<B: Broker>() -> Result {
    telemetry::install();
    let broker = B::connect(&unique("longest_baggage")).await?;
    let mut baggage = (1..=63).map(|n| format!("key{n:02}={}", "x".repeat(120))).collect::<Vec<_>>().join(",");
    baggage += ",tenant_id=acme,end=";
    baggage = baggage.split_once(',').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    baggage.extend(std::iter::repeat_n('y', 8192 - baggage.len()));
    let delivery = sent_as_they_are(&broker, &[("baggage", &baggage)]).await?;
    let mut found = Vec::new();
    delivery.headers().lines("baggage", &mut |line| found.push(line.to_vec()));
    assert_eq!(found, [baggage.as_bytes()]);
    assert_eq!(seen::<B>(&delivery, Trust::internal()).await.0.as_deref(), Some("acme"));
    ack(delivery).await
}

/// A message that was sent before a broker crashed is handled after its restart, in its context.
pub async fn restart<B: Broker>() -> Result {
    telemetry::install();
    let queue = unique("restart");
    let broker = B::connect(&queue).await?;
    let sent = send_in_request(&broker, "paid").await?;
    // Some servers save once a second.
    tokio::time::sleep(Duration::from_secs(3)).await;
    server::restart(B::SERVER)?;
    drop(broker);
    let printed = Process::start(&queue, Mode::Handle, 1)?.finish()?;
    check_handled(&printed, "paid", &sent)
}

/// A consumer in Python continues our trace and has our fields as baggage.
pub async fn to_python<B: Broker>() -> Result {
    to_peer::<B>(Language::Python).await
}

/// A consumer in Node continues our trace and has our fields as baggage.
pub async fn to_node<B: Broker>() -> Result {
    to_peer::<B>(Language::Node).await
}

/// We continue the trace of a producer in Python, and have its baggage as fields.
pub async fn from_python<B: Broker>() -> Result {
    from_peer::<B>(Language::Python).await
}

/// We continue the trace of a producer in Node, and have its baggage as fields.
pub async fn from_node<B: Broker>() -> Result {
    from_peer::<B>(Language::Node).await
}

async fn to_peer<B: Broker>(language: Language) -> Result {
    telemetry::install();
    let queue = unique("to_peer");
    let broker = B::connect(&queue).await?;
    let (trace, parent) = send_in_request(&broker, "paid").await?;
    let printed = run(language, B::SERVER, "consume", queue).await?;
    let seen = printed.line("consumed")?;
    assert_eq!(seen["body"], "paid");
    let baggage = json!({"tenant_id": TENANT, "x-shard": "7", "ratio": "0.25", "beta": "true"});
    assert_eq!(seen["baggage"], baggage);
    assert_eq!(seen["trace"], trace);
    // The instrumentation's span, if it creates one, else what the program extracts itself.
    assert_eq!(seen["parent"], parent, "{seen}");
    Ok(())
}

async fn from_peer<B: Broker>(language: Language) -> Result {
    telemetry::install();
    let queue = unique("from_peer");
    let broker = B::connect(&queue).await?;
    let printed = run(language, B::SERVER, "produce", queue.clone()).await?;
    let sent = printed.line("produced")?;
    let delivery = receive(&broker).await?;
    assert_eq!(delivery.body(), "paid");
    assert_eq!(seen::<B>(&delivery, Trust::internal()).await, (Some("zürich".to_owned()), Some(7), true));
    let extracted = propagation::extract(&delivery.headers(), Trust::internal());
    let parent = extracted.remote().ok_or("the trace is continued")?;
    assert_eq!(Value::from(parent.trace_id().to_string()), sent["trace"]);
    assert_eq!(Value::from(parent.span_id().to_string()), sent["span"]);
    ack(delivery).await
}

async fn run(language: Language, name: &'static str, way: &'static str, queue: String) -> Result<Printed> {
    let port = server::port(0).to_string();
    tokio::task::spawn_blocking(move || peer::run(language, name, &[way, &port, &queue])).await?
}
