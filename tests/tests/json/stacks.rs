//! `output::json` as an ordinary layer: filters, `reload`, several outputs, every kind of writer.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, UNIX_EPOCH},
};

use ctx_layer::{Fields, SubscriberFieldsExt, field::well_known::*, output::json};
use ctx_tests::{Captured, count, schema};
use serde_json::json;
use tracing::{debug, info, info_span, subscriber::with_default, warn};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    fmt,
    fmt::writer::MakeWriterExt,
    prelude::*,
    reload,
};

use super::strict;

fn layer(lines: &Captured) -> json::JsonLayer<Captured> {
    json::layer().without_time().with_target(false).with_writer(lines.clone())
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
            info!("info");
            warn!("warn");
            debug!(target: "shop", "shop");
        });
    });
    let messages = |lines: &Captured| -> Vec<_> {
        lines.lines().iter().map(|line| strict::parse(line)["message"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(messages(&all), ["info", "warn", "shop"]);
    assert_eq!(messages(&warnings), ["warn"]);
    assert_eq!(messages(&none), [""; 0]);
    assert_eq!(messages(&shop), ["shop"]);
}

#[test]
fn a_filter_by_the_fields_of_spans_works_under_the_subscriber() {
    let lines = Captured::default();
    let stack =
        tracing_subscriber::registry().with(EnvFilter::new("warn,[{tenant_id=acme}]=debug")).with(layer(&lines));
    with_default(stack.with_context_fields(schema()), || {
        for tenant in ["acme", "globex"] {
            TENANT_ID.in_scope(tenant, || info_span!("request").in_scope(|| debug!("inside")));
        }
    });
    assert_eq!(lines.lines(), [r#"{"level":"DEBUG","message":"inside","tenant_id":"acme","span":{"name":"request"}}"#]);
}

#[test]
fn a_reloaded_layer_writes_in_its_new_format() {
    let lines = Captured::default();
    let (reloadable, handle) = reload::Layer::new(layer(&lines));
    with_default(tracing_subscriber::registry().with(reloadable).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            info!("before");
            handle.modify(|layer| *layer = self::layer(&lines).with_constant("service.name", "shop")).unwrap();
            info!("after");
        });
    });
    assert_eq!(
        lines.lines(),
        [
            r#"{"level":"INFO","message":"before","tenant_id":"acme"}"#,
            r#"{"level":"INFO","message":"after","tenant_id":"acme","service.name":"shop"}"#,
        ]
    );
}

#[test]
fn other_outputs_get_the_same_with_and_without_it() {
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
    let file = Arc::new(std::fs::File::create(std::env::temp_dir().join("ctx-json-writer")).unwrap());
    let stack = tracing_subscriber::registry()
        .with(layer(&lines).boxed())
        .with(json::layer().with_writer(file))
        .with(json::layer().with_writer(Mutex::new(Vec::new())))
        .with(json::layer().with_writer(io::stderr.with_max_level(tracing::Level::ERROR)));
    with_default(stack.with_context_fields(schema()), || TENANT_ID.in_scope("acme", || info!("placed")));
    assert_eq!(lines.lines(), [r#"{"level":"INFO","message":"placed","tenant_id":"acme"}"#]);
    let path = std::env::temp_dir().join("ctx-json-writer");
    assert_eq!(strict::parse(std::fs::read_to_string(&path).unwrap().trim_end())["tenant_id"], "acme");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_line_is_written_in_one_call() {
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
    let stack = tracing_subscriber::registry().with(json::layer().with_writer(move || writer.clone()));
    with_default(stack, || TENANT_ID.in_scope("acme", || info!(order = 1, "placed")));
    let calls = calls.0.lock().unwrap();
    assert!(calls.len() == 1 && calls[0].starts_with('{') && calls[0].ends_with("}\n"), "{calls:?}");
}

#[test]
fn the_clock_can_be_replaced() {
    let lines = Captured::default();
    let clock = || UNIX_EPOCH + Duration::new(1_796_000_000, 123_456_789);
    let stack = tracing_subscriber::registry().with(json::layer().with_clock(clock).with_writer(lines.clone()));
    with_default(stack, || info!("placed"));
    let line = strict::parse(&lines.lines()[0]);
    assert_eq!(
        line,
        json!({
            "timestamp": "2026-11-30T00:53:20.123456Z", "level": "INFO", "target": module_path!(), "message": "placed",
        })
    );
}

#[test]
fn the_time_is_the_systems_unless_a_clock_is_given() {
    let lines = Captured::default();
    let stack = tracing_subscriber::registry()
        .with(json::layer().with_format(json::Format::opentelemetry()).with_writer(lines.clone()));
    let nanos = || UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let before = nanos();
    with_default(stack, || info!("placed"));
    let line = strict::parse(&lines.lines()[0]);
    let written: u128 = line["Timestamp"].as_str().unwrap().parse().unwrap();
    assert!((before..=nanos()).contains(&written));
}

/// A writer that blocks its thread, and the sender that releases it.
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

#[test]
fn a_blocked_writer_behind_a_non_blocking_one_loses_lines_and_blocks_none() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let blocked = written.lock().unwrap();
    let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .buffered_lines_limit(4)
        .lossy(true)
        .finish(Blocking(written.clone()));
    let lost = writer.error_counter();
    let stack = tracing_subscriber::registry().with(json::layer().with_writer(writer)).with_context_fields(schema());
    with_default(stack, || TENANT_ID.in_scope("acme", || (0..100).for_each(|order| info!(order, "placed"))));
    assert!(lost.dropped_lines() >= 90, "{}", lost.dropped_lines());
    let lost = lost.dropped_lines();
    drop(blocked);
    drop(guard);
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count() + lost, 100);
    assert!(text.lines().all(|line| strict::parse(line)["tenant_id"] == "acme"));
}

#[test]
fn threads_of_one_request_share_its_encoding_and_no_other() {
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
    let lines = lines.lines();
    assert_eq!(lines.len(), 4 * 2 * 200 * 2);
    for line in lines {
        let line = strict::parse(&line);
        assert_eq!(line["tenant_id"], format!("t{}", line["tenant"]), "{line}");
        assert_eq!(line.get("user"), line.get("user_id"), "{line}");
    }
}
