//! A field without its type.

use std::{
    any::TypeId,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use super::{
    baggage_key,
    fields::Fields,
    name::{self, NameError},
    policy::Policy,
    refused::Refused,
    unregistered::Registration,
};

/// A function that parses a value. Opaque; created by [`context_fields!`](crate::context_fields).
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Parse(pub(crate) fn(&mut Fields, &'static Declaration, &str) -> Result<(), Refused>);

impl fmt::Debug for Parse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parse")
    }
}

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

/// An error of declaring a field at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeclareError {
    /// The field name or the policy's baggage key is not legal.
    Name {
        /// The name.
        name: String,
        /// The reason.
        reason: NameError,
    },
    /// The field is already declared with another type or policy.
    Conflict {
        /// The name.
        name: String,
    },
}

impl fmt::Display for DeclareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeclareError::Name { name, reason } => write!(f, "{name:?} cannot be declared: {reason}"),
            DeclareError::Conflict { name } => write!(
                f,
                "the field `{name}` was declared before with another type or policy: declare it once, at start-up"
            ),
        }
    }
}

impl std::error::Error for DeclareError {}

/// A field declared at run time, with its leaked typed key.
struct AtRunTime {
    name: &'static str,
    type_id: TypeId,
    policy: Policy,
    key: &'static (dyn std::any::Any + Send + Sync),
}

static AT_RUN_TIME: Mutex<Vec<AtRunTime>> = Mutex::new(Vec::new());

/// Returns the key of a field declared at run time, and creates it if it is new. Leaks one key per name.
pub(super) fn at_run_time<K: Send + Sync + 'static>(
    name: &str,
    policy: Policy,
    make: impl FnOnce(&'static str) -> Result<K, NameError>,
) -> Result<&'static K, DeclareError> {
    // No code can panic while the lock is held, so a poisoned list is still complete.
    let mut declared = AT_RUN_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = declared.iter().find(|known| known.name == name) {
        let same = known.type_id == TypeId::of::<K>() && known.policy == policy;
        return known
            .key
            .downcast_ref()
            .filter(|_| same)
            .ok_or_else(|| DeclareError::Conflict { name: name.to_owned() });
    }
    name::check(name).map_err(|reason| DeclareError::Name { name: name.to_owned(), reason })?;
    let name: &'static str = Box::leak(name.into());
    let key = make(name).map_err(|reason| DeclareError::Name { name: name.to_owned(), reason })?;
    let key: &'static K = Box::leak(Box::new(key));
    declared.push(AtRunTime { name, type_id: TypeId::of::<K>(), policy, key });
    Ok(key)
}
