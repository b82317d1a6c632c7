//! A layer that notes everything it receives, and the `Visit` method by which each value arrived.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};

/// A value with the `Visit` method by which it arrived.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Bool(bool),
    Str(String),
    Bytes(Vec<u8>),
    Debug(String),
    Error(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.to_owned())
    }
}

/// The kind of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Span,
    Event,
    Record,
}

/// The three kinds of parent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Parent {
    Contextual,
    Root,
    Explicit(Id),
}

/// A span, an event, or values recorded on an open span.
#[derive(Clone, Debug)]
pub struct Item {
    /// The kind of the item.
    pub kind: Kind,
    /// The event's message, or the span's name.
    pub name: String,
    /// The parent; for values recorded on an open span, that span.
    pub parent: Parent,
    /// The values in the order in which they were visited.
    pub values: Vec<(&'static str, Value)>,
    /// The metadata, if there are any.
    pub metadata: Option<&'static Metadata<'static>>,
}

impl Item {
    /// Returns the value of a field. Panics if two fields have this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut found = self.values.iter().filter(|(known, _)| *known == name).map(|(_, value)| value);
        let value = found.next();
        assert!(found.next().is_none(), "`{name}` is twice on {self:?}");
        value
    }

    /// Returns the string of a field that is a `str`.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Str(text)) => Some(text),
            None => None,
            Some(other) => panic!("`{name}` is {other:?}"),
        }
    }
}

/// A layer that notes all spans and events.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<Item>>>);

impl Recorder {
    /// Returns everything that was noted.
    pub fn items(&self) -> Vec<Item> {
        self.0.lock().unwrap().clone()
    }

    fn only(&self, kind: Kind, name: &str) -> Item {
        let items = self.items();
        let mut found = items.iter().filter(|item| item.kind == kind && item.name == name);
        let item = found.next().unwrap_or_else(|| panic!("no {kind:?} {name:?} among {items:#?}")).clone();
        assert!(found.next().is_none(), "more than one {kind:?} {name:?} among {items:#?}");
        item
    }

    /// Returns the one event with this message.
    pub fn event(&self, message: &str) -> Item {
        self.only(Kind::Event, message)
    }

    /// Returns the one span of this name.
    pub fn span(&self, name: &str) -> Item {
        self.only(Kind::Span, name)
    }

    /// Returns the values that were recorded on open spans.
    pub fn records(&self) -> Vec<Item> {
        self.items().into_iter().filter(|item| item.kind == Kind::Record).collect()
    }

    /// Returns the values of `field` on all events, in their order.
    pub fn on_events(&self, field: &str) -> Vec<Option<String>> {
        let events = self.items().into_iter().filter(|item| item.kind == Kind::Event);
        events.map(|event| event.text(field).map(str::to_owned)).collect()
    }

    fn note(
        &self,
        kind: Kind,
        name: &str,
        parent: Parent,
        visitor: Seen,
        metadata: Option<&'static Metadata<'static>>,
    ) {
        let name = visitor.message.as_deref().unwrap_or(name).to_owned();
        self.0.lock().unwrap().push(Item { kind, name, parent, values: visitor.values, metadata });
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        let parent = parent_of(attributes.parent(), attributes.is_root(), attributes.is_contextual());
        self.note(Kind::Span, attributes.metadata().name(), parent, seen, Some(attributes.metadata()));
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        values.record(&mut seen);
        self.note(Kind::Record, "", Parent::Explicit(span.clone()), seen, None);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        let parent = parent_of(event.parent(), event.is_root(), event.is_contextual());
        self.note(Kind::Event, "", parent, seen, Some(event.metadata()));
    }
}

fn parent_of(explicit: Option<&Id>, is_root: bool, is_contextual: bool) -> Parent {
    match (explicit, is_root, is_contextual) {
        (Some(id), false, false) => Parent::Explicit(id.clone()),
        (None, true, false) => Parent::Root,
        (None, false, true) => Parent::Contextual,
        other => panic!("no kind of parent: {other:?}"),
    }
}

#[derive(Default)]
struct Seen {
    values: Vec<(&'static str, Value)>,
    message: Option<String>,
}

impl Visit for Seen {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.values.push((field.name(), Value::F64(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.values.push((field.name(), Value::I64(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.values.push((field.name(), Value::U64(value)));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.values.push((field.name(), Value::I128(value)));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.values.push((field.name(), Value::U128(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.values.push((field.name(), Value::Bool(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = Some(value.to_owned());
        }
        self.values.push((field.name(), Value::Str(value.to_owned())));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.values.push((field.name(), Value::Bytes(value.to_owned())));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.values.push((field.name(), Value::Error(value.to_string())));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = Some(text.clone());
        }
        self.values.push((field.name(), Value::Debug(text)));
    }
}
