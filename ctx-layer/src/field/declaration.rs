//! A field without its type.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use super::{
    baggage_key,
    name::{self, NameError},
    parser::Parse,
    policy::Policy,
    registration::Registration,
};

/// The source of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Set by the program, or received as baggage.
    Stored,
    /// Read from the active OpenTelemetry span.
    Derived(Derived),
}

/// A value that is read from the active OpenTelemetry span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derived {
    TraceId,
    SpanId,
}

/// A declared field without its type: its name, documentation and policy.
///
/// Returned by [`ContextField::declaration`](super::ContextField::declaration).
pub struct Declaration {
    name: &'static str,
    doc: &'static str,
    policy: Policy,
    origin: Origin,
    parse: Option<Parse>,
    /// A dense number, unique in the process. 0 until it is first needed.
    id: AtomicU32,
    has_warned: AtomicBool,
    pub(super) registration: Registration,
}

impl AsRef<Declaration> for Declaration {
    fn as_ref(&self) -> &Declaration {
        self
    }
}

impl Declaration {
    pub(crate) const fn new(
        name: &'static str,
        doc: &'static str,
        policy: Policy,
        origin: Origin,
        parse: Option<Parse>,
    ) -> Result<Self, NameError> {
        match name::check(name) {
            Ok(()) => {
                if let Some(key) = policy.own_baggage_key()
                    && !baggage_key::is_legal(key)
                {
                    return Err(NameError::BaggageKey);
                }
                let (id, has_warned, registration) = (AtomicU32::new(0), AtomicBool::new(false), Registration::new());
                Ok(Declaration { name, doc, policy, origin, parse, id, has_warned, registration })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the field's name on spans and events.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the field's documentation as declared. Empty for fields declared at run time.
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// Returns the field's policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the field's key in W3C baggage.
    pub fn baggage_key(&self) -> &'static str {
        self.policy.own_baggage_key().unwrap_or(self.name)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn parse(&self) -> Option<Parse> {
        self.parse
    }

    /// Returns the field's number. Numbers are dense, so they can index a small array.
    #[inline]
    pub(crate) fn id(&self) -> usize {
        match self.id.load(Ordering::Relaxed) {
            0 => self.assign_id(),
            id => id as usize,
        }
    }

    /// Warns once that a number was set that is not finite.
    #[cold]
    pub(super) fn warn_not_finite(&self) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                field = self.name,
                "a number that is not finite was set: it is neither shown nor sent. Set finite ones, or `unset` the field"
            );
        }
    }

    #[cold]
    fn assign_id(&self) -> usize {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        match self.id.compare_exchange(0, id, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => id as usize,
            Err(id) => id as usize,
        }
    }
}

impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declaration").field("name", &self.name).field("policy", &self.policy).finish_non_exhaustive()
    }
}
