//! Checks `docs/text.md`: its examples are the functions below, word for word, and its lines are what these write.
//!
//! A comment in front of each code block names its kind: `<!-- example: name -->` is the body of a function of this
//! file, `<!-- lines: name -->` what the layer of that name, or the events of that name, write, and `<!-- shown -->` is not checked.

use std::{
    error::Error,
    fmt, io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ctx_layer::{
    Fields, SubscriberFieldsExt,
    field::well_known::{TENANT_ID, USER_ID},
    output::text::{self, TextLayer},
};
use ctx_tests::{Captured, schema};
use opentelemetry::{SpanId, TraceId, trace::TracerProvider};
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider};
use tracing::{info, info_span, warn};
use tracing_subscriber::{Layer, filter::filter_fn, prelude::*};

const PAGE: &str = include_str!("../../../docs/text.md");
const SOURCE: &str = include_str!("page.rs");

fn events() {
    let fields = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada");
    let request = fields.in_scope(|| info_span!("request", path = "/orders"));
    request.in_scope(|| {
        info!(target: "shop::orders::cart", items = 3, "received");
        let error = payment_error();
        warn!(target: "shop::orders", order = 1042, error = &*error, "not placed");
    });
}

fn forged() {
    info!(target: "shop", note = %"x tenant_id=\"victim\"", "done\n2026-11-27T12:34:56Z ERROR forged");
    info!(target: "shop", "tenant_id=\"victim\" \x1b[31m");
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

fn plain() -> TextLayer {
    text::layer()
}

fn everything() -> TextLayer {
    text::layer().with_full_target(true).with_thread_names(true).with_span_fields(true).with_trace_ids(true)
}

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

fn lines(layer: TextLayer, events: fn()) -> String {
    let lines = Captured::default();
    let provider = SdkTracerProvider::builder().with_id_generator(Fixed).build();
    let layer = layer.with_ansi(false).with_clock(now).with_writer(lines.clone());
    let stack = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("shop")))
        // OpenTelemetry's crates may log, too.
        .with(layer.with_filter(filter_fn(|metadata| !metadata.target().starts_with("opentelemetry"))));
    let named = std::thread::Builder::new().name("worker-1".to_owned());
    let dispatch = tracing::Dispatch::new(stack.with_context_fields(schema()));
    named.spawn(move || tracing::dispatcher::with_default(&dispatch, events)).unwrap().join().unwrap();
    lines.text()
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
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push((comment, text));
        }
        if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

#[test]
fn all_lines_of_the_page_are_what_its_layers_write() {
    let mut shown = Vec::new();
    for (comment, text) in blocks() {
        match comment.split_once(": ") {
            Some(("example", name)) => assert_eq!(text, body(name), "docs/text.md and page.rs differ in `{name}`"),
            Some(("lines", name)) => {
                let written = match name {
                    "plain" => lines(plain(), events),
                    "everything" => lines(everything(), events),
                    "forged" => lines(plain(), forged),
                    _ => panic!("nothing writes `{name}`"),
                };
                assert_eq!(text, written, "the lines of `{name}`");
                shown.push(name);
            }
            _ => assert_eq!(comment, "shown"),
        }
    }
    assert_eq!(shown, ["plain", "everything", "forged"]);
}
