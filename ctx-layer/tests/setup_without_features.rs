//! Settings that need a feature which is missing: `cargo test -p ctx-layer --no-default-features --features setup --test
//! setup_without_features`.
#![cfg(all(
    feature = "setup",
    not(any(
        feature = "setup-b3",
        feature = "setup-config-file",
        feature = "setup-gzip",
        feature = "setup-http-json",
        feature = "setup-tls",
        feature = "setup-xray"
    ))
))]

use ctx_layer::setup::{self, SettingsLoader, SetupError};

#[test]
fn what_needs_a_feature_says_which() {
    let error = setup::builder("orders")
        .variables([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
            ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
            ("OTEL_PROPAGATORS", "b3,xray"),
        ])
        .local()
        .init()
        .expect_err("features are missing");
    let SetupError::Settings(error) = error else { panic!("{error}") };
    let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 5, "{problems:#?}");
    for (variable, feature) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "setup-tls"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "setup-http-json"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "setup-gzip"),
        ("OTEL_PROPAGATORS", "setup-b3"),
        ("OTEL_PROPAGATORS", "setup-xray"),
    ] {
        let is_named = |problem: &&String| {
            problem.starts_with(&format!("the variable `{variable}`"))
                && problem.contains(&format!("expected the feature `{feature}` of `ctx-layer` for it"))
        };
        assert_eq!(problems.iter().filter(is_named).count(), 1, "{feature}: {problems:#?}");
    }
}

#[test]
fn a_file_of_declarative_configuration_needs_its_feature() {
    let error = SettingsLoader::new().variables([("OTEL_CONFIG_FILE", "otel.yaml")]).load().expect_err("it is missing");
    assert!(error.to_string().contains("expected the feature `setup-config-file` of `ctx-layer` for it"), "{error}");
}
