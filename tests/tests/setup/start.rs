//! The start: what is checked before, and the output.

use std::sync::{Arc, Mutex};

use ctx_layer::{
    context_fields,
    field::well_known::TENANT_ID,
    setup::{self, LogFormat, Settings, SettingsLoader, Setup, SetupError},
};

context_fields! {
    /// The plan that the customer pays for.
    static PLAN: String = "setup.plan";
}

fn offline() -> Setup {
    setup::builder("orders").variables([("OTEL_SDK_DISABLED", "true"), ("RUST_LOG", "info")]).local()
}

fn with(text: &str) -> Setup {
    let mut settings = SettingsLoader::new().text("settings.toml", text).load().expect("it has no errors");
    settings.change(|settings| settings.observability.enabled = false);
    setup::builder("orders").settings(settings).local()
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("it is whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn of(setup: Setup, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let telemetry = setup.writer(move || writer.clone()).init().expect("it starts");
        telemetry.in_scope(log);
        let written = lines.0.lock().expect("it is whole").clone();
        String::from_utf8(written).expect("it is UTF-8")
    }
}

fn problems(setup: Setup) -> Vec<String> {
    match setup.init() {
        Err(SetupError::Settings(error)) => error.problems().iter().map(ToString::to_string).collect(),
        other => panic!("it has problems: {other:?}"),
    }
}

#[test]
fn lines_have_the_service_and_the_fields() {
    let line = Lines::of(offline(), || TENANT_ID.in_scope("acme", || tracing::info!("hello")));
    let line: serde_json::Value = serde_json::from_str(&line).expect("it is one line of JSON");
    assert_eq!(line["message"], "hello");
    assert_eq!(line["tenant_id"], "acme");
    assert_eq!(line["service.name"], "orders");
}

#[test]
fn each_format_of_lines_is_written() {
    for (format, part) in [
        (LogFormat::Json, r#""message":"hello""#),
        (LogFormat::Ecs, r#""ecs.version""#),
        (LogFormat::Datadog, r#""status":"info""#),
        (LogFormat::Opentelemetry, r#""Body":"hello""#),
        (LogFormat::Text, "INFO  setup::start: hello tenant_id=\"acme\""),
    ] {
        let setup = offline().configure(move |settings| settings.observability.log_format = format);
        let line = Lines::of(setup, || TENANT_ID.in_scope("acme", || tracing::info!("hello")));
        assert!(line.contains(part), "{format:?}: {line}");
    }
    let none = offline().configure(|settings| settings.observability.log_format = LogFormat::None);
    assert_eq!(Lines::of(none, || tracing::info!("hello")), "");
}

#[test]
fn the_settings_decide_where_fields_appear() {
    let text = "[context]\nfields = [{ name = \"tenant_id\", shown = \"masked\" }, \
                { name = \"setup.shard\", type = \"integer\" }]";
    let line = Lines::of(with(text), || {
        let shard = ctx_layer::ContextField::<i64>::declare("setup.shard", ctx_layer::Policy::new())
            .expect("the settings declared it with this policy");
        shard.in_scope(7, || TENANT_ID.in_scope("acme", || tracing::info!("hello")));
    });
    assert!(line.contains("\"tenant_id\":\"[redacted]\",\"setup.shard\":7"), "{line}");
}

#[test]
fn fields_of_the_program_are_on_lines() {
    let line = Lines::of(offline().field(&PLAN), || PLAN.in_scope("gold", || tracing::info!("hello")));
    assert!(line.contains("\"setup.plan\":\"gold\""), "{line}");
    let named = with("[context]\nfields = [\"setup.plan\", \"tenant_id\"]").field(&PLAN);
    assert_eq!(named.init().expect("it starts").schema().names().collect::<Vec<_>>(), ["setup.plan", "tenant_id"]);
}

#[test]
fn an_unknown_field_is_an_error_with_the_right_name() {
    assert_eq!(
        problems(with("[context]\nfields = [\"tenant_idd\"]")),
        [
            "settings.toml:2: `context.fields`: found the unknown field \"tenant_idd\", expected the name of a field of the \
          library or of `setup::builder(..).field(..)`, or a table with `name` and `type`, which declares it: did you \
          mean `tenant_id`?"
        ]
    );
}

#[test]
fn problems_of_the_program_and_of_variables_come_together() {
    let problems = problems(setup::builder("").variables([("OTEL_PROPAGATORS", "xray,none")]).local());
    assert_eq!(
        problems,
        [
            "the program: found an empty name of the service, expected a name, as in `setup::init(\"orders\")`",
            "the variable `OTEL_PROPAGATORS`: found \"none\" beside others, expected \"none\" alone, or the others",
        ]
    );
}

#[test]
fn a_layer_of_the_program_sees_what_the_output_sees() {
    let lines = Lines::default();
    let writer = lines.clone();
    let telemetry = offline()
        .layer(move |providers| {
            assert!(providers.traces().is_none());
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone())
        })
        .writer(std::io::sink)
        .init()
        .expect("it starts");
    telemetry.in_scope(|| TENANT_ID.in_scope("acme", || tracing::info!("hello")));
    let written = String::from_utf8(lines.0.lock().expect("it is whole").clone()).expect("it is UTF-8");
    assert!(written.contains("hello tenant_id=\"acme\""), "{written}");
}

#[test]
fn warnings_of_the_settings_are_logged() {
    let line = Lines::of(offline().variables([("OTEL_LOG_LEVEL", "debug")]), || ());
    assert!(line.contains("the variable `OTEL_LOG_LEVEL` has no effect"), "{line}");
}

#[test]
fn the_context_of_the_environment_is_read() {
    let variables =
        [("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("BAGGAGE", "tenant_id=acme")];
    let telemetry = offline().variables(variables).writer(std::io::sink).init().expect("it starts");
    let environment = telemetry.environment().expect("it is read");
    assert!(environment.is_continued());
    assert_eq!(environment.in_scope(|| TENANT_ID.get()).as_deref(), Some("acme"));
    assert_eq!(TENANT_ID.get(), None, "a local start attaches nothing");
}

#[test]
fn the_default_settings_start_with_grpc_and_http() {
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        let mut settings = Settings::default();
        settings.observability.protocol = Some(match protocol {
            "grpc" => setup::Protocol::Grpc,
            "http/json" => setup::Protocol::HttpJson,
            _ => setup::Protocol::HttpProtobuf,
        });
        let telemetry = setup::builder("orders").settings(settings).writer(std::io::sink).local().init();
        assert!(telemetry.is_ok(), "{protocol}: {telemetry:?}");
    }
}
