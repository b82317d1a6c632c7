//! The spans of producers, by
//! <https://github.com/open-telemetry/semantic-conventions/blob/v1.42.0/docs/messaging/messaging-spans.md>.

use tracing::{Level, Span, field::Empty};

use super::settings::ProducerSettings;
use crate::{attribute::Attribute, site::Site, span_string};

/// The attributes of a span of a producer.
pub(super) struct ProducerSpan<'a> {
    pub(super) settings: &'a ProducerSettings,
    pub(super) kind: &'static str,
    pub(super) message_id: Option<&'a str>,
    pub(super) conversation_id: Option<&'a str>,
    pub(super) partition: Option<&'a str>,
    pub(super) body_size: Option<usize>,
    pub(super) message_count: Option<usize>,
    pub(super) attempt: Option<u32>,
    pub(super) cause: Option<&'static str>,
}

impl<'a> ProducerSpan<'a> {
    pub(super) fn new(settings: &'a ProducerSettings, kind: &'static str) -> Self {
        ProducerSpan {
            settings,
            kind,
            message_id: None,
            conversation_id: None,
            partition: None,
            body_size: None,
            message_count: None,
            attempt: None,
            cause: None,
        }
    }

    /// Creates the span of a send, as a child of the current one.
    pub(super) fn send(&self) -> Span {
        const LEVEL: Level = Level::INFO;
        macro_rules! send_span {
            ($($key:literal: $value:expr,)*) => {{
                static SITE: Site = Site::span(&SITE, module_path!(), "send", LEVEL, &[$($key),*]);
                if !SITE.may_be_on(LEVEL) {
                    return Span::none();
                }
                SITE.open(&[$(Attribute::value(&$value)),*])
            }};
        }
        let ProducerSettings { destination, operation, send_name, .. } = self.settings;
        send_span!(
            "otel.name": send_name.as_str(),
            "otel.kind": self.kind,
            "messaging.system": &*destination.system,
            "messaging.operation.name": &**operation,
            "messaging.operation.type": "send",
            "messaging.destination.name": &*destination.name,
            "messaging.destination.template": destination.template.as_deref(),
            "messaging.destination.temporary": destination.is_temporary.then_some(true),
            "messaging.destination.anonymous": destination.is_anonymous.then_some(true),
            "messaging.destination.partition.id": self.partition.map(span_string::cut),
            "messaging.message.id": self.message_id,
            "messaging.message.conversation_id": self.conversation_id.map(span_string::cut),
            "messaging.message.body.size": self.body_size.map(as_i64),
            "messaging.batch.message_count": self.message_count.map(as_i64),
            "server.address": destination.server.as_deref(),
            "server.port": destination.port.map(i64::from),
            "ctx.messaging.attempt": self.attempt.map(i64::from),
            "ctx.messaging.cause": self.cause,
            "error.type": Empty,
            "otel.status_description": Empty,
            "cancelled": Empty,
        )
    }

    /// Creates the span of a message that is sent in a batch, as a child of the current one.
    pub(super) fn create(&self) -> Span {
        const LEVEL: Level = Level::INFO;
        macro_rules! create_span {
            ($($key:literal: $value:expr,)*) => {{
                static SITE: Site = Site::span(&SITE, module_path!(), "create", LEVEL, &[$($key),*]);
                if !SITE.may_be_on(LEVEL) {
                    return Span::none();
                }
                SITE.open(&[$(Attribute::value(&$value)),*])
            }};
        }
        let ProducerSettings { destination, create_name, .. } = self.settings;
        create_span!(
            "otel.name": create_name.as_str(),
            "otel.kind": self.kind,
            "messaging.system": &*destination.system,
            "messaging.operation.name": "create",
            "messaging.operation.type": "create",
            "messaging.destination.name": &*destination.name,
            "messaging.destination.template": destination.template.as_deref(),
            "messaging.destination.temporary": destination.is_temporary.then_some(true),
            "messaging.destination.anonymous": destination.is_anonymous.then_some(true),
            "messaging.destination.partition.id": self.partition.map(span_string::cut),
            "messaging.message.id": self.message_id,
            "messaging.message.conversation_id": self.conversation_id.map(span_string::cut),
            "messaging.message.body.size": self.body_size.map(as_i64),
            "server.address": destination.server.as_deref(),
            "server.port": destination.port.map(i64::from),
            "ctx.messaging.cause": self.cause,
        )
    }
}

fn as_i64(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
