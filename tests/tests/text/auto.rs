//! One call chooses text or JSON.

use std::{io, process::Command};

use ctx_layer::{
    SubscriberFieldsExt,
    field::well_known::*,
    output::{self, AutoLayer, OutputFormat},
};
use ctx_tests::{Captured, schema};
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::{Layer, filter::LevelFilter, prelude::*};

fn set_up<W>(layer: AutoLayer<W>) -> AutoLayer<W>
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + 'static,
{
    layer
        .with_json(|json| json.without_time().with_target(false).with_constant("service.name", "shop"))
        .with_text(|text| text.without_time().with_target(false).with_span_fields(true))
}

fn text_of(format: OutputFormat) -> String {
    let lines = Captured::default();
    // Whatever comes first: the writer, the format, or the options.
    let layer = set_up(output::auto()).with_writer(lines.clone()).with_format(format);
    let stack = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO));
    with_default(stack.with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            let span = info_span!("request", path = "/", status = tracing::field::Empty).entered();
            span.record("status", 200);
            info!("placed");
        });
    });
    lines.text()
}

#[test]
fn the_format_and_the_options_of_each_apply() {
    assert_eq!(text_of(OutputFormat::Text), "INFO  request{path=\"/\" status=200}: placed tenant_id=\"acme\"\n");
    let json = "{\"level\":\"INFO\",\"message\":\"placed\",\"tenant_id\":\"acme\",\"span\":{\"name\":\"request\"},\
                \"service.name\":\"shop\"}\n";
    assert_eq!(text_of(OutputFormat::Json), json);
    assert_eq!(text_of(OutputFormat::Auto), json, "this writer is no terminal");
}

#[test]
fn lost_lines_of_the_chosen_format_are_counted() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in [OutputFormat::Text, OutputFormat::Json] {
        let layer = output::auto().with_format(format).with_writer(|| Full);
        let lost = layer.lost_lines();
        with_default(tracing_subscriber::registry().with(layer), || info!("placed"));
        assert_eq!(lost.count(), 1, "{format:?}");
    }
}

/// Runs the test below in a process of its own, and returns what it prints.
fn printed(variables: &[(&str, &str)]) -> (String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "auto::prints_a_line", "--ignored", "--nocapture"]);
    for variable in ["CTX_LOG_FORMAT", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
        command.env_remove(variable);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout).unwrap();
    let line = line.lines().find(|line| line.contains("placed")).unwrap().to_owned();
    (line, String::from_utf8(output.stderr).unwrap())
}

#[test]
#[ignore = "the tests below run it"]
fn prints_a_line() {
    let stack = tracing_subscriber::registry().with(set_up(output::auto()));
    with_default(stack, || info!("placed"));
}

#[test]
fn the_variable_chooses_and_a_wrong_one_is_reported() {
    let json = "{\"level\":\"INFO\",\"message\":\"placed\",\"service.name\":\"shop\"}";
    assert_eq!(printed(&[]).0, json);
    assert_eq!(printed(&[("CTX_LOG_FORMAT", "text")]), ("INFO  placed".to_owned(), String::new()));
    assert_eq!(printed(&[("CTX_LOG_FORMAT", "json")]).0, json);
    let (line, report) = printed(&[("CTX_LOG_FORMAT", "xml")]);
    assert_eq!(line, json);
    assert_eq!(
        report,
        "ctx-layer: CTX_LOG_FORMAT is \"xml\", which is not a log format: write `auto`, `text` or `json`. It counts as `auto`\n"
    );
}

#[test]
fn colours_can_be_forced_by_a_variable() {
    let coloured = "\x1b[32mINFO \x1b[0m placed";
    for (variable, line) in [("FORCE_COLOR", coloured), ("CLICOLOR_FORCE", coloured), ("NO_COLOR", "INFO  placed")] {
        assert_eq!(printed(&[("CTX_LOG_FORMAT", "text"), (variable, "1")]).0, line, "{variable}");
    }
}
