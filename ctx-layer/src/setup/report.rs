//! Reports of what was lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tracing::{Dispatch, dispatcher::WeakDispatch};

use super::{
    other_versions::OtherVersions,
    pipeline::{ExportCounts, SignalCounters, SignalCounts},
};
use crate::output::LostLines;

/// Logs what was lost since the last report, as one warning for each signal, and why more may be lost.
#[derive(Debug)]
pub(crate) struct Reporter {
    counters: Arc<SignalCounters>,
    lost_lines: Option<LostLines>,
    versions: Arc<OtherVersions>,
    /// Weak, since the subscriber owns the exporters, and they this.
    dispatch: Mutex<Option<WeakDispatch>>,
    reported: Mutex<ExportCounts>,
}

impl Reporter {
    pub(crate) fn new(
        counters: Arc<SignalCounters>,
        lost_lines: Option<LostLines>,
        versions: Arc<OtherVersions>,
    ) -> Arc<Self> {
        Arc::new(Reporter {
            counters,
            lost_lines,
            versions,
            dispatch: Mutex::new(None),
            reported: Mutex::new(ExportCounts::default()),
        })
    }

    pub(crate) fn set_dispatch(&self, dispatch: &Dispatch) {
        *self.dispatch.lock().unwrap_or_else(PoisonError::into_inner) = Some(dispatch.downgrade());
    }

    pub(crate) fn counts(&self) -> ExportCounts {
        let lost_lines = self.lost_lines.as_ref().map_or(0, LostLines::count);
        ExportCounts { lost_lines, ..self.counters.counts() }
    }

    /// Reports when something is lost, and then not again before the interval is over.
    pub(crate) async fn run(reporter: std::sync::Weak<Self>, interval: Duration) {
        let Some(losses) = reporter.upgrade().map(|reporter| Arc::clone(&reporter.counters.losses)) else { return };
        loop {
            losses.notified().await;
            let Some(reporter) = reporter.upgrade() else { return };
            reporter.report();
            drop(reporter);
            tokio::time::sleep(interval).await;
        }
    }

    pub(crate) fn report(&self) {
        let counts = self.counts();
        let before = {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *reported, counts)
        };
        let dispatch = self.dispatch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(dispatch) = dispatch.and_then(|dispatch| dispatch.upgrade()) else { return };
        // The thread of the exports suppresses what is logged on it.
        let _exported = opentelemetry::Context::new().attach();
        tracing::dispatcher::with_default(&dispatch, || {
            if let Some(versions) = self.versions.to_report() {
                tracing::warn!(
                    target: "ctx_layer::setup",
                    versions,
                    "several versions of OpenTelemetry are used: what a library records with another than that of `ctx-layer` is \
                     not exported. `cargo tree -d` says which library"
                );
            }
            let counters = &self.counters;
            signal("traces", before.traces, counts.traces, counters.traces.last_error());
            signal("logs", before.logs, counts.logs, counters.logs.last_error());
            signal("metrics", before.metrics, counts.metrics, counters.metrics.last_error());
        });
    }

    /// Reports the rest, and what the end left in the queues.
    pub(crate) fn report_end(&self) {
        self.report();
        let counts = self.counts();
        let dispatch = self.dispatch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(dispatch) = dispatch.and_then(|dispatch| dispatch.upgrade()) else { return };
        tracing::dispatcher::with_default(&dispatch, || {
            for (signal, counts) in [("traces", counts.traces), ("logs", counts.logs)] {
                if counts.queued > 0 {
                    tracing::warn!(
                        target: "ctx_layer::setup",
                        signal, queued = counts.queued,
                        "lost, because the end took too long: is the collector slow? Else raise `shutdown_timeout`"
                    );
                }
            }
        });
    }
}

fn signal(signal: &str, before: SignalCounts, now: SignalCounts, error: Option<String>) {
    let (failed, dropped) = (now.failed - before.failed, now.dropped - before.dropped);
    if failed > 0 {
        tracing::warn!(
            target: "ctx_layer::setup",
            signal, failed, dropped, error,
            "could not be exported: is the collector there, and are endpoint, protocol and headers right?"
        );
    } else if dropped > 0 {
        tracing::warn!(
            target: "ctx_layer::setup",
            signal, dropped,
            "dropped, because the queue is full: is the collector slow? Else raise the queue's size"
        );
    }
}
