//! Exporters that run on the export runtime, within a time limit, and count.

use std::{fmt, sync::Arc, time::Duration};

use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    logs::{LogBatch, LogExporter},
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter},
};

use super::{counts::Counters, export_runtime::ExportRuntime, limit_length::limit_length};

/// An exporter that runs on the export runtime, within a time limit, and counts.
///
/// Failures are counted and reported here. The SDK gets `Ok`, since it would log each of them.
pub(crate) struct CountedExporter<E> {
    pub(crate) exporter: E,
    pub(crate) runtime: Arc<ExportRuntime>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) timeout: Duration,
    pub(crate) max_attribute_length: Option<usize>,
}

impl<E> CountedExporter<E> {
    async fn counted(&self, count: usize, export: impl Future<Output = OTelSdkResult> + Send) -> OTelSdkResult {
        let limited = async { tokio::time::timeout(self.timeout, export).await };
        let result = match self.runtime.on(limited).await {
            Ok(result) => result,
            Err(_) => Err(OTelSdkError::Timeout(self.timeout)),
        };
        self.counters.dequeue(count);
        match result {
            Ok(()) => self.counters.exported(count),
            Err(error) => self.counters.failed(count, error.to_string()),
        }
        Ok(())
    }
}

impl<E> fmt::Debug for CountedExporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedExporter").field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl<E: SpanExporter> SpanExporter for CountedExporter<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        if let Some(length) = self.max_attribute_length {
            limit_length(&mut batch, length);
        }
        self.counted(count, self.exporter.export(batch)).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.runtime.enter(|| self.exporter.shutdown_with_timeout(timeout))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for CountedExporter<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let count = batch.iter().count();
        self.counted(count, self.exporter.export(batch)).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.runtime.enter(|| self.exporter.shutdown_with_timeout(timeout))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for CountedExporter<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.counted(1, self.exporter.export(metrics)).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.runtime.enter(|| self.exporter.shutdown_with_timeout(timeout))
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
