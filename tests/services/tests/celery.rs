//! Tasks of Celery, with Redis as its broker: `bash tests/services/run celery`.

use base64::{Engine, prelude::BASE64_STANDARD};
use ctx_layer::{
    messaging::{Delivery, Settlement},
    propagation::Carrier,
};
use ctx_service_tests::{
    Result,
    broker::{Body, Broker},
    scenarios, server,
};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use serde_json::{Map, Value, json};

/// A queue of tasks, by <https://docs.celeryq.dev/en/stable/internals/protocol.html>, version 2.
struct Celery {
    queue: String,
    redis: MultiplexedConnection,
}

impl Broker for Celery {
    const SYSTEM: &'static str = "celery";
    const SERVER: &'static str = "celery";
    const MOVES_DEAD_LETTERS: bool = false;
    type Headers = Map<String, Value>;
    type Delivery = Task;

    async fn connect(queue: &str) -> Result<Self> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", server::port(6379)))?;
        Ok(Celery { queue: queue.to_owned(), redis: client.get_multiplexed_async_connection().await? })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn send(&self, mut headers: Map<String, Value>, body: &str) -> Result {
        let id = scenarios::unique("task");
        headers.extend([
            ("lang".to_owned(), "rust".into()),
            ("task".to_owned(), "orders.ship".into()),
            ("id".to_owned(), id.as_str().into()),
            ("root_id".to_owned(), id.as_str().into()),
        ]);
        let arguments = json!([[body], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]);
        let delivery = json!({"exchange": "", "routing_key": self.queue});
        let message = json!({
            "body": arguments.to_string(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {"correlation_id": id, "delivery_info": delivery, "delivery_mode": 2, "delivery_tag": id, "priority": 0},
        });
        let _: u32 = self.redis.clone().lpush(&self.queue, message.to_string()).await?;
        Ok(())
    }

    async fn receive(&self) -> Result<Task> {
        loop {
            let message: Option<String> = self.redis.clone().rpop(&self.queue, None).await?;
            match message {
                Some(message) => return Ok(Task(serde_json::from_str(&message)?)),
                None => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    }
}

struct Task(Value);

impl Delivery for Task {
    type Error = std::convert::Infallible;

    fn headers(&self) -> impl Carrier {
        self.0["headers"].as_object()
    }

    async fn settle(&self, _: Settlement) -> std::result::Result<(), Self::Error> {
        // It was taken off the list.
        Ok(())
    }
}

impl Body for Task {
    fn body(&self) -> String {
        let body = self.0["body"].as_str().unwrap_or_default();
        let decoded = match self.0["properties"]["body_encoding"].as_str() {
            Some("base64") => BASE64_STANDARD.decode(body).unwrap_or_default(),
            _ => body.as_bytes().to_owned(),
        };
        let arguments: Value = serde_json::from_slice(&decoded).unwrap_or_default();
        arguments[0][0].as_str().unwrap_or_default().to_owned()
    }
}

ctx_service_tests::scenarios! { Celery:
    alone: a_task_survives_a_restart_of_the_broker_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    without_context => a_task_without_context_gets_none,
    hostile_context => a_hostile_task_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
    to_python => a_worker_of_celery_continues_our_trace_and_has_our_fields,
    from_python => we_continue_the_trace_of_a_task_and_have_its_baggage,
}
