//! The instruments of
//! <https://github.com/open-telemetry/semantic-conventions/blob/v1.42.0/docs/messaging/messaging-metrics.md>.

use std::{
    sync::{Arc, LazyLock},
    time::Instant,
};

use opentelemetry::{
    KeyValue, StringValue,
    metrics::{Counter, Histogram, Meter},
};
use smallvec::SmallVec;

use super::Measured;

/// The boundaries that the conventions ask for, in seconds.
const BOUNDARIES: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The instruments of the global meter provider. Created at the first message, since a meter of a provider that is replaced later
/// stays without effect.
static GLOBAL: LazyLock<Instruments> =
    LazyLock::new(|| Instruments::of(&opentelemetry::global::meter("ctx_layer::messaging")));

/// The metrics of a producer or a consumer.
#[derive(Clone, Debug)]
pub(in crate::messaging) struct Metrics(Option<Arc<Instruments>>);

#[derive(Debug)]
struct Instruments {
    sent: Counter<u64>,
    consumed: Counter<u64>,
    operation: Histogram<f64>,
    processing: Histogram<f64>,
}

impl Instruments {
    fn of(meter: &Meter) -> Self {
        let counter = |name: &'static str, description: &'static str| {
            meter.u64_counter(name).with_unit("{message}").with_description(description).build()
        };
        let histogram = |name: &'static str, description: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(description);
            histogram.with_boundaries(BOUNDARIES.to_vec()).build()
        };
        Instruments {
            sent: counter(
                "messaging.client.sent.messages",
                "Number of messages producer attempted to send to the broker.",
            ),
            consumed: counter(
                "messaging.client.consumed.messages",
                "Number of messages that were delivered to the application.",
            ),
            operation: histogram(
                "messaging.client.operation.duration",
                "Duration of messaging operation initiated by a producer or consumer client.",
            ),
            processing: histogram("messaging.process.duration", "Duration of processing operation."),
        }
    }
}

impl Metrics {
    /// Uses the global meter provider.
    pub(in crate::messaging) fn global() -> Self {
        Metrics(None)
    }

    /// Creates the instruments of a meter.
    pub(in crate::messaging) fn of(meter: &Meter) -> Self {
        Metrics(Some(Arc::new(Instruments::of(meter))))
    }

    fn instruments(&self) -> &Instruments {
        self.0.as_deref().unwrap_or_else(|| &GLOBAL)
    }

    /// Counts messages that were sent, or failed to be.
    pub(in crate::messaging) fn sent(&self, messages: u64, of: &Measured<'_>) {
        with_attributes(of, false, |attributes| self.instruments().sent.add(messages, attributes));
    }

    /// Counts messages that were delivered to the program.
    pub(in crate::messaging) fn consumed(&self, messages: u64, of: &Measured<'_>) {
        with_attributes(of, false, |attributes| self.instruments().consumed.add(messages, attributes));
    }

    /// Records how long an operation of a client took.
    pub(in crate::messaging) fn operation(&self, clock: &Clock, of: &Measured<'_>) {
        with_attributes(of, true, |attributes| self.instruments().operation.record(clock.seconds(), attributes));
    }

    /// Records how long the handling of a message took.
    pub(in crate::messaging) fn processing(&self, clock: &Clock, of: &Measured<'_>) {
        with_attributes(of, false, |attributes| self.instruments().processing.record(clock.seconds(), attributes));
    }
}

/// The attributes of an operation, which are the same each time that it does not fail.
#[derive(Clone, Debug, Default)]
pub(in crate::messaging) struct Composed {
    without_type: SmallVec<[KeyValue; 10]>,
    with_type: SmallVec<[KeyValue; 10]>,
}

impl Composed {
    pub(in crate::messaging) fn of(measured: &Measured<'_>) -> Self {
        Composed { without_type: attributes(measured, false), with_type: attributes(measured, true) }
    }
}

/// Calls `f` with the attributes of a measurement.
fn with_attributes(of: &Measured<'_>, with_type: bool, f: impl FnOnce(&[KeyValue])) {
    match of.composed {
        Some(composed) if of.error.is_none() => f(if with_type { &composed.with_type } else { &composed.without_type }),
        _ => f(&attributes(of, with_type)),
    }
}

/// Returns the attributes of a measurement. Names with many values are left out, and no field is among them.
fn attributes(of: &Measured<'_>, with_type: bool) -> SmallVec<[KeyValue; 10]> {
    let Measured { name, kind, destination, group, subscription, error, composed: _ } = *of;
    let mut attributes = SmallVec::new();
    let mut push = |key: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            attributes.push(KeyValue::new(key, StringValue::from(value.to_owned())));
        }
    };
    push("messaging.operation.name", Some(name));
    push("messaging.operation.type", with_type.then_some(kind));
    push("messaging.system", Some(&destination.system));
    push("messaging.destination.name", destination.steady_name());
    push("messaging.destination.template", destination.template.as_deref());
    push("messaging.destination.subscription.name", subscription);
    push("messaging.consumer.group.name", group);
    push("server.address", destination.server.as_deref());
    push("error.type", error);
    if let Some(port) = destination.port {
        attributes.push(KeyValue::new("server.port", i64::from(port)));
    }
    attributes
}

/// The time at which an operation started.
#[derive(Debug)]
pub(in crate::messaging) struct Clock(Instant);

impl Clock {
    pub(in crate::messaging) fn start() -> Self {
        Clock(Instant::now())
    }

    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
