//! The failure of a send, a settlement or a handler.

use std::fmt;

use tracing::{Span, record_all};

use crate::{error_type::error_type_of, panic::Panicked, span_string};

/// The class and the message of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(super) kind: &'static str,
    pub(super) description: String,
}

impl Failure {
    /// Creates the failure of an error.
    pub(super) fn of<E: fmt::Display>(error: &E) -> Self {
        Failure { kind: error_type_of::<E>(), description: error.to_string() }
    }

    /// Creates the failure of a panic.
    pub(super) fn of_panic(panicked: &Panicked) -> Self {
        Failure { kind: "panic", description: panicked.to_string() }
    }

    /// Records the failure on a span, whose status becomes ERROR.
    #[cold]
    pub(super) fn record_on(&self, span: &Span) {
        record_all!(span, error.type = self.kind, otel.status_description = span_string::cut(&self.description));
    }
}
