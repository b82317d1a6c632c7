//! The certificates of connections to a collector.

use std::{fmt, path::PathBuf, sync::Arc};

use hyper_rustls::ConfigBuilderExt;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{exporter_error::ExporterError, signal::Signal};
use crate::setup::settings::{Origin, Settings, SettingsProblem, read_file};

/// The certificates of connections to a collector, as PEM that was checked.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    /// The trusted certificates; those of the system if there are none.
    roots: Option<String>,
    /// The certificates of this client, and its key.
    identity: Option<(String, String)>,
}

impl Tls {
    /// Reads the files of a signal. Returns the problems of all of them.
    pub(crate) fn read(signal: Signal, settings: &Settings) -> Result<Self, Vec<SettingsProblem>> {
        let it = &settings.observability;
        let (roots, certificate, key) = match signal {
            Signal::Traces => (&it.traces_certificate, &it.traces_client_certificate, &it.traces_client_key),
            Signal::Logs => (&it.logs_certificate, &it.logs_client_certificate, &it.logs_client_key),
            Signal::Metrics => (&it.metrics_certificate, &it.metrics_client_certificate, &it.metrics_client_key),
        };
        let mut files = Files { signal, settings, problems: Vec::new() };
        let roots = files.read("certificate", roots, &it.certificate, are_roots);
        let certificate = files.read("client_certificate", certificate, &it.client_certificate, are_certificates);
        let key = files.read("client_key", key, &it.client_key, is_key);
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => files.lacks("client_certificate", "a certificate without its key", "`client_key`, too"),
            (None, Some(_)) => files.lacks("client_key", "a key without its certificate", "`client_certificate`, too"),
        };
        if files.problems.is_empty() { Ok(Tls { roots, identity }) } else { Err(files.problems) }
    }

    /// Returns the configuration of connections of HTTP.
    pub(crate) fn of_http(&self) -> Result<ClientConfig, ExporterError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?;
        let builder = match &self.roots {
            Some(pem) => builder.with_root_certificates(roots(pem)?),
            None => builder.with_native_roots()?,
        };
        Ok(match &self.identity {
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates(certificate)?, PrivateKeyDer::from_pem_slice(key.as_bytes())?)?,
            None => builder.with_no_client_auth(),
        })
    }

    /// Returns the configuration of connections of gRPC.
    pub(crate) fn of_grpc(&self) -> ClientTlsConfig {
        let config = match &self.roots {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        match &self.identity {
            Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
            None => config,
        }
    }
}

impl fmt::Debug for Tls {
    /// Shows what is there, and no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("has_roots", &self.roots.is_some())
            .field("has_identity", &self.identity.is_some())
            .finish()
    }
}

/// The files of a signal that are being read, with the problems so far.
struct Files<'a> {
    signal: Signal,
    settings: &'a Settings,
    problems: Vec<SettingsProblem>,
}

impl Files<'_> {
    /// Reads the file of a setting of the signal, or else of that of all signals.
    fn read(
        &mut self,
        key: &str,
        of_signal: &Option<PathBuf>,
        of_all: &Option<PathBuf>,
        check: fn(&str) -> Result<(), String>,
    ) -> Option<String> {
        let path = of_signal.as_ref().or(of_all.as_ref())?;
        let read = read_file(path).map_err(|error| format!("which cannot be read: {error}"));
        let checked = read.and_then(|pem| check(&pem).map(|()| pem));
        match checked {
            Ok(pem) => Some(pem),
            Err(error) => {
                let found = format!("{:?}, {error}", path.to_string_lossy());
                let expected =
                    if key == "client_key" { "a file of a PEM private key" } else { "a file of PEM certificates" };
                self.problems.push(SettingsProblem::new(self.origin(key), found, expected));
                None
            }
        }
    }

    /// Reports the setting of one of two that need each other, unless it is the other's file that has a problem.
    fn lacks<T>(&mut self, key: &str, found: &str, expected: &str) -> Option<T> {
        if self.problems.is_empty() {
            self.problems.push(SettingsProblem::new(self.origin(key), found, expected));
        }
        None
    }

    fn origin(&self, key: &str) -> Origin {
        match self.settings.origin(&format!("observability.{}_{key}", self.signal.as_str())) {
            Origin::Default => self.settings.origin(&format!("observability.{key}")).clone(),
            origin => origin.clone(),
        }
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("which has no PEM certificate".to_owned()),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("which is no PEM: {error}")),
    }
}

fn roots(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| format!("which has a certificate that is not valid: {error}"))?;
    }
    Ok(roots)
}

fn are_roots(pem: &str) -> Result<(), String> {
    roots(pem).map(drop)
}

fn are_certificates(pem: &str) -> Result<(), String> {
    certificates(pem).map(drop)
}

fn is_key(pem: &str) -> Result<(), String> {
    let key =
        PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| format!("which has no PEM key: {error}"))?;
    // The reason is not shown: it is about a secret.
    ring::sign::any_supported_type(&key).map(drop).map_err(|_| "whose key is of an unknown kind".to_owned())
}
