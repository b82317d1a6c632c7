//! `OTEL_CONFIG_FILE`. The files in `declarative` are the examples of open-telemetry/opentelemetry-configuration (Apache 2.0),
//! unchanged, at the commit 3ec7c87.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ctx_layer::setup::{
    self, Compression, Exporter, PropagatorName, Protocol, SamplerName, Settings, SettingsError, SettingsLoader,
};

use crate::collector::{Answer, Collector, attribute};

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/declarative").join(name);
    path.display().to_string()
}

/// A file that is removed with its guard.
struct File(PathBuf);

impl File {
    fn of(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ctx-layer-{}-{name}.yaml", std::process::id()));
        fs::write(&path, text).expect("it is written");
        File(path)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        SettingsLoader::new()
            .variables(variables.iter().copied())
            .variables([("OTEL_CONFIG_FILE", self.0.display().to_string())])
            .load()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn load(name: &str, variables: &[(&str, &str)]) -> Settings {
    let loader = SettingsLoader::new().variables(variables.iter().copied());
    loader.variables([("OTEL_CONFIG_FILE", example(name))]).load().unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_example_to_get_started_loads() {
    let settings = load(
        "otel-getting-started.yaml",
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=shop")],
    );
    let it = &settings.observability;
    assert_eq!(it.traces_endpoint.as_ref().map(|url| url.as_str()), Some("http://collector:4318/v1/traces"));
    assert_eq!(it.logs_endpoint.as_ref().map(|url| url.as_str()), Some("http://collector:4318/v1/logs"));
    assert_eq!(it.otlp_endpoint, None, "the standard variable is used where the file names it only");
    assert_eq!(it.sampler, SamplerName::ParentBasedAlwaysOn);
    assert_eq!(it.propagators, [PropagatorName::TraceContext, PropagatorName::Baggage]);
    assert_eq!(it.resource_attributes.0["service.name"], "shop");
    assert!(
        settings.warnings()[0].contains("`resource.detection/development` has no effect"),
        "{:?}",
        settings.warnings()
    );
}

#[test]
fn the_example_of_all_settings_loads() {
    let settings = load("otel-sdk-config.yaml", &[]);
    let it = &settings.observability;
    assert_eq!(it.traces_compression, Some(Compression::Gzip));
    assert_eq!((it.traces_queue_size, it.logs_delay), (2048, Duration::from_secs(1)));
    assert_eq!(it.resource_attributes.0["service.name"], "unknown_service");
}

#[test]
fn the_example_of_a_migration_loads() {
    let settings = load(
        "otel-sdk-migration-config.yaml",
        &[
            ("OTEL_SDK_DISABLED", "true"),
            ("OTEL_PROPAGATORS", "b3multi"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "77"),
            ("OTEL_TRACES_SAMPLER", "always_off"),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "api-key=k"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ],
    );
    let it = &settings.observability;
    assert!(!it.enabled);
    assert_eq!(it.propagators, [PropagatorName::B3Multi]);
    assert_eq!(it.traces_queue_size, 77);
    assert_eq!(it.sampler, SamplerName::ParentBasedAlwaysOn, "the file does not name OTEL_TRACES_SAMPLER");
    assert_eq!(it.logs_headers.0["api-key"], "k");
    assert_eq!(it.metrics_temporality.as_str(), "delta");
}

#[test]
fn a_provider_that_is_not_in_the_file_exports_nothing() {
    let file = File::of("minimal", "file_format: \"1.0\"\n");
    let variables = [("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER_ARG", "0.5")];
    let settings = file.load(&variables).expect("it has no errors");
    let it = &settings.observability;
    assert_eq!([it.traces_exporter, it.logs_exporter, it.metrics_exporter], [Exporter::None; 3]);
    assert_eq!(it.propagators, [PropagatorName::None]);
    assert_eq!(it.sampling_rate, 1.0, "the standard variables are ignored");
    let own = [("CTX_OBSERVABILITY_SAMPLING_RATE", "0.5")];
    assert_eq!(file.load(&own).expect("it has no errors").observability.sampling_rate, 0.5);
}

#[test]
fn the_files_of_tls_are_those_of_the_signal() {
    let file = File::of(
        "tls",
        "file_format: \"1.0\"\ntracer_provider:\n  processors:\n    - batch:\n        exporter:\n          otlp_grpc:\n            \
         endpoint: https://collector:4317\n            \
         tls: { ca_file: /tls/ca.pem, cert_file: /tls/client.pem, key_file: /tls/client.key }\n",
    );
    let settings = file.load(&[]).expect("it has no errors");
    let it = &settings.observability;
    let paths = [&it.traces_certificate, &it.traces_client_certificate, &it.traces_client_key];
    let paths = paths.map(|path| path.as_deref().and_then(Path::to_str));
    assert_eq!(paths, [Some("/tls/ca.pem"), Some("/tls/client.pem"), Some("/tls/client.key")]);
    assert_eq!([&it.certificate, &it.logs_certificate], [&None, &None]);
}

#[test]
fn nodes_become_settings_with_their_places() {
    let file = File::of(
        "nodes",
        "file_format: \"1.0\"\n\
         tracer_provider:\n  sampler:\n    parent_based:\n      root:\n        trace_id_ratio_based: { ratio: 0.25 }\n  \
         processors:\n    - batch:\n        schedule_delay: 100\n        exporter:\n          otlp_grpc:\n            \
         endpoint: http://collector:4317\n            headers:\n              - name: api-key\n                value: \
         '${KEY}'\n",
    );
    let settings = file.load(&[("KEY", "s3cret")]).expect("it has no errors");
    let it = &settings.observability;
    assert_eq!((it.sampler, it.sampling_rate), (SamplerName::ParentBasedTraceIdRatio, 0.25));
    assert_eq!((it.traces_protocol, it.traces_delay), (Some(Protocol::Grpc), Duration::from_millis(100)));
    assert_eq!(it.traces_headers.0["api-key"], "s3cret");
    let explained = settings.explain();
    assert!(explained.contains("sampling_rate = 0.25  # ") && explained.contains("nodes.yaml:6\n"), "{explained}");
    assert!(!explained.contains("s3cret"));
}

#[test]
fn all_unsupported_nodes_are_named_at_once() {
    let file = File::of(
        "wrong",
        "file_format: \"2.0\"\n\
         disabled: maybe\n\
         tracer_providers: {}\n\
         tracer_provider:\n  processors:\n    - simple:\n        exporter:\n          console:\n    - batch:\n  \
         sampler:\n    jaeger_remote:\n\
         meter_provider:\n  readers:\n    - pull:\n  exemplar_filter: always_on\n\
         logger_provider:\n  processors:\n    - batch:\n        max_queue_size: many\n        exporter:\n          \
         otlp_http:\n            endpoint: ${HOST:?no}\n",
    );
    let error = file.load(&[]).expect_err("there are errors");
    let name = file.0.display().to_string();
    let problems: Vec<String> =
        error.problems().iter().map(|problem| problem.to_string().replace(&format!("{name}:"), "")).collect();
    let expected = [
        "22: found the reference \"${HOST:?no}\", expected \"${NAME}\" or \"${NAME:-default}\"; \"$$\" is a dollar sign",
        "3: `tracer_providers`: found a node that is not supported, expected one of \"file_format\", \"disabled\", \
         \"log_level\", \"resource\", \"attribute_limits\", \"propagator\", \"tracer_provider\", \"meter_provider\" or \
         \"logger_provider\": did you mean `tracer_provider`?",
        "1: `file_format`: found \"2.0\", expected \"1.0\" or \"1.1\"",
        "2: `disabled`: found \"maybe\", expected false: or true",
        "9: `tracer_provider.processors[1]`: found a second one, expected one: a signal is exported to one place",
        "6: `tracer_provider.processors[0].simple`: found a node that is not supported, expected \"batch\"",
        "11: `tracer_provider.sampler.jaeger_remote`: found a node that is not supported, expected one of \"always_on\", \
         \"always_off\", \"trace_id_ratio_based\" or \"parent_based\"",
        "14: `meter_provider.readers[0].pull`: found a node that is not supported, expected \"periodic\"",
        "15: `meter_provider.exemplar_filter`: found \"always_on\", expected \"trace_based\": the SDK for Rust has no \
         exemplars",
        "19: `logger_provider.processors[0].batch.max_queue_size`: found \"many\", expected a number from 1 to 1000000000",
    ];
    assert_eq!(problems, expected, "\n{}", problems.join("\n"));
}

#[test]
fn errors_of_syntax_and_of_reading_say_where() {
    let file = File::of("syntax", "file_format: \"1.0\"\n  a: b: c\n");
    let error = file.load(&[]).expect_err("there are errors").to_string();
    assert!(error.contains("syntax.yaml:2: found an error of syntax"), "{error}");
    let missing = SettingsLoader::new().variables([("OTEL_CONFIG_FILE", "/does/not/exist.yaml")]).load();
    let error = missing.expect_err("there are errors").to_string();
    assert!(error.contains("the variable `OTEL_CONFIG_FILE`: found \"/does/not/exist.yaml\", which cannot"), "{error}");
}

#[test]
fn deep_files_are_errors() {
    for text in ["- ".repeat(10_000), "[".repeat(10_000), "? ".repeat(10_000), "{a: ".repeat(10_000)] {
        let file = File::of("deep", &format!("file_format: \"1.0\"\nresource: {text}\n"));
        assert!(file.load(&[]).is_err());
        let file = File::of("deep", &format!("{text}\n"));
        assert!(file.load(&[]).is_err());
    }
}

#[test]
fn what_the_file_says_is_exported() {
    let collector = Collector::start(Answer::Accept);
    let file = File::of(
        "exported",
        "file_format: \"1.1\"\nresource:\n  attributes:\n    - { name: service.name, value: shop }\n    - { name: shard, \
         value: 7, type: int }\n  attributes_list: shard=1,team=a\ntracer_provider:\n  processors:\n    - batch:\n        \
         exporter:\n          otlp_http: { endpoint: \"${COLLECTOR}/v1/traces\", compression: none }\n",
    );
    let telemetry = setup::builder("orders")
        .variables([("OTEL_CONFIG_FILE", file.0.display().to_string()), ("COLLECTOR", collector.url())])
        .writer(std::io::sink)
        .local()
        .init()
        .expect("it starts");
    telemetry.in_scope(|| tracing::info_span!("request").in_scope(|| tracing::info!("hello")));
    telemetry.shutdown_blocking().expect("it ends in time");
    let _ = collector.span("request");
    assert!(collector.log_records().is_empty() && collector.metrics().is_empty());
    let resource = collector.resources().into_iter().next().expect("it arrived");
    for (name, value) in [("service.name", "shop"), ("shard", "7"), ("team", "a")] {
        assert_eq!(attribute(&resource, name).as_deref(), Some(value), "{name}");
    }
}
