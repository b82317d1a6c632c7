//! The place that a signal is exported to, from the settings.

use std::{collections::BTreeMap, time::Duration};

use super::signal::Signal;
use crate::setup::settings::{Compression, Exporter, Observability, Origin, Protocol, Settings, SettingsProblem};

/// The place that a signal is exported to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) signal: Signal,
    pub(crate) exporter: Exporter,
    pub(crate) protocol: Protocol,
    /// With the signal's path, if the protocol is one of HTTP.
    pub(crate) endpoint: String,
    pub(crate) is_https: bool,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    #[cfg(feature = "setup-tls")]
    pub(crate) tls: super::tls::Tls,
}

/// The port of gRPC, by the specification of OTLP.
const GRPC_PORT: u16 = 4317;

impl Target {
    /// Returns the target of a signal, or the problems of its settings that are seen only together.
    pub(crate) fn of(signal: Signal, settings: &Settings) -> Result<Self, Vec<SettingsProblem>> {
        let it = &settings.observability;
        let (exporter, endpoint, protocol, headers, timeout, compression) = match signal {
            Signal::Traces => (
                it.traces_exporter,
                &it.traces_endpoint,
                it.traces_protocol,
                &it.traces_headers,
                it.traces_timeout,
                it.traces_compression,
            ),
            Signal::Logs => (
                it.logs_exporter,
                &it.logs_endpoint,
                it.logs_protocol,
                &it.logs_headers,
                it.logs_timeout,
                it.logs_compression,
            ),
            Signal::Metrics => (
                it.metrics_exporter,
                &it.metrics_endpoint,
                it.metrics_protocol,
                &it.metrics_headers,
                it.metrics_timeout,
                it.metrics_compression,
            ),
        };
        let is_on = it.enabled && (signal != Signal::Traces || it.tracing_enabled);
        let url = endpoint.as_ref().or(it.otlp_endpoint.as_ref());
        let protocol = protocol.or(it.protocol).unwrap_or(match url.and_then(|url| url.port()) {
            Some(GRPC_PORT) => Protocol::Grpc,
            _ => Protocol::HttpProtobuf,
        });
        let compression = compression.unwrap_or(it.compression);
        #[allow(unused_mut, reason = "the certificates are read with their feature only")]
        let mut target = Target {
            signal,
            exporter: if is_on { exporter } else { Exporter::None },
            protocol,
            endpoint: address(signal, it, protocol),
            is_https: url.is_some_and(|url| url.is_https()),
            headers: if headers.0.is_empty() { it.headers.0.clone() } else { headers.0.clone() },
            timeout: timeout.unwrap_or(it.timeout),
            compression,
            #[cfg(feature = "setup-tls")]
            tls: super::tls::Tls::default(),
        };
        #[allow(unused_mut, reason = "the certificates are read with their feature only")]
        let mut problems = target.problems(settings);
        #[cfg(feature = "setup-tls")]
        if target.exporter == Exporter::Otlp && target.is_https {
            match super::tls::Tls::read(signal, settings) {
                Ok(tls) => target.tls = tls,
                Err(mut of_files) => problems.append(&mut of_files),
            }
        }
        if problems.is_empty() { Ok(target) } else { Err(problems) }
    }

    /// Returns the features that are missing.
    fn problems(&self, settings: &Settings) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        if self.exporter != Exporter::Otlp {
            return problems;
        }
        let mut need = |key: &str, general: &str, is_needed: bool, has_it: bool, found: &str, feature: &str| {
            if !is_needed || has_it {
                return;
            }
            let origin = match settings.origin(&format!("observability.{}_{key}", self.signal.as_str())) {
                Origin::Default => settings.origin(&format!("observability.{general}")),
                origin => origin,
            };
            let expected = format!("the feature `{feature}` of `ctx-layer` for it, or another value");
            problems.push(SettingsProblem::new(origin.clone(), found, expected));
        };
        let is_json = self.protocol == Protocol::HttpJson;
        let is_gzip = self.compression == Compression::Gzip;
        need("endpoint", "otlp_endpoint", self.is_https, cfg!(feature = "setup-tls"), "https://", "setup-tls");
        need("protocol", "protocol", is_json, cfg!(feature = "setup-http-json"), "http/json", "setup-http-json");
        need("compression", "compression", is_gzip, cfg!(feature = "setup-gzip"), "gzip", "setup-gzip");
        problems
    }
}

/// Returns the address with the signal's path, by "OpenTelemetry Protocol Exporter", "Endpoint URLs for OTLP/HTTP".
fn address(signal: Signal, it: &Observability, protocol: Protocol) -> String {
    let of_signal = match signal {
        Signal::Traces => &it.traces_endpoint,
        Signal::Logs => &it.logs_endpoint,
        Signal::Metrics => &it.metrics_endpoint,
    };
    let is_grpc = protocol == Protocol::Grpc;
    match (of_signal, &it.otlp_endpoint) {
        (Some(url), _) => url.as_str().to_owned(),
        (None, Some(url)) if is_grpc => url.as_str().to_owned(),
        (None, Some(url)) => format!("{}/v1/{}", url.as_str().trim_end_matches('/'), signal.as_str()),
        (None, None) if is_grpc => "http://localhost:4317".to_owned(),
        (None, None) => format!("http://localhost:4318/v1/{}", signal.as_str()),
    }
}
