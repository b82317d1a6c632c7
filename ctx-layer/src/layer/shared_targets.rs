//! Targets whose spans serve many requests.

use std::{borrow::Cow, sync::Arc};

/// Targets whose spans carry no fields, including their modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SharedTargets(Arc<[Cow<'static, str>]>);

/// Libraries that create a span when they connect, inside whichever request comes first, and enter it for all requests that use
/// the connection.
const KNOWN: [&str; 6] = ["h2", "hyper", "hyper_util", "quinn", "quinn_proto", "rustls"];

impl Default for SharedTargets {
    fn default() -> Self {
        SharedTargets(KNOWN.map(Cow::Borrowed).into())
    }
}

impl SharedTargets {
    /// Returns a copy with more targets.
    pub(super) fn and(&self, others: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        SharedTargets(self.0.iter().cloned().chain(others.into_iter().map(Into::into)).collect())
    }

    /// Returns `true` for one of the targets, and for a module inside it.
    pub(super) fn contain(&self, target: &str) -> bool {
        self.0.iter().any(|shared| {
            let rest = target.strip_prefix(&**shared);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_contains_its_modules_and_no_crate_of_a_longer_name() {
        let targets = SharedTargets::default().and(["pool::connection"]);
        for shared in ["h2", "h2::client", "pool::connection", "pool::connection::idle"] {
            assert!(targets.contain(shared), "{shared}");
        }
        for other in ["h2o", "pool", "pool::connections", "my::h2", ""] {
            assert!(!targets.contain(other), "{other}");
        }
    }
}
