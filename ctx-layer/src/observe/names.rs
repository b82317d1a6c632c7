//! The names of values to mask in `Debug` output.

use super::secret_name::{is_same, is_secret};

/// The names given to the attribute, in addition to the known names of secrets.
#[derive(Debug)]
pub struct Names {
    pub redact: &'static [&'static str],
    pub reveal: &'static [&'static str],
}

impl Names {
    pub const NONE: &'static Names = &Names { redact: &[], reveal: &[] };

    /// Returns `true` if one of the names, which are separated by blanks, is that of a secret.
    pub(super) fn hides_any_of(&self, names: &str) -> bool {
        let is_among = |name: &str, given: &[&str]| given.iter().any(|given| is_same(given, name));
        names.split(' ').any(|name| is_among(name, self.redact) || is_secret(name) && !is_among(name, self.reveal))
    }
}
