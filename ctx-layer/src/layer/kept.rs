//! Values of a span that outlive the visit that shows them.

use std::{fmt, sync::Arc};

use smallvec::SmallVec;
use tracing_core::{
    Field,
    field::{DebugValue, Value, Visit, debug},
};

/// A value with its type, or its `Debug` output.
#[derive(Clone)]
pub(super) enum KeptValue {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Text(Arc<String>),
    Formatted(DebugValue<Formatted>),
}

/// The `Debug` output of a value.
#[derive(Clone)]
pub(super) struct Formatted(Arc<str>);

impl fmt::Debug for Formatted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeptValue {
    pub(super) fn as_value(&self) -> &dyn Value {
        match self {
            KeptValue::Bool(v) => v,
            KeptValue::I64(v) => v,
            KeptValue::U64(v) => v,
            KeptValue::F64(v) => v,
            KeptValue::Text(v) => &**v,
            KeptValue::Formatted(v) => v,
        }
    }
}

/// A visitor that keeps the values of the fields that `wants` selects.
pub(super) struct Keep<W> {
    wants: W,
    pub(super) found: SmallVec<[(Field, KeptValue); 2]>,
}

impl<W: Fn(&Field) -> bool> Keep<W> {
    pub(super) fn new(wants: W) -> Self {
        Keep { wants, found: SmallVec::new() }
    }

    fn take(&mut self, field: &Field, value: impl FnOnce() -> KeptValue) {
        if (self.wants)(field) {
            self.found.push((field.clone(), value()));
        }
    }
}

impl<W: Fn(&Field) -> bool> Visit for Keep<W> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, || KeptValue::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, || KeptValue::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, || KeptValue::U64(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, || KeptValue::F64(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, || KeptValue::Text(Arc::new(value.to_owned())));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, || KeptValue::Formatted(debug(Formatted(format!("{value:?}").into()))));
    }
}
