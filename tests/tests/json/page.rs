//! Checks `docs/json.md`: its examples are the functions below, word for word, and its lines are what these write.
//!
//! A comment in front of each code block names its kind: `<!-- example: name -->` is the body of a function of this
//! file, `<!-- line: name -->` the line of the layer of that name, and `<!-- shown -->` is not checked.

use std::{
    error::Error,
    fmt, io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ctx_layer::{
    Fields, SubscriberFieldsExt,
    field::well_known::{TENANT_ID, USER_ID},
    output::json::{self, Format, Group, JsonLayer, Member},
};
use ctx_tests::{Captured, schema};
use opentelemetry::{SpanId, TraceId, trace::TracerProvider};
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider};
use tracing::{info_span, warn};
use tracing_subscriber::prelude::*;

use super::strict;

const PAGE: &str = include_str!("../../../docs/json.md");
const SOURCE: &str = include_str!("page.rs");

fn event() {
    let fields = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada");
    let request = fields.in_scope(|| info_span!("request", path = "/orders"));
    request.in_scope(|| {
        let error = payment_error();
        warn!(target: "shop::orders", order = 1042, error = &*error, "not placed");
    });
}

/// An error with a cause.
fn payment_error() -> Box<dyn Error> {
    #[derive(Debug)]
    struct Declined(io::Error);
    impl fmt::Display for Declined {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the card was declined")
        }
    }
    impl Error for Declined {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    Box::new(Declined(io::Error::other("no answer from the bank")))
}

fn plain() -> JsonLayer {
    json::layer().with_constant("service.name", "shop")
}

fn everything() -> JsonLayer {
    json::layer()
        .with_constant("service.name", "shop")
        .with_constant("deployment.environment", "production")
        .with_span_fields(true)
        .with_span_list(true)
        .with_thread_names(true)
}

fn ecs() -> JsonLayer {
    json::layer().with_format(Format::ecs()).with_constant("service.name", "shop")
}

fn google_cloud() -> JsonLayer {
    json::layer().with_format(Format::google_cloud("my-project")).with_constant("service.name", "shop")
}

fn datadog() -> JsonLayer {
    json::layer()
        .with_format(Format::datadog())
        .with_constant("service.name", "shop")
        .with_constant("deployment.environment", "production")
}

fn opentelemetry() -> JsonLayer {
    json::layer().with_format(Format::opentelemetry()).with_constant("service.name", "shop")
}

fn as_fmt() -> JsonLayer {
    let format = Format::plain()
        .nest(Group::Fields, "fields")
        .nest(Group::Constants, "resource")
        .name(Member::File, "filename")
        .name(Member::Line, "line_number");
    json::layer().with_format(format).with_span_fields(true).with_span_list(true)
}

fn as_bunyan() -> JsonLayer {
    let format = Format::plain().name(Member::Timestamp, "time").name(Member::Message, "msg");
    json::layer().with_format(format).with_constant("name", "shop").with_constant("v", "0")
}

type CreateLayer = fn() -> JsonLayer;

/// The layers whose lines the page shows.
const LAYERS: [(&str, CreateLayer); 8] = [
    ("plain", plain),
    ("everything", everything),
    ("ecs", ecs),
    ("google_cloud", google_cloud),
    ("datadog", datadog),
    ("opentelemetry", opentelemetry),
    ("as_fmt", as_fmt),
    ("as_bunyan", as_bunyan),
];

/// An id generator with the same ids in every run.
#[derive(Debug)]
struct Fixed;

impl IdGenerator for Fixed {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap()
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from_hex("b7ad6b7169203331").unwrap()
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_795_782_896, 123_456_000)
}

fn line(layer: JsonLayer) -> String {
    let lines = Captured::default();
    let provider = SdkTracerProvider::builder().with_id_generator(Fixed).build();
    let stack = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("shop")))
        .with(layer.with_clock(now).with_writer(lines.clone()));
    let named = std::thread::Builder::new().name("worker-1".to_owned());
    let dispatch = tracing::Dispatch::new(stack.with_context_fields(schema()));
    named.spawn(move || tracing::dispatcher::with_default(&dispatch, event)).unwrap().join().unwrap();
    let mut lines = lines.lines();
    // OpenTelemetry's crates may log, too.
    lines.retain(|line| line.contains("shop::orders"));
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

/// Returns the statements of a function of this file.
fn body(name: &str) -> String {
    let begins = |line: &&str| line.starts_with(&format!("fn {name}("));
    let lines = SOURCE.lines().skip_while(|line| !begins(line)).skip(1).take_while(|line| *line != "}");
    let body: String = lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect();
    assert!(!body.is_empty(), "there is no function `{name}` in page.rs");
    body
}

/// Returns the blocks of the page: the comment in front of each, and its contents.
fn blocks() -> Vec<(&'static str, String)> {
    let (mut blocks, mut before, mut lines) = (Vec::new(), "", PAGE.lines());
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let comment = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
            let comment = comment.unwrap_or_else(|| panic!("no comment in front of the block under {before:?}"));
            blocks.push((
                comment,
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect(),
            ));
        }
        if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

#[test]
fn every_line_of_the_page_is_what_its_layer_writes() {
    let mut shown: Vec<_> = Vec::new();
    for (comment, text) in blocks() {
        match comment.split_once(": ") {
            Some(("example", name)) => assert_eq!(text, body(name), "docs/json.md and page.rs differ in `{name}`"),
            Some(("line", name)) => {
                let (_, layer) = LAYERS.iter().find(|(known, _)| *known == name).unwrap();
                let written = line(layer());
                strict::parse(&written);
                assert_eq!(text.trim_end(), written, "the line of `{name}`");
                shown.push(name);
            }
            _ => assert_eq!(comment, "shown"),
        }
    }
    let expected: Vec<_> = LAYERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(shown, expected);
}
