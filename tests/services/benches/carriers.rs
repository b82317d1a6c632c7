//! The cost of the context: inject and extract on each carrier, and the throughput of loops with and without it.
//!
//! `cargo bench -p ctx-service-tests --features carriers --bench carriers`, or with the features `amqp`, `kafka`, `nats` or `redis` alone.
//! The loops run against the servers that listen on the usual ports. Compare figures within one run only.
//!
//! Allocations of inject and extract with five fields, without optimization: `rdkafka` 9 (those of librdkafka are not counted), `Captured`
//! and `Envelope` 11, lists, maps and AMQP 14, BSON 15, NATS 16, Kubernetes 27.

use std::{
    collections::{BTreeMap, HashMap},
    hint::black_box,
    net::TcpStream,
    time::{Duration, Instant},
};

use ctx_counting_allocator::{Counting, allocations};
use ctx_layer::{
    Fields, Schema,
    field::well_known::TENANT_ID,
    propagation::{self, Captured, Carrier, CarrierMut, Outbound, Trust, carriers::Envelope},
};
use ctx_service_tests::{Result, fields};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

ctx_layer::context_fields! {
    /// The user.
    static USER: String = "bench_user" => propagated;
    /// The session.
    static SESSION: String = "bench_session" => propagated;
}

/// Returns a context with a parent and five fields.
fn context() -> opentelemetry::Context {
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let fields = Fields::new()
        .with(&TENANT_ID, "acme")
        .with(&USER, "ada")
        .with(&SESSION, "s-1042")
        .with(&fields::SHARD, 7_u64)
        .with(&fields::BETA, true);
    propagation::extract(&parent, Trust::internal()).in_scope(|| fields.in_scope(opentelemetry::Context::current))
}

/// Prints what inject and extract on a new carrier cost together.
fn measure<C: Carrier + CarrierMut>(name: &str, cx: &opentelemetry::Context, create: impl Fn() -> C) {
    // Fewer are enough to count allocations.
    let times = std::env::var("CTX_BENCH_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(50_000_u32).max(1);
    let once = || {
        let mut carrier = create();
        propagation::inject_context(cx, &mut carrier, Outbound::Everything);
        drop(black_box(propagation::extract(&carrier, Trust::internal())));
    };
    let mut carrier = create();
    propagation::inject_context(cx, &mut carrier, Outbound::Everything);
    assert_eq!(propagation::extract(&carrier, Trust::internal()).fields().len(), 5, "{name}");
    (0..1_000).for_each(|_| once());
    let before = allocations();
    once();
    let allocated = allocations() - before;
    // The fastest of several rounds is that with the least of other work.
    let round = || {
        let start = Instant::now();
        (0..times).for_each(|_| once());
        start.elapsed()
    };
    let fastest = (0..7).map(|_| round()).min().unwrap_or_default();
    println!("{name:<40} {:>5} ns  {allocated:>3} allocations", (fastest / times).as_nanos());
}

fn is_there(port: u16) -> bool {
    let is_there = TcpStream::connect(("127.0.0.1", port)).is_ok();
    if !is_there {
        println!("no loop: nothing listens on 127.0.0.1:{port}");
    }
    is_there
}

/// Prints the messages a second of a loop with and without context, in turns.
async fn compare<F: Future<Output = Result>>(name: &str, run: impl Fn(bool) -> F) -> Result {
    const ROUNDS: usize = 9;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for is_with in [round % 2 == 0, round % 2 == 1] {
            let start = Instant::now();
            run(is_with).await?;
            if round > 0 {
                times[usize::from(is_with)].push(start.elapsed());
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    let [bare, with] = times.map(|times| times.get(ROUNDS / 2).copied().unwrap_or(Duration::MAX));
    let rate = |time: Duration| f64::from(MESSAGES) / time.as_secs_f64();
    let change = (rate(with) / rate(bare) - 1.0) * 100.0;
    println!("{name:<40} {:>7.0} messages/s bare, {:>7.0} with context: {change:+.1} %", rate(bare), rate(with));
    Ok(())
}

const MESSAGES: u32 = 5_000;

fn main() -> Result {
    propagation::register(&fields::schema());
    propagation::register(&Schema::builder().field(&USER).field(&SESSION).build()?);
    let cx = context();
    measure("Vec<(String, String)>", &cx, Vec::<(String, String)>::new);
    measure("HashMap<String, String>", &cx, HashMap::<String, String>::new);
    measure("rskafka: BTreeMap<String, Vec<u8>>", &cx, BTreeMap::<String, Vec<u8>>::new);
    measure("SQL, documents: Captured", &cx, Captured::new);
    measure("lists, pub/sub: Envelope", &cx, || Envelope::new("7"));
    #[cfg(feature = "amqp")]
    measure("lapin: FieldTable", &cx, lapin::types::FieldTable::default);
    #[cfg(feature = "nats")]
    measure("async_nats: HeaderMap", &cx, async_nats::HeaderMap::new);
    #[cfg(feature = "kafka")]
    measure("rdkafka: OwnedHeaders", &cx, rdkafka::message::OwnedHeaders::new);
    #[cfg(feature = "bson")]
    measure("bson: Document", &cx, bson::Document::new);
    #[cfg(feature = "carriers")]
    measure("k8s_openapi: Vec<EnvVar>", &cx, Vec::<k8s_openapi::api::core::v1::EnvVar>::new);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(loops(cx))
}

#[allow(unused_variables, reason = "a feature may be off")]
async fn loops(cx: opentelemetry::Context) -> Result {
    #[cfg(feature = "nats")]
    if is_there(4222) {
        nats(&cx).await?;
    }
    #[cfg(feature = "amqp")]
    if is_there(5672) {
        amqp(&cx).await?;
    }
    #[cfg(feature = "kafka")]
    if is_there(19092) {
        kafka(&cx).await?;
    }
    Ok(())
}

#[cfg(feature = "nats")]
async fn nats(cx: &opentelemetry::Context) -> Result {
    use futures_util::StreamExt;

    let client = async_nats::connect("127.0.0.1:4222").await?;
    let messages = tokio::sync::Mutex::new(client.subscribe("ctx.bench").await?);
    client.flush().await?;
    compare("NATS", |is_with| {
        let (client, messages) = (&client, &messages);
        async move {
            let mut messages = messages.lock().await;
            for _ in 0..MESSAGES {
                let mut headers = async_nats::HeaderMap::new();
                // Another client's program has headers, too.
                headers.insert("kind", "order");
                if is_with {
                    propagation::inject_context(cx, &mut headers, Outbound::Everything);
                }
                client.publish_with_headers("ctx.bench", headers, PAYLOAD.into()).await?;
                let message = messages.next().await.ok_or("a message")?;
                if is_with {
                    drop(black_box(propagation::extract(&message.headers, Trust::internal())));
                }
            }
            Ok(())
        }
    })
    .await
}

#[cfg(feature = "amqp")]
async fn amqp(cx: &opentelemetry::Context) -> Result {
    use futures_util::StreamExt;
    use lapin::{BasicProperties, Connection, ConnectionProperties, options::*, types::*};

    let connection =
        Connection::connect("amqp://guest:guest@127.0.0.1:5672/%2f", ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.queue_declare("ctx_bench".into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let messages = channel.basic_consume("ctx_bench".into(), "".into(), options, FieldTable::default()).await?;
    let messages = tokio::sync::Mutex::new(messages);
    compare("AMQP", |is_with| {
        let (channel, messages) = (&channel, &messages);
        async move {
            let mut messages = messages.lock().await;
            for _ in 0..MESSAGES {
                let mut headers = FieldTable::default();
                headers.insert("kind".into(), AMQPValue::LongString("order".into()));
                if is_with {
                    propagation::inject_context(cx, &mut headers, Outbound::Everything);
                }
                let properties = BasicProperties::default().with_headers(headers);
                let options = BasicPublishOptions::default();
                channel.basic_publish("".into(), "ctx_bench".into(), options, PAYLOAD.as_bytes(), properties).await?;
                let message = messages.next().await.ok_or("a message")??;
                if is_with {
                    drop(black_box(propagation::extract(&message.properties.headers().as_ref(), Trust::internal())));
                }
            }
            Ok(())
        }
    })
    .await
}

#[cfg(feature = "kafka")]
async fn kafka(cx: &opentelemetry::Context) -> Result {
    use rdkafka::{
        ClientConfig, Message,
        consumer::{Consumer, StreamConsumer},
        message::{Header, OwnedHeaders},
        producer::{FutureProducer, FutureRecord},
    };

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", "127.0.0.1:19092").set("session.timeout.ms", "6000").set("group.id", "ctx_bench");
    let producer: FutureProducer = config.clone().set("linger.ms", "1").create()?;
    let consumer: StreamConsumer = config.set("auto.offset.reset", "earliest").create()?;
    producer
        .send(FutureRecord::<(), _>::to("ctx_bench").payload("7"), Duration::from_secs(9))
        .await
        .map_err(|(e, _)| e)?;
    consumer.subscribe(&["ctx_bench"])?;
    consumer.recv().await?;
    compare("Kafka", |is_with| {
        let (producer, consumer) = (&producer, &consumer);
        async move {
            for _ in 0..MESSAGES {
                let mut headers = OwnedHeaders::new().insert(Header { key: "kind", value: Some("order") });
                if is_with {
                    propagation::inject_context(cx, &mut headers, Outbound::Everything);
                }
                let record = FutureRecord::<(), _>::to("ctx_bench").payload(PAYLOAD).headers(headers);
                drop(producer.send_result(record).map_err(|(error, _)| error)?);
            }
            for _ in 0..MESSAGES {
                let record = consumer.recv().await?;
                if is_with {
                    drop(black_box(propagation::extract(&record.headers(), Trust::internal())));
                }
            }
            Ok(())
        }
    })
    .await
}

#[allow(dead_code, reason = "a feature may be off")]
const PAYLOAD: &str =
    r#"{"order":1042,"items":[{"sku":"a-1","count":2},{"sku":"b-7","count":1}],"currency":"EUR","total":7450}"#;
