//! Detecting that another version of OpenTelemetry is used in the process.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;
use tracing::{Metadata, Subscriber, subscriber::Interest};
use tracing_subscriber::Layer;

/// The versions of OpenTelemetry whose call sites were seen.
///
/// A library with another version has globals of its own: what it records goes nowhere, without a word. But OpenTelemetry logs by
/// `tracing`, such as that a provider was set, and a call site has the path of its source, with the version.
#[derive(Debug)]
pub(crate) struct OtherVersions {
    seen: Mutex<BTreeSet<String>>,
    is_reported: AtomicBool,
    /// Wakes what reports: nothing can be logged while a call site is registered.
    losses: Arc<Notify>,
}

impl OtherVersions {
    pub(crate) fn new(losses: Arc<Notify>) -> Arc<Self> {
        Arc::new(OtherVersions { seen: Mutex::default(), is_reported: AtomicBool::new(false), losses })
    }

    /// Returns the versions, once, if there are several.
    pub(crate) fn to_report(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < 2 || self.is_reported.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(seen.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
    }
}

/// The layer that sees the call sites.
pub(crate) struct CallSites(pub(crate) Arc<OtherVersions>);

impl<S: Subscriber> Layer<S> for CallSites {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if let Some(version) = metadata.file().and_then(version_in) {
            let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.insert(version) && seen.len() == 2 {
                self.0.losses.notify_one();
            }
        }
        Interest::always()
    }
}

/// Returns the version of OpenTelemetry in the path of its source, without the patch: `0.33`.
fn version_in(path: &str) -> Option<String> {
    path.split(['/', '\\']).find_map(|folder| {
        let version =
            ["opentelemetry-", "opentelemetry_sdk-"].into_iter().find_map(|name| folder.strip_prefix(name))?;
        let mut parts = version.split('.').take_while(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        Some(format!("{}.{}", parts.next()?, parts.next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_is_in_the_path_of_a_registry() {
        for (path, version) in [
            ("/home/a/.cargo/registry/src/index-1/opentelemetry-0.33.1/src/global/trace.rs", Some("0.33")),
            ("C:\\cargo\\registry\\src\\index-1\\opentelemetry_sdk-0.31.0\\src\\lib.rs", Some("0.31")),
            ("vendor/opentelemetry-1.0.0-rc.1/src/lib.rs", Some("1.0")),
            ("/registry/opentelemetry-otlp-0.33.0/src/lib.rs", None),
            ("/registry/tracing-opentelemetry-0.34.0/src/lib.rs", None),
            ("vendor/opentelemetry/src/lib.rs", None),
            ("opentelemetry-", None),
            ("", None),
        ] {
            assert_eq!(version_in(path).as_deref(), version, "{path}");
        }
    }
}
