//! Fields that are declared at run time.

use std::{
    any::TypeId,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::{
    name::{self, NameError},
    policy::Policy,
};

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
pub(super) fn key<K: Send + Sync + 'static>(
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
