//! The spans of consumers, by
//! <https://github.com/open-telemetry/semantic-conventions/blob/v1.42.0/docs/messaging/messaging-spans.md>.

use opentelemetry::Context;
use tracing::{Level, Span, field::Empty};

use super::{receive_options::ReceiveOptions, settings::ConsumerSettings};
use crate::{
    attribute::Attribute,
    context::{ContextFieldsExt, attach},
    messaging::trace_mode::Cause,
    site::Site,
    span_string,
};

/// The attributes of the span of a message that is handled.
pub(super) struct ProcessSpan<'a> {
    pub(super) settings: &'a ConsumerSettings,
    pub(super) options: &'a ReceiveOptions,
    pub(super) message_id: Option<&'a str>,
    pub(super) attempt: u32,
    pub(super) cause: Cause,
}

impl ProcessSpan<'_> {
    /// Creates the span within the message's context. If it is disabled, nothing is computed or attached.
    pub(super) fn open(&self, cx: &Context) -> Span {
        const LEVEL: Level = Level::INFO;
        macro_rules! process_span {
            ($($key:literal: $value:expr,)*) => {{
                static SITE: Site = Site::span(&SITE, module_path!(), "process", LEVEL, &[$($key),*]);
                if !SITE.may_be_on(LEVEL) {
                    return Span::none();
                }
                // Attached before `open` asks the filters, which may read the current context.
                let _attached = attach(cx.clone(), cx.fields().address());
                SITE.open_received(
                    // Room for fourteen fields.
                    &mut [
                        $(Attribute::value(&$value),)*
                        None, None, None, None, None, None, None, None, None, None, None, None, None, None,
                    ],
                    cx.fields(),
                )
            }};
        }
        let ConsumerSettings { destination, operation, process_name, group, subscription, .. } = self.settings;
        let options = self.options;
        process_span!(
            "otel.name": process_name.as_str(),
            "otel.kind": "consumer",
            "messaging.system": &*destination.system,
            "messaging.operation.name": &**operation,
            "messaging.operation.type": "process",
            "messaging.destination.name": &*destination.name,
            "messaging.destination.template": destination.template.as_deref(),
            "messaging.destination.temporary": destination.is_temporary.then_some(true),
            "messaging.destination.anonymous": destination.is_anonymous.then_some(true),
            "messaging.destination.partition.id": options.partition.as_deref().map(span_string::cut),
            "messaging.destination.subscription.name": subscription.as_deref(),
            "messaging.consumer.group.name": group.as_deref(),
            "messaging.message.id": self.message_id,
            "messaging.message.conversation_id": options.conversation_id.as_deref().map(span_string::cut),
            "messaging.message.body.size": options.body_size.map(as_i64),
            "server.address": destination.server.as_deref(),
            "server.port": destination.port.map(i64::from),
            "ctx.messaging.attempt": (self.attempt > 1).then_some(i64::from(self.attempt)),
            "ctx.messaging.cause": self.cause.unusual(),
            "ctx.messaging.settlement": Empty,
            "error.type": Empty,
            "otel.status_description": Empty,
            "cancelled": Empty,
        )
    }
}

/// Creates the span of a batch that was received, as a child of the current one.
pub(super) fn receive(settings: &ConsumerSettings, messages: usize) -> Span {
    const LEVEL: Level = Level::INFO;
    macro_rules! receive_span {
        ($($key:literal: $value:expr,)*) => {{
            static SITE: Site = Site::span(&SITE, module_path!(), "receive", LEVEL, &[$($key),*]);
            if !SITE.may_be_on(LEVEL) {
                return Span::none();
            }
            SITE.open(&[$(Attribute::value(&$value)),*])
        }};
    }
    let ConsumerSettings { destination, receive_name, group, subscription, .. } = settings;
    receive_span!(
        "otel.name": receive_name.as_str(),
        "otel.kind": "client",
        "messaging.system": &*destination.system,
        "messaging.operation.name": "receive",
        "messaging.operation.type": "receive",
        "messaging.destination.name": &*destination.name,
        "messaging.destination.template": destination.template.as_deref(),
        "messaging.destination.temporary": destination.is_temporary.then_some(true),
        "messaging.destination.anonymous": destination.is_anonymous.then_some(true),
        "messaging.destination.subscription.name": subscription.as_deref(),
        "messaging.consumer.group.name": group.as_deref(),
        "messaging.batch.message_count": Some(as_i64(messages)),
        "server.address": destination.server.as_deref(),
        "server.port": destination.port.map(i64::from),
        "error.type": Empty,
        "otel.status_description": Empty,
        "cancelled": Empty,
    )
}

/// Creates the span of a settlement, as a child of the current one.
#[cfg(feature = "tokio")]
pub(super) fn settle(
    settings: &ConsumerSettings,
    settlement: crate::messaging::settlement::Settlement,
    message_id: Option<&str>,
) -> Span {
    const LEVEL: Level = Level::DEBUG;
    macro_rules! settle_span {
        ($($key:literal: $value:expr,)*) => {{
            static SITE: Site = Site::span(&SITE, module_path!(), "settle", LEVEL, &[$($key),*]);
            if !SITE.may_be_on(LEVEL) {
                return Span::none();
            }
            SITE.open(&[$(Attribute::value(&$value)),*])
        }};
    }
    let ConsumerSettings { destination, group, subscription, .. } = settings;
    settle_span!(
        "otel.name": destination.span_name(settlement.as_str()).as_str(),
        "otel.kind": "client",
        "messaging.system": &*destination.system,
        "messaging.operation.name": settlement.as_str(),
        "messaging.operation.type": "settle",
        "messaging.destination.name": &*destination.name,
        "messaging.destination.template": destination.template.as_deref(),
        "messaging.destination.temporary": destination.is_temporary.then_some(true),
        "messaging.destination.anonymous": destination.is_anonymous.then_some(true),
        "messaging.destination.subscription.name": subscription.as_deref(),
        "messaging.consumer.group.name": group.as_deref(),
        "messaging.message.id": message_id,
        "server.address": destination.server.as_deref(),
        "server.port": destination.port.map(i64::from),
        "error.type": Empty,
        "otel.status_description": Empty,
        "cancelled": Empty,
    )
}

fn as_i64(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
