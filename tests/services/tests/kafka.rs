//! Kafka, by `rdkafka` and by `rskafka`: `bash tests/services/run kafka`.

use std::{sync::Arc, time::Duration};

use ctx_layer::{
    messaging::{Delivery, Settlement},
    propagation::{self, Carrier, Trust},
};
use ctx_service_tests::{
    Result,
    broker::{Body, Broker, dead_letters_of},
    fields,
    messages::{ack, send_to_dead_letters},
    scenarios, server, telemetry,
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::{Consumer, StreamConsumer},
    message::{Header, Message, OwnedHeaders, OwnedMessage},
    producer::{FutureProducer, FutureRecord},
};
use rskafka::{
    client::{
        ClientBuilder,
        partition::{Compression, UnknownTopicHandling},
    },
    record::Record,
};
use tokio::sync::OnceCell;

struct Kafka {
    queue: String,
    producer: FutureProducer,
    consumer: OnceCell<Arc<StreamConsumer>>,
}

fn servers() -> String {
    format!("127.0.0.1:{}", server::port(9092))
}

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers()).set("broker.address.family", "v4");
    config
}

impl Kafka {
    async fn consumer(&self) -> Result<&Arc<StreamConsumer>> {
        let create = || async {
            let consumer: StreamConsumer = config()
                .set("group.id", format!("{}_workers", self.queue))
                .set("enable.auto.commit", "true")
                .set("auto.commit.interval.ms", "100")
                // Offsets are committed of what is settled.
                .set("enable.auto.offset.store", "false")
                .set("auto.offset.reset", "earliest")
                .set("session.timeout.ms", "6000")
                .create()?;
            consumer.subscribe(&[&self.queue])?;
            Ok(Arc::new(consumer))
        };
        self.consumer.get_or_try_init(create).await
    }
}

impl Broker for Kafka {
    const SYSTEM: &'static str = "kafka";
    const SERVER: &'static str = "kafka";
    const MOVES_DEAD_LETTERS: bool = false;
    type Headers = OwnedHeaders;
    type Delivery = Received;

    async fn connect(queue: &str) -> Result<Self> {
        let admin: AdminClient<_> = config().create()?;
        let dead = dead_letters_of(queue);
        let topics = [queue, &dead].map(|name| NewTopic::new(name, 1, TopicReplication::Fixed(1)));
        // The topics may exist.
        admin.create_topics(&topics, &AdminOptions::new()).await?;
        let producer = config().set("message.timeout.ms", "30000").set("linger.ms", "2").create()?;
        Ok(Kafka { queue: queue.to_owned(), producer, consumer: OnceCell::new() })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn send(&self, headers: OwnedHeaders, body: &str) -> Result {
        sent(&self.producer, &self.queue, headers, body).await
    }

    async fn receive(&self) -> Result<Received> {
        let consumer = self.consumer().await?.clone();
        let message = consumer.recv().await?.detach();
        Ok(Received { queue: self.queue.clone(), producer: self.producer.clone(), consumer, message })
    }
}

struct Received {
    queue: String,
    producer: FutureProducer,
    consumer: Arc<StreamConsumer>,
    message: OwnedMessage,
}

impl Delivery for Received {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn headers(&self) -> impl Carrier {
        self.message.headers()
    }

    async fn settle(&self, settlement: Settlement) -> Result {
        match settlement {
            Settlement::Ack => {}
            // A record is delivered again where its offset is not committed, after a restart of the group.
            Settlement::Nack | Settlement::Requeue => return Ok(()),
            Settlement::DeadLetter => {
                // Kafka has no dead letters: a consumer sends the record to another topic.
                let headers = self.message.headers().cloned().unwrap_or_default();
                let send = async |topic: String, headers| sent(&self.producer, &topic, headers, &self.body()).await;
                send_to_dead_letters::<Kafka, _, _>(&self.queue, headers, send).await?;
            }
        }
        let (topic, partition) = (self.message.topic(), self.message.partition());
        Ok(self.consumer.store_offset(topic, partition, self.message.offset())?)
    }
}

impl Body for Received {
    fn body(&self) -> String {
        String::from_utf8_lossy(self.message.payload().unwrap_or_default()).into_owned()
    }
}

async fn sent(producer: &FutureProducer, topic: &str, headers: OwnedHeaders, body: &str) -> Result {
    let record = FutureRecord::<(), str>::to(topic).payload(body).headers(headers);
    producer.send(record, Duration::from_secs(30)).await.map_err(|(error, _)| error)?;
    Ok(())
}

ctx_service_tests::scenarios! { Kafka:
    alone: a_message_survives_a_restart_of_the_broker_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    redelivery => a_message_of_a_killed_consumer_keeps_its_parent,
    dead_letters => a_dead_letter_keeps_its_context,
    tenants => ten_thousand_messages_of_a_hundred_tenants_are_not_mixed_up,
    without_context => a_message_without_context_gets_none,
    hostile_context => a_hostile_message_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
    to_python => python_continues_our_trace_and_has_our_fields,
    from_python => we_continue_the_trace_of_python_and_have_its_baggage,
    to_node => node_continues_our_trace_and_has_our_fields,
    from_node => we_continue_the_trace_of_node_and_have_its_baggage,
}

#[tokio::test]
async fn headers_without_value_and_of_bytes_arrive_and_are_ignored() -> Result {
    let broker = Kafka::connect(&scenarios::unique("types")).await?;
    let headers = OwnedHeaders::new()
        .insert(Header::<&[u8]> { key: "traceparent", value: None })
        .insert(Header { key: "baggage", value: Some(&b"k=\xff,tenant_id=acme"[..]) });
    broker.send(headers, "raw").await?;
    let delivery = scenarios::receive(&broker).await?;
    let extracted = propagation::extract(&delivery.headers(), Trust::internal());
    assert!(!extracted.is_continued());
    assert_eq!(extracted.fields().len(), 1);
    ack(delivery).await
}

#[tokio::test]
async fn rskafka_carries_the_same_headers() -> Result {
    telemetry::install();
    let broker = Kafka::connect(&scenarios::unique("rskafka")).await?;
    let client = ClientBuilder::new(vec![servers()]).build().await?;
    let partition = client.partition_client(&broker.queue, 0, UnknownTopicHandling::Retry).await?;
    let mut record = Record {
        key: None,
        value: Some(b"by rskafka".to_vec()),
        headers: Default::default(),
        timestamp: chrono::DateTime::UNIX_EPOCH,
    };
    fields::with_all(async { propagation::inject(&mut record.headers) }).await;
    partition.produce(vec![record], Compression::NoCompression).await?;

    let delivery = scenarios::receive(&broker).await?;
    assert_eq!(delivery.body(), "by rskafka");
    let by_rdkafka = propagation::extract(&delivery.headers(), Trust::internal());
    by_rdkafka.in_scope(|| assert_eq!((fields::SHARD.get(), fields::BETA.get()), (Some(7), Some(true))));

    let (records, _) = partition.fetch_records(0, 1..1_000_000, 5_000).await?;
    let record = &records.first().ok_or("a record")?.record;
    propagation::extract(&record.headers, Trust::internal())
        .in_scope(|| assert_eq!((fields::SHARD.get(), fields::BETA.get()), (Some(7), Some(true))));
    ack(delivery).await
}
