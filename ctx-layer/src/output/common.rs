//! The state and the behaviour that all outputs share.

use std::{
    cell::Cell,
    fmt,
    sync::{Arc, OnceLock},
    thread,
    time::SystemTime,
};

use tracing_core::{Dispatch, Event, Field, Metadata, field::Visit};
use tracing_subscriber::fmt::MakeWriter;

use super::{current::SpanIds, lost::LostLines};
use crate::{
    context::register,
    field::{Schema, set_all_shown},
    layer::{Parentage, Policies, StackDispatch},
};

/// The default limit of a line, in bytes.
const MAX_LINE_LEN: usize = 64 * 1024;

/// The lowest limit: time, level, target and ids have room.
const MIN_LINE_LEN: usize = 1024;

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The parts of an output that do not depend on its format.
pub(super) struct Common<W> {
    make_writer: W,
    pub(super) lost: LostLines,
    home: StackDispatch,
    pub(super) max_len: usize,
    clock: Option<Clock>,
    /// `None` where they are those of the stack.
    policies: Option<&'static Policies>,
    /// `true` if there is an OpenTelemetry layer that may not activate its contexts.
    has_opentelemetry_layer: OnceLock<bool>,
}

impl<W> Common<W> {
    pub(super) fn new(make_writer: W) -> Self {
        Policies::ask_for();
        Common {
            make_writer,
            lost: LostLines::default(),
            home: StackDispatch::new(),
            max_len: MAX_LINE_LEN,
            clock: None,
            policies: None,
            has_opentelemetry_layer: OnceLock::new(),
        }
    }

    pub(super) fn with_writer<W2>(self, make_writer: W2) -> Common<W2> {
        let Common { lost, home, max_len, clock, policies, has_opentelemetry_layer, .. } = self;
        Common { make_writer, lost, home, max_len, clock, policies, has_opentelemetry_layer }
    }

    pub(super) fn with_schema(self, schema: &Schema) -> Self {
        register(schema.fields().map(|(declaration, _)| declaration));
        Common { policies: Some(Policies::of(schema)), ..self }
    }

    pub(super) fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Common { clock: Some(Arc::new(now)), ..self }
    }

    pub(super) fn with_max_len(self, len: usize) -> Self {
        Common { max_len: len.max(MIN_LINE_LEN), ..self }
    }

    #[inline]
    pub(super) fn now(&self) -> SystemTime {
        match &self.clock {
            None => SystemTime::now(),
            Some(clock) => clock(),
        }
    }

    #[inline]
    pub(super) fn policies(&self) -> &'static Policies {
        match self.policies {
            Some(policies) => policies,
            None => Policies::published(),
        }
    }

    /// Is called when the stack is installed.
    pub(super) fn registered(&self, subscriber: &Dispatch) {
        if !self.home.set_of_output(subscriber) && self.policies.is_none() {
            set_all_shown();
        }
    }

    /// Returns the ids of the OpenTelemetry span of an event. `active` are those of the active one; `is_outside` is whether the event
    /// is known to be in no span.
    #[inline]
    pub(super) fn ids(&self, active: Option<SpanIds>, parent: Parentage<'_>, is_outside: bool) -> Option<SpanIds> {
        match parent {
            Parentage::Contextual if active.is_some() => active,
            Parentage::Root => None,
            Parentage::Contextual if is_outside => None,
            Parentage::Contextual | Parentage::Explicit(_) => {
                let has_layer = self.has_opentelemetry_layer.get_or_init(|| !self.home.has_no_opentelemetry_layer());
                let is_explicit = matches!(parent, Parentage::Explicit(_));
                if *has_layer || is_explicit { self.ids_of_span(parent) } else { None }
            }
        }
    }

    /// The ids of the OpenTelemetry span of an event, where the active one is not it.
    #[cold]
    fn ids_of_span(&self, parent: Parentage<'_>) -> Option<SpanIds> {
        let context = match parent {
            // The OpenTelemetry layer may have been configured not to activate its contexts.
            Parentage::Contextual => self.home.context_of_current(),
            Parentage::Explicit(parent) => self.home.context_of_parent(parent),
            Parentage::Root => None,
        };
        context.as_ref().and_then(SpanIds::of)
    }
}

impl<W> Common<W>
where
    W: for<'a> MakeWriter<'a>,
{
    pub(super) fn write(&self, line: &[u8], metadata: &Metadata<'_>) {
        self.lost.write(line, || self.make_writer.make_writer_for(metadata));
    }
}

/// Returns the number that the standard library gives to the thread, which it shows in the `Debug` of its id alone.
pub(super) fn thread_number() -> u64 {
    thread_local! {
        static NUMBER: Cell<Option<u64>> = const { Cell::new(None) };
    }
    let find = || {
        let id = format!("{:?}", thread::current().id());
        id.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default()
    };
    let number = NUMBER.get().unwrap_or_else(find);
    NUMBER.set(Some(number));
    number
}

/// The source of a record of the `log` crate.
#[derive(Default)]
pub(super) struct LogSource {
    pub(super) target: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
}

impl LogSource {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut source = LogSource::default();
        event.record(&mut source);
        source
    }
}

impl Visit for LogSource {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.target = Some(value.to_owned()),
            "log.file" => self.file = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "log.line" {
            self.line = u32::try_from(value).ok();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
