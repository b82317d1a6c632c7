use std::{error::Error, fmt, sync::Arc, time::SystemTime};

use opentelemetry::{SpanId, TraceId};
use tracing_core::{
    Event, Field, Subscriber,
    field::Visit,
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{
    field::well_known::{SPAN_ID, TRACE_ID},
    testing::{
        captured::{CapturedEvent, Fields, Value},
        isolation::{Store, owner},
    },
};

/// The layer that captures events, each for the test to which it belongs.
///
/// It is wrapped in a [`ContextLayer`](crate::ContextLayer) of its own, which adds the ids of the span to each event.
#[derive(Debug)]
pub(super) struct Recorder;

/// The capture to which a span belongs. Stored in the span.
struct OfSpan(Arc<Store>);

fn owner_of<S: for<'a> LookupSpan<'a>>(
    span: Option<tracing_subscriber::registry::SpanRef<'_, S>>,
) -> Option<Arc<Store>> {
    span?.scope().find_map(|span| span.extensions().get::<OfSpan>().map(|owner| Arc::clone(&owner.0)))
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let Some(span) = cx.span(id) else { return };
        if let Some(owner) = owner(owner_of(span.parent())) {
            span.extensions_mut().insert(OfSpan(owner));
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let Some(owner) = owner(owner_of(cx.event_span(event))) else { return };
        let mut seen = Seen::default();
        event.record(&mut seen);
        let metadata = event.metadata();
        let mut take = |name: &str| {
            let at = seen.fields.iter().position(|(known, _)| known == name)?;
            Some(seen.fields.remove(at).1)
        };
        let ids = match (take(TRACE_ID.declaration().name()), take(SPAN_ID.declaration().name())) {
            (Some(Value::String(trace_id)), Some(Value::String(span_id))) => {
                TraceId::from_hex(&trace_id).ok().zip(SpanId::from_hex(&span_id).ok())
            }
            _ => None,
        };
        // What `tracing-log` makes of a record of the `log` crate.
        let target = match take("log.target") {
            Some(Value::String(target)) => target,
            _ => metadata.target().to_owned(),
        };
        for name in ["log.module_path", "log.file", "log.line"] {
            take(name);
        }
        owner.add_event(CapturedEvent {
            number: 0,
            message: seen.message,
            name: metadata.name(),
            level: *metadata.level(),
            target,
            time: SystemTime::now(),
            ids,
            fields: seen.fields,
        });
    }
}

#[derive(Default)]
struct Seen {
    message: String,
    fields: Fields,
}

impl Seen {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        match (field.name(), value.into()) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => self.fields.push((name.to_owned(), value)),
        }
    }
}

impl Visit for Seen {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, value.to_string());
    }

    // Integers of 128 bits and bytes arrive here, too, as their text.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}
