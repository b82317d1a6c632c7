//! Certificates: those of the collector, and those of the client.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
};

use ctx_layer::setup::{self, ExportCounts, Setup, SetupError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer, server::WebPkiClientVerifier};

use crate::collector::{Answer, Collector};

/// An authority with a certificate for `localhost` and one of a client, and their files, which are removed with it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("ctx-layer-tls-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder).expect("it is created");
        let mut params = CertificateParams::new([]).expect("it has no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("it is generated");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("it is signed");
        fs::write(folder.join("authority.pem"), issuer.pem()).expect("it is written");
        let authority = Authority { issuer, folder };
        let (certificate, key) = authority.certified("client");
        fs::write(authority.folder.join("client.pem"), certificate.pem()).expect("it is written");
        fs::write(authority.folder.join("client.key"), key.serialize_pem()).expect("it is written");
        authority
    }

    fn certified(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("it is generated");
        let params = CertificateParams::new([name.to_owned()]).expect("it is a name");
        (params.signed_by(&key, &self.issuer).expect("it is signed"), key)
    }

    fn path(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    /// Starts a collector that has a certificate of this authority, and wants one of its clients or not.
    fn collector(&self, asks_clients: bool) -> Collector {
        let provider = Arc::new(ring::default_provider());
        let (certificate, key) = self.certified("localhost");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key");
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().expect("they are known");
        let builder = if asks_clients {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).expect("it is an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("it has roots"))
        } else {
            builder.with_no_client_auth()
        };
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).expect("they belong together");
        Collector::start_tls(Answer::Accept, config)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn to(url: &str, protocol: &str) -> Setup {
    setup::builder("orders")
        .variables([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000"),
            ("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "30s"),
            ("RUST_LOG", "info"),
        ])
        .writer(std::io::sink)
        .local()
}

/// Exports a span, a record and metrics, and returns what became of them.
fn export(setup: Setup) -> ExportCounts {
    let telemetry = setup.init().expect("it starts");
    telemetry.in_scope(|| tracing::info_span!("request").in_scope(|| tracing::info!("hello")));
    telemetry.shutdown_blocking().expect("it ends in time")
}

const PROTOCOLS: [&str; 3] = ["http/protobuf", "http/json", "grpc"];

#[test]
fn a_private_certificate_is_trusted_if_its_file_is_named() {
    let authority = Authority::new();
    for protocol in PROTOCOLS {
        let collector = authority.collector(false);
        let unknown = export(to(&collector.url(), protocol));
        assert_eq!((unknown.traces.exported, unknown.traces.failed), (0, 1), "{protocol}");
        assert_eq!(collector.requests(), 0, "{protocol}");

        let ca = [("OTEL_EXPORTER_OTLP_CERTIFICATE", authority.path("authority.pem"))];
        let known = export(to(&collector.url(), protocol).variables(ca));
        let exported = [known.traces.exported, known.logs.exported, known.metrics.exported];
        assert_eq!(exported, [1, 1, 1], "{protocol}: {known:?}");
        if protocol != "http/json" {
            assert_eq!((collector.spans().len(), collector.log_records().len()), (1, 1), "{protocol}");
        }
    }
}

#[test]
fn a_certificate_of_one_signal_replaces_that_of_all() {
    let (authority, other) = (Authority::new(), Authority::new());
    for protocol in PROTOCOLS {
        let collector = authority.collector(false);
        let counts = export(to(&collector.url(), protocol).variables([
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", other.path("authority.pem")),
            ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", authority.path("authority.pem")),
        ]));
        assert_eq!((counts.traces.exported, counts.logs.exported), (1, 0), "{protocol}: {counts:?}");
        assert_eq!((counts.traces.failed, counts.logs.failed), (0, 1), "{protocol}: {counts:?}");
    }
}

#[test]
fn a_client_shows_its_certificate() {
    let authority = Authority::new();
    for protocol in PROTOCOLS {
        let collector = authority.collector(true);
        let ca = [("OTEL_EXPORTER_OTLP_CERTIFICATE", authority.path("authority.pem"))];
        let without = export(to(&collector.url(), protocol).variables(ca.clone()));
        assert_eq!((without.traces.exported, without.traces.failed), (0, 1), "{protocol}");

        let identity = [
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", authority.path("client.pem")),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", authority.path("client.key")),
        ];
        let with = export(to(&collector.url(), protocol).variables(ca).variables(identity));
        let exported = [with.traces.exported, with.logs.exported, with.metrics.exported];
        assert_eq!(exported, [1, 1, 1], "{protocol}: {with:?}");
    }
}

fn problems(variables: &[(&str, String)]) -> Vec<String> {
    let setup = to("https://localhost:4318", "http/protobuf").variables(variables.iter().cloned());
    match setup.init() {
        Err(SetupError::Settings(error)) => error.problems().iter().map(ToString::to_string).collect(),
        other => panic!("not an error of the settings: {other:?}"),
    }
}

#[test]
fn files_without_certificates_are_errors_all_at_once() {
    let authority = Authority::new();
    fs::write(Path::new(&authority.folder).join("empty"), "hello").expect("it is written");
    fs::write(
        Path::new(&authority.folder).join("broken"),
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
    )
    .expect("it is written");
    let found = problems(&[
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/does/not/exist".to_owned()),
        ("OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", authority.path("broken")),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", authority.path("empty")),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", authority.path("client.pem")),
    ]);
    assert_eq!(found.len(), 4, "{found:#?}");
    for (problem, begin, has) in [
        (&found[0], "the variable `OTEL_EXPORTER_OTLP_CERTIFICATE`", "which cannot be read"),
        (&found[1], "the variable `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`", "which has no PEM certificate"),
        (&found[2], "the variable `OTEL_EXPORTER_OTLP_CLIENT_KEY`", "which has no PEM key"),
        (&found[3], "the variable `OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE`", "a certificate that is not valid"),
    ] {
        assert!(problem.starts_with(begin) && problem.contains(has), "{found:#?}");
    }
    let lonely = problems(&[("OTEL_EXPORTER_OTLP_CLIENT_KEY", authority.path("client.key"))]);
    assert_eq!(
        lonely,
        ["the variable `OTEL_EXPORTER_OTLP_CLIENT_KEY`: found a key without its certificate, expected \
          `client_certificate`, too"]
    );
}
