//! Errors while a line is written: the service goes on.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use ctx_layer::{Fields, SubscriberFieldsExt, field::well_known::*, output::json};
use ctx_tests::{Captured, schema};
use serde_json::{Value, json};
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::prelude::*;

use super::{line_of, lines_of, strict};

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half ")?;
        panic!("of a \"value\"");
    }
}

struct Fails;

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        Err(fmt::Error)
    }
}

#[test]
fn a_value_whose_display_panics_or_fails_says_so_and_the_line_is_whole() {
    let line =
        line_of(|| TENANT_ID.in_scope("acme", || info!(a = 1, b = %Panics, c = %Fails, d = 2, "message {}", Panics)));
    assert_eq!(
        line,
        json!({
            "level": "INFO",
            "message": "[formatting failed: panic: of a \"value\"]",
            "a": 1,
            "b": "[formatting failed: panic: of a \"value\"]",
            "c": "[formatting failed]",
            "d": 2,
            "tenant_id": "acme",
        })
    );
}

/// A writer that does what the test wants with each call.
#[derive(Clone)]
struct Faulty(Arc<Mutex<WriteFn>>);

type WriteFn = dyn FnMut(&[u8]) -> io::Result<usize> + Send;

impl Write for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0.lock().unwrap())(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `run` with a writer, and returns how many lines were lost.
fn lost_of(write: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static, run: impl FnOnce()) -> u64 {
    let writer = Faulty(Arc::new(Mutex::new(write)));
    let layer = json::layer().without_time().with_writer(move || writer.clone());
    let lost = layer.lost_lines();
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), run);
    lost.count()
}

#[test]
fn lines_that_a_writer_refuses_are_lost_and_counted() {
    let lost = lost_of(|_| Err(io::ErrorKind::StorageFull.into()), || (0..3).for_each(|n| info!(n)));
    assert_eq!(lost, 3);
    assert_eq!(lost_of(|_| Ok(0), || info!("nothing is taken")), 1);
    assert_eq!(lost_of(|_| Err(io::ErrorKind::WouldBlock.into()), || info!("it would block")), 1);
}

#[test]
fn a_writer_that_panics_loses_the_line_alone() {
    let panics = |_: &[u8]| -> io::Result<usize> { panic!("the writer panics") };
    let writer = move || Faulty(Arc::new(Mutex::new(panics)));
    let layer = json::layer().with_writer(writer);
    let lost = layer.lost_lines();
    with_default(tracing_subscriber::registry().with(layer), || (0..2).for_each(|n| info!(n)));
    assert_eq!(lost.count(), 2);
}

#[test]
fn a_line_that_is_written_in_part_does_not_spoil_the_next_one() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let (all, mut calls) = (written.clone(), 0);
    let lost = lost_of(
        move |bytes| {
            calls += 1;
            match calls {
                // Interrupted, then by and by: these are not lost.
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 | 4 => {
                    all.lock().unwrap().extend_from_slice(&bytes[..5]);
                    Ok(5)
                }
                5 => Err(io::ErrorKind::BrokenPipe.into()),
                _ => {
                    all.lock().unwrap().extend_from_slice(bytes);
                    Ok(bytes.len())
                }
            }
        },
        || (0..3).for_each(|n| info!(n)),
    );
    assert_eq!(lost, 1);
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(
        (&strict::parse(lines[0])["n"], lines[1].len(), &strict::parse(lines[2])["n"]),
        (&json!(0), 5, &json!(2))
    );
}

#[test]
fn what_a_value_logs_while_it_is_formatted_is_a_line_of_its_own() {
    struct Logs;
    impl fmt::Display for Logs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!(inner = true, "from inside");
            f.write_str("formatted")
        }
    }
    // A thread's own subscriber is not entered again from within; a dispatcher that is called directly is.
    let lines = Captured::default();
    let layer = json::layer().without_time().with_target(false).with_writer(lines.clone());
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer).with_context_fields(schema()));
    tracing::dispatcher::with_default(&dispatch, || {
        TENANT_ID.in_scope("acme", || info!(outer = %Again(&dispatch), "outside"));
        info!(v = %Logs, "of the thread");
    });
    struct Again<'a>(&'a tracing::Dispatch);
    impl fmt::Display for Again<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            struct Nothing;
            impl tracing::callsite::Callsite for Nothing {
                fn set_interest(&self, _: tracing::subscriber::Interest) {}

                fn metadata(&self) -> &tracing::Metadata<'_> {
                    &METADATA
                }
            }
            static METADATA: tracing::Metadata<'static> = tracing::metadata! {
                name: "inner",
                target: "inner",
                level: tracing::Level::INFO,
                fields: &[],
                callsite: &Nothing,
                kind: tracing::metadata::Kind::EVENT,
            };
            self.0.event(&tracing::Event::new(&METADATA, &METADATA.fields().value_set_all(&[])));
            f.write_str("formatted")
        }
    }
    assert_eq!(
        lines.lines(),
        [
            r#"{"level":"INFO","tenant_id":"acme"}"#,
            r#"{"level":"INFO","message":"outside","outer":"formatted","tenant_id":"acme"}"#,
            r#"{"level":"INFO","message":"of the thread","v":"formatted"}"#,
        ]
    );
}

/// The one line that is written of at most `max_len` bytes.
fn cut(max_len: usize, run: impl Fn()) -> Value {
    let lines = lines_of(|layer| layer.with_max_line_len(max_len).with_constant("service.name", "shop"), run);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].len() < max_len, "{} bytes", lines[0].len());
    strict::parse(&lines[0])
}

#[test]
fn a_message_of_ten_mebibytes_is_cut_and_the_line_says_so() {
    for text in ["a".repeat(10 << 20), "\"\u{1}🚲".repeat(2 << 20)] {
        let line = cut(65_536, || {
            Fields::new().with(&TENANT_ID, "acme").in_scope(|| {
                let _span = info_span!("request").entered();
                info!(order = 1, "{text}");
            });
        });
        let message = line["message"].as_str().unwrap();
        assert!(message.len() > 10_000 && text.starts_with(message.strip_suffix('…').unwrap()));
        assert_eq!(line["truncated"], true);
        assert_eq!(
            (&line["order"], &line["tenant_id"], &line["service.name"]),
            (&json!(1), &json!("acme"), &json!("shop"))
        );
        assert_eq!(line["span"]["name"], "request");
    }
}

#[test]
fn lines_of_every_length_around_the_limit_are_whole_or_cut() {
    for len in 700..1100 {
        let text = "x".repeat(len);
        let line = cut(1024, || TENANT_ID.in_scope("acme", || info!(v = text.as_str(), after = 7, "message")));
        let value = line["v"].as_str().unwrap();
        match line.get("truncated") {
            None => assert!(value == text && line["after"] == 7, "{line}"),
            Some(_) => assert!(value.ends_with('…') && text.starts_with(value.trim_end_matches('…')), "{line}"),
        }
        assert_eq!((&line["message"], &line["tenant_id"]), (&json!("message"), &json!("acme")));
    }
}

#[test]
fn what_has_no_room_is_left_out() {
    let line = cut(1024, || {
        let _spans: Vec<_> = (0..64).map(|_| info_span!("a_span_with_a_long_name").entered()).collect();
        let long = "long ".repeat(100);
        let [a, b, c] = [(); 3].map(|()| long.as_str());
        info!(a, b, c, d = &[0_u8; 600][..], e = 5, "message");
    });
    assert!(line["a"] == "long ".repeat(100) && line["truncated"] == true && line["message"] == "message", "{line}");
    assert!(line.get("c").is_none(), "{line}");
}

#[test]
fn a_value_that_never_ends_is_formatted_until_the_line_is_full() {
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("again ")?;
            }
        }
    }
    let line = cut(4096, || info!(v = %Endless, "message"));
    assert!(line["v"].as_str().unwrap().starts_with("again again") && line["truncated"] == true);
}

ctx_layer::context_fields! {
    /// A field with the name that the causes of an error `v` have.
    static SOURCES: String = "v.sources";
}

/// An error with a cause.
#[derive(Debug)]
struct Caused(Option<Box<Caused>>);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

impl std::error::Error for Caused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|cause| cause as _)
    }
}

#[test]
fn a_cut_line_has_the_causes_of_an_error_or_a_field_of_their_key() {
    let schema = ctx_layer::Schema::builder().well_known().field(&SOURCES).build().expect("no name is in it twice");
    let (lines, error) = (Captured::default(), Caused(Some(Box::new(Caused(None)))));
    let layer = json::layer().with_writer(lines.clone()).with_max_line_len(1024);
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema), || {
        SOURCES.in_scope("mine".to_owned(), || {
            info!(v = &error as &dyn std::error::Error, "whole");
            info!(v = &error as &dyn std::error::Error, long = "x".repeat(5000), "cut");
        });
    });
    let lines: Vec<_> = lines.lines().iter().map(|line| strict::parse(line)).collect();
    assert_eq!((&lines[0]["message"], &lines[1]["message"]), (&json!("whole"), &json!("cut")));
    assert_eq!((lines[0].get("truncated"), &lines[1]["truncated"]), (None, &json!(true)));
    for line in lines {
        assert_eq!((&line["v"], &line["v.sources"]), (&json!("it failed"), &json!(["it failed"])), "{line}");
    }
}
