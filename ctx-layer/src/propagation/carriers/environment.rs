//! Environment variables as carriers, by OpenTelemetry's specification.

use std::{collections::BTreeMap, process::Command};

use crate::propagation::{
    boundary::Boundary,
    carrier::{Carrier, CarrierMut},
};

/// Returns the environment variable for a key: in upper case, with `_` in place of other characters than letters,
/// digits and `_`, and before a leading digit.
///
/// ```
/// use ctx_layer::propagation::carriers::normalized_name;
///
/// assert_eq!(normalized_name("traceparent"), "TRACEPARENT");
/// assert_eq!(normalized_name("x-b3.trace id"), "X_B3_TRACE_ID");
/// assert_eq!((normalized_name("3d"), normalized_name("")), ("_3D".to_owned(), "_".to_owned()));
/// ```
pub fn normalized_name(key: &str) -> String {
    if key.is_empty() {
        return "_".to_owned();
    }
    let first = key.starts_with(|c: char| c.is_ascii_digit()).then_some('_');
    let rest = key.chars().map(|c| match c.to_ascii_uppercase() {
        c @ ('A'..='Z' | '0'..='9' | '_') => c,
        _ => '_',
    });
    first.into_iter().chain(rest).collect()
}

/// Environment variables that carry context: those of this process, or those for a child process.
///
/// Keys are [normalized](normalized_name), values are not. Variables with other names are ignored.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, propagation::{self, carriers::Environment}};
///
/// let mut variables = Environment::new();
/// TENANT_ID.in_scope("acme", || propagation::inject(&mut variables));
/// assert_eq!(variables.iter().collect::<Vec<_>>(), [("BAGGAGE", "tenant_id=acme")]);
/// ```
///
/// Other processes of the user can read environment variables, so sensitive fields are never written to them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Creates an empty one.
    pub const fn new() -> Self {
        Environment { variables: BTreeMap::new() }
    }

    /// Returns the current variables of this process. Those that are not Unicode are left out.
    ///
    /// Call it at start-up, before other threads could change them.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Returns the value under a key, which is normalized.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.variables.get(&normalized_name(key)).map(String::as_str)
    }

    /// Sets the value under a key, which is normalized. Does not change the variables of this process.
    pub fn set(&mut self, key: &str, value: &str) {
        self.variables.insert(normalized_name(key), value.to_owned());
    }

    /// Returns the normalized names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Returns the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl std::fmt::Debug for Environment {
    /// Shows the names only, since values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.keys()).finish_non_exhaustive()
    }
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Environment {
    /// Collects the variables with normalized names and ignores the others.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        let variables = variables
            .into_iter()
            .filter(|(key, _)| normalized_name(key.as_ref()) == key.as_ref())
            .map(|(key, value)| (key.as_ref().to_owned(), value.into()))
            .collect();
        Environment { variables }
    }
}

impl Carrier for Environment {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        if let Some(value) = self.get(key) {
            line(value.as_bytes());
        }
    }

    fn boundary(&self) -> &'static Boundary {
        Boundary::environment()
    }
}

impl CarrierMut for Environment {
    fn set(&mut self, key: &str, value: &str) {
        Environment::set(self, key, value);
    }

    fn remove(&mut self, key: &str) {
        self.variables.remove(&normalized_name(key));
    }

    fn is_exposed(&self) -> bool {
        true
    }
}

/// Implements writing to the variables of a child process.
macro_rules! command {
    ($command:ty) => {
        /// The child's variables. Context variables of this process are not inherited if another context is current.
        impl CarrierMut for $command {
            fn set(&mut self, key: &str, value: &str) {
                self.env(normalized_name(key), value);
            }

            fn remove(&mut self, key: &str) {
                self.env_remove(normalized_name(key));
            }

            fn is_exposed(&self) -> bool {
                true
            }
        }
    };
}

command!(Command);
#[cfg(feature = "tokio-process")]
command!(tokio::process::Command);
