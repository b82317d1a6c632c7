//! Redis streams, lists and pub/sub: `bash tests/services/run redis`.

use std::time::Duration;

use ctx_layer::{
    FutureFieldsExt,
    database::Call,
    field::well_known::TENANT_ID,
    messaging::{Delivery, ReceiveOptions, Settlement},
    propagation::{self, Captured, Carrier, Trust, carriers::Envelope},
};
use ctx_service_tests::{
    Result,
    broker::{Body, Broker},
    fields,
    messages::{ack, send_to_dead_letters},
    scenarios, server, telemetry,
    wire::{Recorder, write_documented},
};
use futures_util::StreamExt;
use redis::{
    AsyncCommands, Client, RedisResult,
    aio::MultiplexedConnection,
    streams::{StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply},
};
use tokio::sync::Mutex;

struct Redis {
    queue: String,
    commands: MultiplexedConnection,
    /// A connection of its own, since it blocks.
    reading: Mutex<MultiplexedConnection>,
}

const GROUP: &str = "workers";
const IDLE_MILLISECONDS: usize = 2_000;

fn client() -> RedisResult<Client> {
    Client::open(format!("redis://127.0.0.1:{}", server::port(6379)))
}

impl Redis {
    fn received(&self, entry: StreamId, attempt: u32) -> Received {
        Received { queue: self.queue.clone(), commands: self.commands.clone(), entry, attempt }
    }
}

impl Broker for Redis {
    const SYSTEM: &'static str = "redis";
    const SERVER: &'static str = "redis";
    const MOVES_DEAD_LETTERS: bool = false;
    type Headers = Vec<(String, String)>;
    type Delivery = Received;

    async fn connect(queue: &str) -> Result<Self> {
        let client = client()?;
        let mut commands = client.get_multiplexed_async_connection().await?;
        let created: RedisResult<()> = commands.xgroup_create_mkstream(queue, GROUP, "0").await;
        match created {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error.into()),
            _ => {}
        }
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let reading = Mutex::new(client.get_multiplexed_async_connection_with_config(&config).await?);
        Ok(Redis { queue: queue.to_owned(), commands, reading })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn send(&self, headers: Vec<(String, String)>, body: &str) -> Result {
        let mut entry = headers;
        entry.push(("body".to_owned(), body.to_owned()));
        let _id: String = self.commands.clone().xadd(&self.queue, "*", &entry).await?;
        Ok(())
    }

    async fn receive(&self) -> Result<Received> {
        let name = std::process::id().to_string();
        let mut connection = self.reading.lock().await;
        loop {
            let options = StreamReadOptions::default().group(GROUP, &name).count(1).block(200);
            let reply: Option<StreamReadReply> =
                connection.xread_options(&[self.queue.as_str()], &[">"], &options).await?;
            let new = reply.and_then(|reply| reply.keys.into_iter().next()).and_then(|key| key.ids.into_iter().next());
            if let Some(entry) = new {
                return Ok(self.received(entry, 1));
            }
            let options = StreamAutoClaimOptions::default().count(1);
            let reply: StreamAutoClaimReply =
                connection.xautoclaim_options(&self.queue, GROUP, &name, IDLE_MILLISECONDS, "0", options).await?;
            if let Some(entry) = reply.claimed.into_iter().next() {
                let pending: redis::streams::StreamPendingCountReply =
                    connection.xpending_count(&self.queue, GROUP, &entry.id, &entry.id, 1).await?;
                let attempt = pending.ids.first().and_then(|pending| u32::try_from(pending.times_delivered).ok());
                return Ok(self.received(entry, attempt.unwrap_or(1)));
            }
        }
    }
}

struct Received {
    queue: String,
    commands: MultiplexedConnection,
    entry: StreamId,
    attempt: u32,
}

impl Delivery for Received {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn headers(&self) -> impl Carrier {
        &self.entry
    }

    fn options(&self) -> ReceiveOptions {
        ReceiveOptions::new().delivery(self.attempt)
    }

    async fn settle(&self, settlement: Settlement) -> Result {
        match settlement {
            Settlement::Ack => {}
            // It stays pending, and is claimed when it has been idle.
            Settlement::Nack | Settlement::Requeue => return Ok(()),
            Settlement::DeadLetter => {
                // Redis has no dead letters: a consumer adds the entry to another stream.
                let strings = self.entry.map.keys().filter_map(|name| Some((name.clone(), self.entry.get(name)?)));
                let send = async |queue: String, entry: Vec<(String, String)>| {
                    let _: String = self.commands.clone().xadd(queue, "*", &entry).await?;
                    Ok(())
                };
                send_to_dead_letters::<Redis, _, _>(&self.queue, strings.collect(), send).await?;
            }
        }
        let _: u32 = self.commands.clone().xack(&self.queue, GROUP, &[&self.entry.id]).await?;
        Ok(())
    }
}

impl Body for Received {
    fn body(&self) -> String {
        self.entry.get("body").unwrap_or_default()
    }
}

ctx_service_tests::scenarios! { Redis:
    alone: a_message_survives_a_restart_of_the_broker_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    redelivery => a_message_of_a_killed_consumer_keeps_its_parent,
    attempts => redeliveries_are_counted,
    dead_letters => a_dead_letter_keeps_its_context,
    tenants => ten_thousand_messages_of_a_hundred_tenants_are_not_mixed_up,
    without_context => a_message_without_context_gets_none,
    hostile_context => a_hostile_message_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
    to_python => python_continues_our_trace_and_has_our_fields,
    from_python => we_continue_the_trace_of_python_and_have_its_baggage,
}

/// Runs a future in a request with a field of every type.
async fn in_request<F: Future>(future: F) -> F::Output {
    telemetry::install();
    fields::with_all(future).await
}

#[tokio::test]
async fn a_list_carries_context_in_front_of_any_payload() -> Result {
    let (queue, mut connection) = (scenarios::unique("list"), client()?.get_multiplexed_async_connection().await?);
    let payload = b"\0\xffCTX/1.0\r\n";
    let bytes = in_request(async {
        let mut message = Envelope::new(payload);
        propagation::inject(&mut message);
        message.to_bytes()
    })
    .await;
    let _: u32 = connection.rpush(&queue, &bytes).await?;
    let _: u32 = connection.rpush(&queue, "without").await?;
    let received: Vec<u8> = connection.lpop(&queue, None).await?;
    let received = Envelope::from_bytes(&received);
    assert_eq!(*received.payload(), payload);
    let extracted = propagation::extract(&received, Trust::internal());
    extracted.in_scope(|| assert_eq!((fields::SHARD.get(), fields::BETA.get()), (Some(7), Some(true))));

    let received: Vec<u8> = connection.lpop(&queue, None).await?;
    let received = Envelope::from_bytes(&received);
    assert_eq!(*received.payload(), b"without");
    assert!(propagation::extract(&received, Trust::internal()).fields().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_published_json_message_carries_captured_context() -> Result {
    let (channel, client) = (scenarios::unique("channel"), client()?);
    let mut subscriber = client.get_async_pubsub().await?;
    subscriber.subscribe(&channel).await?;
    let context = in_request(async { propagation::capture() }).await;
    let message = serde_json::json!({"order": 7, "context": context}).to_string();
    let _: u32 = client.get_multiplexed_async_connection().await?.publish(&channel, message).await?;
    let received = tokio::time::timeout(Duration::from_secs(10), subscriber.on_message().next()).await?;
    let received: serde_json::Value = serde_json::from_slice(received.ok_or("a message")?.get_payload_bytes())?;
    let context: Captured = serde_json::from_value(received["context"].clone())?;
    propagation::extract(&context, Trust::internal())
        .in_scope(|| assert_eq!((fields::SHARD.get(), fields::RATIO.get()), (Some(7), Some(0.25))));
    Ok(())
}

#[tokio::test]
async fn fields_of_an_entry_that_are_no_strings_of_text_are_ignored() -> Result {
    let broker = Redis::connect(&scenarios::unique("types")).await?;
    let entry: [(&str, &[u8]); 2] = [("traceparent", b"\xff\xfe"), ("baggage", b"k=\xff,tenant_id=acme")];
    let _: String = broker.commands.clone().xadd(&broker.queue, "*", &entry).await?;
    let delivery = scenarios::receive(&broker).await?;
    let extracted = propagation::extract(&delivery.headers(), Trust::internal());
    assert!(!extracted.is_continued());
    assert_eq!(extracted.fields().len(), 1);
    ack(delivery).await
}

#[tokio::test]
async fn commands_are_client_spans_and_the_server_sees_the_tenant() -> Result {
    telemetry::install();
    let (stream, tenant) = (scenarios::unique("monitored"), scenarios::unique("tenant"));
    let port = server::port(6379).to_string();
    let mut monitor = tokio::process::Command::new("redis-cli");
    let mut monitor =
        monitor.args(["-p", &port, "monitor"]).stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut seen =
        tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(monitor.stdout.take().ok_or("it is piped")?));
    assert_eq!(seen.next_line().await?.as_deref(), Some("OK"));
    let mut connection = client()?.get_multiplexed_async_connection().await?;
    let send = async {
        let mut entry = vec![("body".to_owned(), "paid".to_owned())];
        propagation::inject(&mut entry);
        let call = Call::new("redis", "XADD").collection(&stream).server("127.0.0.1", server::port(6379));
        call.run(connection.xadd::<_, _, _, _, String>(&stream, "*", &entry)).await
    };
    send.with_field(&TENANT_ID, tenant.clone()).await?;
    let line = loop {
        let line = seen.next_line().await?.ok_or("the monitor runs")?;
        if line.contains(&stream) {
            break line;
        }
    };
    assert!(line.contains(&format!(r#""XADD" "{stream}" "*" "body" "paid" "baggage" "tenant_id={tenant}""#)), "{line}");
    let spans = telemetry::spans_of(&tenant);
    let [span] = &spans[..] else { return Err(format!("not one span: {spans:#?}").into()) };
    assert_eq!((&span["exported"], &span["kind"]), (&format!("XADD {stream}").into(), &"client".into()));
    assert_eq!(span["attributes"]["db.system.name"], "redis");
    Ok(())
}

#[tokio::test]
async fn the_bytes_on_the_wire_are_those_of_the_documentation() -> Result {
    let recorder = Recorder::start(server::port(6379)).await?;
    let client = Client::open(format!("redis://127.0.0.1:{}", recorder.port))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut entry = vec![("order".to_owned(), "7".to_owned())];
    write_documented(&mut entry);
    let _: String = connection.xadd(scenarios::unique("wire"), "*", &entry).await?;
    let mut message = Envelope::new("7");
    write_documented(&mut message);
    let _: u32 = connection.rpush(scenarios::unique("wire"), message.to_bytes()).await?;
    let page = include_str!("../../../docs/messaging/redis.md");
    recorder.check(page, "redis").await?;
    recorder.check(page, "envelope").await
}
