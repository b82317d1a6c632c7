//! Errors while a line is written: the service goes on.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use ctx_layer::{Fields, SubscriberFieldsExt, field::well_known::*, output::text};
use ctx_tests::schema;
use tracing::{info, subscriber::with_default};
use tracing_subscriber::prelude::*;

use super::{
    reader::{self, Read},
    text_of,
};

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
    let run = || TENANT_ID.in_scope("acme", || info!(a = 1, b = %Panics, c = %Fails, d = 2, "message {}", Panics));
    assert_eq!(
        text_of(|layer| layer, run),
        "INFO  [formatting failed: panic: of a \"value\"] a=1 b=[formatting failed: panic: of a \"value\"] c=[formatting failed] d=2 \
         tenant_id=\"acme\"\n"
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

#[test]
fn lines_that_a_writer_refuses_are_lost_and_counted() {
    let writer = Faulty(Arc::new(Mutex::new(|_: &[u8]| Err(io::ErrorKind::StorageFull.into()))));
    let layer = text::layer().with_writer(move || writer.clone());
    let lost = layer.lost_lines();
    let stack = tracing_subscriber::registry().with(layer).with_context_fields(schema());
    with_default(stack, || (0..3).for_each(|n| info!(n)));
    assert_eq!(lost.count(), 3);
}

#[test]
fn what_a_value_logs_while_it_is_formatted_does_not_spoil_the_line() {
    struct Logs;
    impl fmt::Display for Logs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!(inner = true, "from inside\nof it");
            f.write_str("formatted\nin lines")
        }
    }
    let text = text_of(|layer| layer, || info!(v = %Logs, "{}", Logs));
    let records = reader::records(&text);
    let last = records.last().unwrap();
    assert_eq!(last.message.as_deref(), Some("formatted\nin lines"));
    assert_eq!(last.fields, [("v".to_owned(), "formatted\nin lines".to_owned())]);
}

/// The one record that is written of at most `max_len` bytes.
fn cut(max_len: usize, run: impl Fn()) -> Read {
    let text = text_of(|layer| layer.with_max_line_len(max_len), run);
    assert!(text.len() <= max_len, "{} bytes", text.len());
    let mut records = reader::records(&text);
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn field<'a>(read: &'a Read, name: &str) -> Option<&'a str> {
    read.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_message_of_ten_mebibytes_is_cut_and_the_line_says_so() {
    for text in ["a".repeat(10 << 20), "\"\u{1}🚲".repeat(2 << 20), "b=1 ".repeat(3 << 20), "line\n".repeat(2 << 20)]
    {
        let read = cut(65_536, || {
            TENANT_ID.in_scope("acme", || info!(order = 1, "{text}"));
        });
        let message = read.message.as_deref().unwrap();
        assert!(text.starts_with(message.split('…').next().unwrap()), "{}", &message[..100]);
        assert!(message.len() > 10_000, "{}", message.len());
        assert_eq!(
            (field(&read, "truncated"), field(&read, "order"), field(&read, "tenant_id")),
            (Some("true"), Some("1"), Some("acme"))
        );
    }
}

#[test]
fn lines_of_every_length_around_the_limit_are_whole_or_cut() {
    for len in 800..1100 {
        let text = "x".repeat(len);
        let read = cut(1024, || TENANT_ID.in_scope("acme", || info!(v = text.as_str(), after = 7, "message")));
        let value = field(&read, "v").unwrap();
        match field(&read, "truncated") {
            None => assert!(value == text && field(&read, "after") == Some("7"), "{read:?}"),
            Some(_) => assert!(value.ends_with('…') && text.starts_with(value.trim_end_matches('…')), "{read:?}"),
        }
        assert_eq!((read.message.as_deref(), field(&read, "tenant_id")), (Some("message"), Some("acme")));
    }
}

#[test]
fn lines_below_have_a_part_of_the_room() {
    let long = "long ".repeat(1000);
    let error = io::Error::other("the disk is full\n".repeat(1000));
    let read = cut(4096, || {
        Fields::new().with(&TENANT_ID, "acme").in_scope(|| {
            info!(long, error = &error as &dyn std::error::Error, "{}", "message ".repeat(1000));
        });
    });
    assert_eq!((field(&read, "truncated"), field(&read, "tenant_id")), (Some("true"), Some("acme")));
    assert!(read.message.is_some_and(|message| message.len() > 500));
    assert!(read.below[0].1.len() > 500, "{:?}", read.below);
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
    let read = cut(4096, || info!(v = %Endless, "message"));
    assert!(field(&read, "v").unwrap().starts_with("again again") && field(&read, "truncated") == Some("true"));
}
