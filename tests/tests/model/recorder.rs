//! A layer that notes which values the last span, event or record had, on its thread.

use std::{
    cell::Cell,
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing::{
    Dispatch, Event, Level, Span, Subscriber, dispatcher,
    field::{Field as Known, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::value::{Call, FIELDS, Field, Values, parse};

thread_local! {
    static LAST: Cell<Option<Values>> = const { Cell::new(None) };
    /// The span of the last event.
    static PARENT: Cell<Option<Number>> = const { Cell::new(None) };
    static RECORD: Cell<Option<(Number, Values)>> = const { Cell::new(None) };
}

/// Only records of programs are noted: the library logs warnings of its own.
const TARGET: &str = "model";

pub(crate) fn event(parent: Option<&Span>) {
    match parent {
        None => tracing::event!(target: TARGET, Level::WARN, "event"),
        Some(parent) => tracing::event!(target: TARGET, parent: parent, Level::WARN, "event"),
    }
}

/// A span that a filter switches off.
pub(crate) fn span_off(parent: Option<Option<&Span>>) -> Span {
    match parent {
        None => tracing::span!(target: TARGET, Level::INFO, "off"),
        Some(None) => tracing::span!(target: TARGET, parent: None, Level::INFO, "off"),
        Some(Some(parent)) => tracing::span!(target: TARGET, parent: parent, Level::INFO, "off"),
    }
}

pub(crate) fn span() -> Span {
    tracing::span!(target: TARGET, Level::WARN, "span")
}

pub(crate) fn root_span() -> Span {
    tracing::span!(target: TARGET, parent: None, Level::WARN, "root")
}

pub(crate) fn child_span(parent: &Span) -> Span {
    tracing::span!(target: TARGET, parent: parent, Level::WARN, "child")
}

/// Returns the values of the last span or event of this thread.
pub(crate) fn last() -> Values {
    LAST.take().expect("layers are given it")
}

pub(crate) fn last_if_any() -> Option<Values> {
    LAST.take()
}

/// Returns the span of this thread's last event, as layers see it.
pub(crate) fn last_parent() -> Option<Number> {
    PARENT.take()
}

pub(crate) fn forget_record() {
    RECORD.set(None);
}

/// Returns the span on which layers saw this value recorded.
pub(crate) fn record(field: Field, call: Call) -> Option<Number> {
    let (span, values) = RECORD.take()?;
    let at = FIELDS.iter().position(|known| *known == field)?;
    assert_eq!(values.0[at], Some(call), "another value was recorded");
    Some(span)
}

/// Returns the number of a subscriber's recorder.
pub(crate) fn number_of(subscriber: &Dispatch) -> u64 {
    subscriber.downcast_ref::<Recorder>().map_or(0, |recorder| recorder.0)
}

/// Returns the number of the default subscriber's recorder.
pub(crate) fn number() -> u64 {
    dispatcher::get_default(number_of)
}

/// Identifies a span among those of all subscribers: the number of the recorder, and the span's.
pub(crate) type Number = (u64, u64);

/// Returns the number of a span that is in the runner's `numbers`.
pub(crate) fn number_of_span(span: &Span) -> Option<Number> {
    span.with_subscriber(|(id, of)| (number_of(of), id.into_u64()))
}

#[derive(Debug)]
pub(crate) struct Recorder(u64);

impl Recorder {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Recorder(LAST.fetch_add(1, Ordering::Relaxed) % 200 + 1)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if attributes.metadata().target() == TARGET {
            let mut seen = Seen::default();
            attributes.record(&mut seen);
            LAST.set(Some(seen.0));
        }
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        values.record(&mut seen);
        RECORD.set(Some(((self.0, span.into_u64()), seen.0)));
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            PARENT.set(cx.event_span(event).map(|span| (self.0, span.id().into_u64())));
            let mut seen = Seen::default();
            event.record(&mut seen);
            LAST.set(Some(seen.0));
        }
    }
}

#[derive(Default)]
struct Seen(Values);

impl Visit for Seen {
    fn record_str(&mut self, known: &Known, text: &str) {
        if let Some(at) = FIELDS.iter().position(|field| field.name() == known.name()) {
            assert!(self.0.0[at].is_none(), "`{known}` is there twice");
            self.0.0[at] = Some(parse(FIELDS[at], text));
        }
    }

    fn record_debug(&mut self, _: &Known, _: &dyn fmt::Debug) {}
}
