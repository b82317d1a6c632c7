//! Carriers from which context is read and to which it is written, one file each. A closure is one with [`extract_with`](super::extract_with) and
//! [`inject_with`](super::inject_with).
//!
//! | carrier | feature | |
//! |---|---|---|
//! | `HashMap<String, String>`, `BTreeMap<String, String>` | | read and written |
//! | `Vec<(String, String)>`, slices of pairs | | read and, the `Vec`, written |
//! | [`std::process::Command`] | | written: the child's variables |
//! | [`Environment`] | | read: the variables of this process; written: the variables of a child |
//! | `http::HeaderMap` | `http` | read and written |
//! | `serde_json::Map<String, Value>` | `serde_json` | read and written |
//! | `tokio::process::Command` | `tokio-process` | written: the child's variables |
//! | all carriers of OpenTelemetry | | [`OtelExtractor`], [`OtelInjector`] |
//! | AMQP: `lapin::types::FieldTable` | `amqp` | read and written |
//! | Kafka: `rdkafka::message::OwnedHeaders`, `BorrowedHeaders` | `rdkafka` | read and, the owned, written |
//! | Kafka: headers of `rskafka`, `BTreeMap<String, Vec<u8>>` | | read and written |
//! | NATS: `async_nats::HeaderMap` | `async-nats` | read and written |
//! | Redis streams: `redis::streams::StreamId`, `HashMap<String, redis::Value>` | `redis` | read; written: `Vec<(String, String)>` |
//! | Redis lists and pub/sub, MQTT 3.1, sockets: an [`Envelope`] | | read and written |
//! | MQTT 5: user properties of `rumqttc`, `Vec<(String, String)>` | | read and written |
//! | MongoDB: `bson::Document` | `bson` | read and written |
//! | SQL: [`Captured`](super::Captured) in a JSON column, by `sqlx` | `sqlx` | read and written |
//! | apalis: `apalis_core::task::metadata::MetadataStore` | `apalis` | read and written |
//! | graphile_worker: [`Captured`](super::Captured) in the payload, by `serde` | `serde` | read and written |
//! | Kubernetes: `Vec<k8s_openapi::api::core::v1::EnvVar>` | `k8s-openapi` | read and written |
//! | Kubernetes' annotations, CloudEvents in Kafka and AMQP: [`Prefixed`] | | read and written |
//! | Amazon SQS and SNS: an attribute, `OneString` | `serde_json` | read and written |
//! | Google Pub/Sub: attributes, `HashMap<String, String>` | | read and written |
//!
//! Keys are case-insensitive. All values under a key are read. A written value replaces the previous ones.

#[cfg(feature = "amqp")]
mod amqp;
#[cfg(feature = "apalis")]
mod apalis;
#[cfg(feature = "bson")]
mod bson;
pub(super) mod closures;
mod envelope;
mod environment;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "serde_json")]
mod json;
#[cfg(feature = "rdkafka")]
mod kafka;
#[cfg(feature = "k8s-openapi")]
mod kubernetes;
mod maps;
#[cfg(feature = "async-nats")]
mod nats;
#[cfg(feature = "serde_json")]
mod one_string;
mod opentelemetry;
mod pairs;
mod prefixed;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlx")]
mod sqlx;
mod trace_only;

pub use envelope::Envelope;
pub use environment::{Environment, normalized_name};
#[cfg(feature = "http-server")]
pub(crate) use http::HeaderNames;
#[cfg(feature = "http")]
pub use http::{HeaderExtractor, HeaderInjector};
#[cfg(feature = "serde_json")]
pub use one_string::OneString;
pub use opentelemetry::{OtelExtractor, OtelInjector};
pub use prefixed::Prefixed;
pub(crate) use trace_only::TraceOnly;
