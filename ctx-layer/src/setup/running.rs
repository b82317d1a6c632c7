//! A running stack with its pipelines.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tracing::Dispatch;

use super::{
    filter_handle::FilterHandle,
    pipeline::{ExportCounts, Pipelines},
    report::Reporter,
    settings::Settings,
    shutdown_error::ShutdownError,
};
use crate::{Schema, propagation::Extracted};

/// A running stack with its pipelines, which all handles share. Ends when the last of them is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) schema: Schema,
    pub(crate) pipelines: Arc<Pipelines>,
    pub(crate) dispatch: Dispatch,
    pub(crate) filter: FilterHandle,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) environment: Option<Extracted>,
    pub(crate) is_shut_down: AtomicBool,
}

impl Running {
    pub(crate) fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Acquire)
    }

    fn limit(&self) -> Duration {
        self.settings.observability.shutdown_timeout
    }

    /// Exports what is queued.
    pub(crate) fn flush(&self) -> Result<ExportCounts, ShutdownError> {
        ShutdownError::of(self.pipelines.flush(self.limit())).map(|()| self.reporter.counts())
    }

    /// Exports what is queued and ends the exporters, once.
    pub(crate) fn shutdown(&self) -> Result<ExportCounts, ShutdownError> {
        if self.is_shut_down.swap(true, Ordering::AcqRel) {
            return Ok(self.reporter.counts());
        }
        let errors = self.pipelines.shutdown(self.limit());
        self.reporter.report_end();
        ShutdownError::of(errors).map(|()| self.reporter.counts())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.shutdown() {
            // There may be no subscriber any more that would show it.
            tracing::dispatcher::with_default(&self.dispatch, || {
                tracing::warn!(target: "ctx_layer::setup", error = %error, "the end of the exports failed");
            });
        }
    }
}
