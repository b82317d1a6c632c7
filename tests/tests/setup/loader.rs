//! Settings from all their places, and what is wrong with them.

use std::time::Duration;

use ctx_layer::setup::{
    Exporter, FieldKind, Origin, PropagatorName, Protocol, SamplerName, Settings, SettingsError, SettingsLoader, Shown,
};

/// The file of the issue that asked for this.
const FILE: &str = r#"
[default.observability]
enabled = true
tracing_enabled = true
otlp_endpoint = "http://localhost:4317"
sampling_rate = 1.0
service_name_override = "my-awesome-service"

[default.context]
fields = [
    "request_id",
    "trace_id",
    "span_id",
    "tenant_id",
    "user_id",
    "role",
    "locale",
    "correlation_id",
    "feature_flags",
]
"#;

fn file(text: &str) -> SettingsLoader {
    SettingsLoader::new().text("settings.toml", text)
}

fn lines(result: Result<Settings, SettingsError>) -> Vec<String> {
    result.expect_err("there are errors").problems().iter().map(ToString::to_string).collect()
}

#[test]
fn the_given_file_works_as_it_is() {
    let settings = file(FILE).load().expect("it has no errors");
    let it = &settings.observability;
    assert!(it.enabled && it.tracing_enabled);
    assert_eq!(it.otlp_endpoint.as_ref().map(|url| url.as_str()), Some("http://localhost:4317"));
    assert_eq!(it.service_name_override.as_deref(), Some("my-awesome-service"));
    assert_eq!(settings.context, Settings::default().context);
}

#[test]
fn a_list_alone_is_the_list_of_fields() {
    let settings = file("[default]\ncontext = [\"tenant_id\", \"user_id\"]").load().expect("it has no errors");
    let names: Vec<_> = settings.context.fields.0.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["tenant_id", "user_id"]);
}

#[test]
fn each_place_is_over_the_one_before() {
    let text = "[default.observability]\nsampling_rate = 0.5\ntimeout = \"1s\"\nlog_filter = \"warn\"\n\
                [production.observability]\nsampling_rate = 0.25\ntimeout = 2000\n";
    let mut settings = file(text)
        .profile("production")
        .variables([("OTEL_TRACES_SAMPLER_ARG", "0.125"), ("CTX_OBSERVABILITY_SAMPLING_RATE", "0.0625")])
        .load()
        .expect("it has no errors");
    assert_eq!(settings.observability.sampling_rate, 0.0625, "the library's own variable is over the standard one");
    assert_eq!(settings.observability.timeout, Duration::from_secs(2), "the profile is over the default one");
    assert_eq!(settings.observability.log_filter.as_str(), "warn");
    settings.change(|settings| settings.observability.sampling_rate = 1.0);

    let file_at = |line, key: &str| Origin::File { path: "settings.toml".into(), line, key: key.to_owned() };
    assert_eq!(settings.origin("observability.timeout"), &file_at(7, "production.observability.timeout"));
    assert_eq!(settings.origin("observability.log_filter"), &file_at(4, "default.observability.log_filter"));
    assert_eq!(settings.origin("observability.sampling_rate"), &Origin::Code);
    assert_eq!(settings.origin("observability.enabled"), &Origin::Default);
}

#[test]
fn all_errors_come_at_once_with_their_places() {
    let text = "[default.observability]\nenabeld = true\nprotocol = \"grcp\"\nsampling_rate = \"all\"\n\
                [default.contxt]\nfields = []\n\
                [production.observability]\nheaders = { \"x-key\" = [1] }\n\
                [default.context]\nfields = [\n  \"tenant_id\",\n  { name = \"plan\", typ = \"string\" },\n  7,\n]\n";
    let errors = lines(
        file(text)
            .variables([
                ("OTEL_PROPAGATORS", "tracecontext,b4"),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
                ("CTX_OBSERVABILITY_TIMEOT", "1s"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer s3cret%"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
            ])
            .load(),
    );
    let expected = [
        "settings.toml:2: `default.observability.enabeld`: found an unknown key, expected the key of a setting: did you \
         mean `enabled`?",
        "settings.toml:3: `default.observability.protocol`: found \"grcp\", expected one of \"grpc\", \"http/protobuf\" \
         or \"http/json\": did you mean `grpc`?",
        "settings.toml:4: `default.observability.sampling_rate`: found \"all\", expected a number from 0.0 to 1.0",
        "settings.toml:5: `default.contxt`: found an unknown section, expected a section: did you mean `context`?",
        "settings.toml:8: `production.observability.headers`: found the value of \"x-key\", expected a table of header \
         names and values, in a variable \"name=value,name=value\" with % escapes",
        "settings.toml:12: `default.context.fields`: found the key \"typ\", expected one of \"name\", \"type\", \
         \"spans\", \"events\", \"metrics\", \"shown\", \"propagated\", \"from_baggage\" or \"max_len\": did you mean \
         `type`?",
        "settings.toml:13: `default.context.fields`: found 7, expected a list of names and of tables with `name`, in a \
         variable names separated by commas",
        "the variable `OTEL_EXPORTER_OTLP_ENDPOINT`: found \"localhost:4317\", expected an address such as \
         \"http://localhost:4317\": did you mean `http://localhost:4317`?",
        "the variable `OTEL_EXPORTER_OTLP_HEADERS`: found the value of \"authorization\", expected a table of header \
         names and values, in a variable \"name=value,name=value\" with % escapes",
        "the variable `OTEL_PROPAGATORS`: found \"tracecontext,b4\", expected a list, in a variable separated by \
         commas, each one of \"tracecontext\", \"baggage\", \"b3\", \"b3multi\", \"xray\" or \"none\": did you mean \
         `b3`?",
        "the variable `OTEL_BSP_MAX_QUEUE_SIZE`: found \"-1\", expected a number from 1 to 1000000000",
        "the variable `CTX_OBSERVABILITY_TIMEOT`: found an unknown variable, expected the name of a setting: did you \
         mean `CTX_OBSERVABILITY_TIMEOUT`?",
    ];
    assert_eq!(errors, expected, "\n{}", errors.join("\n"));
}

#[test]
fn all_errors_of_syntax_come_with_their_lines() {
    let errors = lines(file("[default.observability]\nenabled = tru\ntimeout = \n[production\n").load());
    assert!(errors.len() >= 3, "{errors:?}");
    for (error, line) in errors.iter().zip([2, 3, 4]) {
        assert!(error.starts_with(&format!("settings.toml:{line}: found an error of syntax")), "{error}");
    }
}

#[test]
fn sections_of_the_program_are_left_alone() {
    let text = "title = \"shop\"\n[default.database]\nurl = \"postgres://\"\n[servers.alpha]\nip = \"10.0.0.1\"\n\
                [default.observability]\nenabled = false\n";
    assert!(!file(text).load().expect("it has no errors").observability.enabled);
}

#[test]
fn sections_without_a_profile_are_the_defaults() {
    let text = "[observability]\nsampling_rate = 0.5\n[default.observability]\ntimeout = 1\n";
    let settings = file(text).load().expect("it has no errors");
    assert_eq!(settings.observability.sampling_rate, 0.5);
    assert_eq!(settings.observability.timeout, Duration::from_millis(1));
}

#[test]
fn an_unknown_profile_is_an_error_with_the_right_name() {
    let text = "[default.observability]\n[production.observability]\n";
    let errors = lines(file(text).variables([("CTX_PROFILE", "prodution")]).load());
    assert_eq!(
        errors,
        ["the variable `CTX_PROFILE`: found the profile \"prodution\", expected a profile of settings.toml: default, \
          production: did you mean `production`?"]
    );
}

#[test]
fn a_file_that_is_named_must_exist() {
    let errors = lines(SettingsLoader::new().variables([("CTX_SETTINGS", "/does/not/exist.toml")]).load());
    assert!(errors[0].starts_with("the variable `CTX_SETTINGS`: found \"/does/not/exist.toml\", which cannot be read"));
    let errors = lines(SettingsLoader::new().file("/does/not/exist.toml").load());
    assert!(errors[0].starts_with("/does/not/exist.toml:1: found"), "{errors:?}");
}

#[test]
fn standard_variables_mean_what_the_specification_says() {
    let settings = SettingsLoader::new()
        .variables([
            ("OTEL_SDK_DISABLED", "TRUE"),
            ("OTEL_SERVICE_NAME", "orders"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod,team=a%2Cb"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k%20v , other=1=2"),
            ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
            ("OTEL_PROPAGATORS", "b3, baggage"),
            ("OTEL_LOGS_EXPORTER", "console"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20"),
            ("OTEL_BSP_SCHEDULE_DELAY", ""),
        ])
        .load()
        .expect("it has no errors");
    let it = &settings.observability;
    assert!(!it.enabled);
    assert_eq!(it.service_name_override.as_deref(), Some("orders"));
    assert_eq!(it.resource_attributes.0["team"], "a,b");
    assert_eq!((it.protocol, it.traces_protocol), (Some(Protocol::HttpJson), Some(Protocol::Grpc)));
    assert_eq!(it.timeout, Duration::from_millis(2500));
    assert_eq!((it.headers.0["api-key"].as_str(), it.headers.0["other"].as_str()), ("k v", "1=2"));
    assert_eq!(it.sampler, SamplerName::ParentBasedAlwaysOff);
    assert_eq!(it.propagators, [PropagatorName::B3, PropagatorName::Baggage]);
    assert_eq!((it.logs_exporter, it.metrics_exporter), (Exporter::Console, Exporter::None));
    assert_eq!(it.max_span_attributes.0, 20, "the limit of spans is over the general one");
    assert_eq!(it.traces_delay, Duration::from_secs(5), "an empty variable is unset");
}

#[test]
fn a_standard_boolean_that_is_not_true_is_false_with_a_warning() {
    for value in ["1", "yes", "no"] {
        let loader = SettingsLoader::new().variables([("OTEL_SDK_DISABLED", value)]);
        let settings = loader.load().expect("it is no error, by the specification");
        assert!(settings.observability.enabled, "{value}");
        let warning =
            format!("the variable `OTEL_SDK_DISABLED`: found \"{value}\", expected true or false: it counts as false");
        assert_eq!(settings.warnings(), [warning]);
    }
    let own = SettingsLoader::new().variables([("CTX_OBSERVABILITY_ENABLED", "no")]);
    assert_eq!(lines(own.load()).len(), 1, "the specification is not about it");
}

#[test]
fn variables_without_effect_are_warned_about() {
    let settings = SettingsLoader::new()
        .variables([
            ("OTEL_LOG_LEVEL", "debug"),
            ("OTEL_EXPORTER_OTLP_ENDPOIN", "http://localhost"),
            ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis"),
        ])
        .load()
        .expect("it has no errors");
    assert_eq!(
        settings.warnings(),
        [
            "the variable `OTEL_EXPORTER_OTLP_ENDPOIN` is unknown and has no effect: did you mean \
             `OTEL_EXPORTER_OTLP_ENDPOINT`?",
            "the variable `OTEL_LOG_LEVEL` has no effect: the SDK logs by `tracing`: add `opentelemetry=debug` to the \
             filter",
        ]
    );
}

#[test]
fn fields_are_declared_with_their_policies() {
    let text = "[context]\nfields = [\"tenant_id\", { name = \"user_id\", shown = \"masked\", spans = false },\n\
                { name = \"plan\", type = \"integer\", propagated = true, max_len = 16 }]";
    let fields = file(text).load().expect("it has no errors").context.fields.0;
    assert_eq!((fields[1].shown, fields[1].spans), (Some(Shown::Masked), Some(false)));
    assert_eq!(
        (fields[2].kind, fields[2].propagated, fields[2].max_len),
        (Some(FieldKind::Integer), Some(true), Some(16))
    );
    let errors = lines(
        file("[context]\nfields = [\"a\", { name = \"b\", propagated = true },\n\"a\", { name = \"role\", type = \"bool\" }]")
            .load(),
    );
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("found `propagated` of the field \"b\", expected `type` beside it"), "{errors:?}");
    assert!(errors[1].contains("found `type` of the field \"role\", expected no `type`"), "{errors:?}");
}
