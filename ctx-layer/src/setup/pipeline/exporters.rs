//! The exporters of OTLP and of the console.

use std::sync::Arc;

use opentelemetry_http::{HttpClient, hyper::HyperClient};
use opentelemetry_otlp::{
    LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
    tonic_types::metadata::MetadataMap,
};
use opentelemetry_sdk::metrics::Temporality;

use super::{exporter_error::ExporterError, target::Target};
use crate::setup::settings::{Compression, Protocol};

/// Sets on an exporter's builder what all signals have in common, and builds it.
macro_rules! build {
    ($builder:expr, $target:expr) => {{
        let target: &Target = $target;
        match target.protocol {
            Protocol::Grpc => {
                let builder = $builder
                    .with_tonic()
                    .with_endpoint(&target.endpoint)
                    .with_timeout(target.timeout)
                    .with_metadata(metadata(target));
                #[cfg(feature = "setup-tls")]
                let builder = match target.is_https {
                    true => builder.with_tls_config(target.tls.of_grpc()),
                    false => builder,
                };
                match compression(target) {
                    Some(compression) => builder.with_compression(compression).build(),
                    None => builder.build(),
                }
            }
            Protocol::HttpProtobuf | Protocol::HttpJson => {
                let builder = $builder
                    .with_http()
                    .with_protocol(protocol(target))
                    .with_endpoint(&target.endpoint)
                    .with_timeout(target.timeout)
                    .with_headers(target.headers.clone().into_iter().collect())
                    .with_shared_http_client(client(target)?);
                match compression(target) {
                    Some(compression) => builder.with_compression(compression).build(),
                    None => builder.build(),
                }
            }
        }
    }};
}

pub(crate) fn spans(target: &Target) -> Result<SpanExporter, ExporterError> {
    Ok(build!(SpanExporter::builder(), target)?)
}

pub(crate) fn logs(target: &Target) -> Result<LogExporter, ExporterError> {
    Ok(build!(LogExporter::builder(), target)?)
}

pub(crate) fn metrics(target: &Target, temporality: Temporality) -> Result<MetricExporter, ExporterError> {
    Ok(build!(MetricExporter::builder().with_temporality(temporality), target)?)
}

fn protocol(target: &Target) -> opentelemetry_otlp::Protocol {
    match target.protocol {
        #[cfg(feature = "setup-http-json")]
        Protocol::HttpJson => opentelemetry_otlp::Protocol::HttpJson,
        _ => opentelemetry_otlp::Protocol::HttpBinary,
    }
}

fn compression(target: &Target) -> Option<opentelemetry_otlp::Compression> {
    match target.compression {
        Compression::None => None,
        Compression::Gzip => Some(opentelemetry_otlp::Compression::Gzip),
    }
}

fn metadata(target: &Target) -> MetadataMap {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &target.headers {
        // Checked when they were read.
        if let (Ok(name), Ok(value)) = (http::HeaderName::from_bytes(name.as_bytes()), value.parse()) {
            headers.insert(name, value);
        }
    }
    MetadataMap::from_headers(headers)
}

fn client(target: &Target) -> Result<Arc<dyn HttpClient>, ExporterError> {
    #[cfg(feature = "setup-tls")]
    if target.is_https {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(target.tls.of_http()?)
            .https_or_http()
            .enable_http1()
            .build();
        return Ok(Arc::new(HyperClient::new(connector, target.timeout, None)));
    }
    Ok(Arc::new(HyperClient::with_default_connector(target.timeout, None)))
}
