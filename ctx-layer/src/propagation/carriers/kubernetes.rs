//! Containers of Kubernetes.

use k8s_openapi::api::core::v1::EnvVar;

use super::environment::normalized_name;
use crate::propagation::carrier::{Carrier, CarrierMut};

/// The variables of a container. The program in it reads them with [`from_environment`](crate::propagation::from_environment).
///
/// Names are [normalized](normalized_name). Variables from a secret or a config map are not read.
impl Carrier for Vec<EnvVar> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        let name = normalized_name(key);
        let mut values =
            self.iter().filter(|variable| variable.name == name).filter_map(|variable| variable.value.as_ref());
        // As in a container, the last one counts.
        if let Some(value) = values.next_back() {
            line(unescaped(value).as_bytes());
        }
    }
}

/// Other variables stay as and where they are. Sensitive fields are not written: other users of the cluster can read the variables.
impl CarrierMut for Vec<EnvVar> {
    fn set(&mut self, key: &str, value: &str) {
        CarrierMut::remove(self, key);
        self.push(EnvVar { name: normalized_name(key), value: Some(escaped(value)), value_from: None });
    }

    fn remove(&mut self, key: &str) {
        let name = normalized_name(key);
        self.retain(|variable| variable.name != name);
    }

    fn is_exposed(&self) -> bool {
        true
    }
}

/// Escapes `$`, since Kubernetes replaces `$(NAME)` in values by the value of another variable, which may be a secret.
fn escaped(value: &str) -> String {
    value.replace('$', "$$")
}

/// Returns what a container gets for a value without references.
fn unescaped(value: &str) -> String {
    value.replace("$$", "$")
}
