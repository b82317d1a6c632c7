//! A layer like any other: filters, `reload`, several, every kind of writer.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    thread,
};

use ctx_layer::{
    Fields, SubscriberFieldsExt,
    field::well_known::*,
    output::{json, text},
};
use ctx_tests::{Captured, count, schema};
use tracing::{debug, info, info_span, subscriber::with_default, warn};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    fmt,
    fmt::writer::MakeWriterExt,
    prelude::*,
    reload,
};

use super::reader;

fn layer(lines: &Captured) -> text::TextLayer<Captured> {
    text::layer().without_time().with_target(false).with_writer(lines.clone())
}

#[test]
fn filters_of_each_output_decide_what_it_writes() {
    let [all, warnings, none, shop] = [(); 4].map(|()| Captured::default());
    let stack = tracing_subscriber::registry()
        .with(layer(&all))
        .with(layer(&warnings).with_filter(LevelFilter::WARN))
        .with(layer(&none).with_filter(Targets::new()))
        .with(layer(&shop).with_filter(EnvFilter::new("shop=debug")));
    with_default(stack.with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            info_span!("request").in_scope(|| info!("info"));
            warn!("warn");
            debug!(target: "shop", "shop");
        });
    });
    assert_eq!(
        all.text(),
        "INFO  request: info tenant_id=\"acme\"\nWARN  warn tenant_id=\"acme\"\nDEBUG shop tenant_id=\"acme\"\n"
    );
    assert_eq!(warnings.text(), "WARN  warn tenant_id=\"acme\"\n");
    assert_eq!(none.text(), "");
    assert_eq!(shop.text(), "DEBUG shop tenant_id=\"acme\"\n");
}

#[test]
fn spans_that_an_output_does_not_see_are_not_on_its_lines() {
    let lines = Captured::default();
    let stack = tracing_subscriber::registry()
        .with(layer(&lines).with_filter(Targets::new().with_target("seen", LevelFilter::INFO)));
    with_default(stack.with_context_fields(schema()), || {
        let _outer = info_span!(target: "seen", "outer").entered();
        let _hidden = info_span!(target: "hidden", "hidden").entered();
        info!(target: "seen", "inside");
    });
    assert_eq!(lines.text(), "INFO  outer: inside\n");
}

#[test]
fn a_reloaded_layer_writes_as_configured_now() {
    let lines = Captured::default();
    let (reloadable, handle) = reload::Layer::new(layer(&lines));
    with_default(tracing_subscriber::registry().with(reloadable).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            info!(target: "shop", "before");
            handle.modify(|layer| *layer = self::layer(&lines).with_target(true)).unwrap();
            info!(target: "shop", "after");
        });
    });
    assert_eq!(lines.text(), "INFO  before tenant_id=\"acme\"\nINFO  shop: after tenant_id=\"acme\"\n");
}

#[test]
fn json_and_text_side_by_side_show_the_same_fields() {
    let [lines, json] = [(); 2].map(|()| Captured::default());
    let stack = tracing_subscriber::registry()
        .with(layer(&lines))
        .with(json::layer().without_time().with_target(false).with_writer(json.clone()));
    with_default(stack.with_context_fields(schema()), || {
        let run = || {
            info!(order = 1, "placed");
            info!(tenant_id = "own", "placed");
        };
        Fields::new().with(&TENANT_ID, "acme").in_scope(run);
    });
    assert_eq!(lines.text(), "INFO  placed order=1 tenant_id=\"acme\"\nINFO  placed tenant_id=\"own\"\n");
    assert_eq!(
        json.lines(),
        [
            r#"{"level":"INFO","message":"placed","order":1,"tenant_id":"acme"}"#,
            r#"{"level":"INFO","message":"placed","tenant_id":"own"}"#
        ]
    );
}

#[test]
fn other_outputs_beside_it_get_what_they_get_without_it() {
    let [with_it, without_it] = [true, false].map(|is_there| {
        let (lines, text) = (Captured::default(), Captured::default());
        let stack = tracing_subscriber::registry()
            .with(is_there.then(|| layer(&lines)))
            .with(fmt::layer().without_time().with_ansi(false).with_writer(text.clone()));
        with_default(stack.with_context_fields(schema()), || {
            Fields::new().with(&TENANT_ID, "acme").in_scope(|| info!(order = 1, "placed"));
        });
        text.text()
    });
    assert_eq!(with_it, without_it);
    assert_eq!(count(&with_it, "tenant_id"), 1, "{with_it}");
}

#[test]
fn a_boxed_layer_and_any_kind_of_writer_work() {
    let lines = Captured::default();
    let path = std::env::temp_dir().join(format!("ctx-text-writer-{}", std::process::id()));
    let file = Arc::new(std::fs::File::create(&path).unwrap());
    let stack = tracing_subscriber::registry()
        .with(layer(&lines).boxed())
        .with(text::layer().without_time().with_target(false).with_writer(file))
        .with(text::layer().with_writer(Mutex::new(Vec::new())))
        .with(text::layer().with_writer(io::stderr.with_max_level(tracing::Level::ERROR)));
    with_default(stack.with_context_fields(schema()), || TENANT_ID.in_scope("acme", || info!("placed")));
    assert_eq!(lines.text(), "INFO  placed tenant_id=\"acme\"\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), lines.text(), "a file has no colours");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_record_is_written_in_one_call() {
    #[derive(Clone, Default)]
    struct Calls(Arc<Mutex<Vec<String>>>);
    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let calls = Calls::default();
    let writer = calls.clone();
    let stack = tracing_subscriber::registry().with(text::layer().with_writer(move || writer.clone()));
    with_default(stack, || TENANT_ID.in_scope("acme", || info!(order = 1, "placed\nin two lines")));
    let calls = calls.0.lock().unwrap();
    assert!(calls.len() == 1 && calls[0].ends_with("\n    | in two lines\n"), "{calls:?}");
}

#[test]
fn a_blocked_writer_behind_a_non_blocking_one_loses_lines() {
    #[derive(Clone)]
    struct Blocking(Arc<Mutex<Vec<u8>>>);
    impl Write for Blocking {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let written = Arc::new(Mutex::new(Vec::new()));
    let blocked = written.lock().unwrap();
    let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .buffered_lines_limit(4)
        .lossy(true)
        .finish(Blocking(written.clone()));
    let lost = writer.error_counter();
    let layer = text::layer().without_time().with_target(false).with_writer(writer);
    let stack = tracing_subscriber::registry().with(layer).with_context_fields(schema());
    with_default(stack, || TENANT_ID.in_scope("acme", || (0..100).for_each(|order| info!(order, "placed"))));
    let lost = lost.dropped_lines();
    assert!(lost >= 90, "{lost}");
    drop(blocked);
    drop(guard);
    let records = reader::records(&String::from_utf8(written.lock().unwrap().clone()).unwrap());
    assert_eq!(records.len() + lost, 100);
    assert!(records.iter().all(|read| read.fields.contains(&("tenant_id".to_owned(), "acme".to_owned()))));
}

#[test]
fn threads_that_share_a_request_never_have_another_ones_fields() {
    let lines = Captured::default();
    let dispatch =
        tracing::Dispatch::new(tracing_subscriber::registry().with(layer(&lines)).with_context_fields(schema()));
    thread::scope(|scope| {
        for tenant in 0..4 {
            let fields = Fields::new().with(&TENANT_ID, format!("t{tenant}"));
            for _ in 0..2 {
                let (fields, dispatch) = (fields.clone(), dispatch.clone());
                scope.spawn(move || {
                    tracing::dispatcher::with_default(&dispatch, || {
                        for round in 0..200 {
                            fields.clone().in_scope(|| {
                                info!(tenant, "outer");
                                let user = format!("u{tenant}-{round}");
                                USER_ID.in_scope(user.clone(), || info!(tenant, user, "inner"));
                            });
                        }
                    });
                });
            }
        }
    });
    let records = reader::records(&lines.text());
    assert_eq!(records.len(), 4 * 2 * 200 * 2);
    for read in records {
        let value = |name: &str| read.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        assert_eq!(value("tenant_id"), value("tenant").map(|tenant| format!("t{tenant}")), "{read:?}");
        assert_eq!(value("user"), value("user_id"), "{read:?}");
    }
}
