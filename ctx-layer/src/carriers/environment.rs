//! Environment variables: OpenTelemetry's specification of environment variables as context propagation carriers.

use std::{collections::BTreeMap, process::Command};

use crate::propagation::{Boundary, Carrier, CarrierMut};

/// The environment variable for a key: in upper case, with `_` for what is no letter, digit or `_`, and before a digit
/// that would come first.
///
/// ```
/// use ctx_layer::carriers::normalized_name;
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

/// Environment variables that carry context: those of this process, or those that a child is to be given.
///
/// Keys are [normalized](normalized_name), and values are not looked at. Variables of other names are left out.
///
/// ```
/// use ctx_layer::{carriers::Environment, field::well_known::TENANT_ID, propagation};
///
/// let mut variables = Environment::new();
/// TENANT_ID.in_scope("acme", || propagation::inject(&mut variables));
/// assert_eq!(variables.iter().collect::<Vec<_>>(), [("BAGGAGE", "tenant_id=acme")]);
/// ```
///
/// Everybody who may look at the process can read them, so sensitive fields never stand there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// With no variables.
    pub const fn new() -> Self {
        Environment { variables: BTreeMap::new() }
    }

    /// The variables of this process, as they are now. Those that are not Unicode are left out.
    ///
    /// To be read at the start, before other threads could change them.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value under a key, which is normalized.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.variables.get(&normalized_name(key)).map(String::as_str)
    }

    /// Sets a value under a key, which is normalized. It changes nothing for this process.
    pub fn set(&mut self, key: &str, value: &str) {
        self.variables.insert(normalized_name(key), value.to_owned());
    }

    /// The names, all of them normalized.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl std::fmt::Debug for Environment {
    /// The names: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.keys()).finish_non_exhaustive()
    }
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Environment {
    /// Takes the variables whose names are normalized, and leaves out the others.
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

/// The child's variables. What this process was started with is not passed on where something else is in force.
impl CarrierMut for Command {
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

/// The child's variables. What this process was started with is not passed on where something else is in force.
#[cfg(feature = "tokio-process")]
impl CarrierMut for tokio::process::Command {
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
