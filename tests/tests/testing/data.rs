//! The data that is captured.

use ctx_layer::{
    Schema, context_fields,
    field::well_known::{TENANT_ID, USER_ID},
    propagation::{self, Trust},
    testing::{self, Direction, Value},
};
use opentelemetry::{
    KeyValue, global,
    trace::{SpanKind, Status, TraceContextExt},
};
use tracing::{Level, Span, info, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;

context_fields! {
    /// The shard that holds the tenant's data.
    pub static SHARD: u64 = "shard";
}

#[test]
fn a_span_has_typed_fields_kind_status_links_and_times() {
    let telemetry = testing::capture();
    let first = info_span!("first");
    let span = info_span!(
        "second",
        otel.kind = "client",
        otel.status_code = "ERROR",
        otel.status_description = "refused",
        rows = 3,
        large = u64::MAX,
        share = 0.5,
        cached = true,
        text = "a b",
        shown = ?Some(1),
    );
    span.add_link(first.context().span().span_context().clone());
    assert!(telemetry.spans().iter().any(|span| span.is_open()));
    span.in_scope(|| {});
    drop((span, first));

    let span = telemetry.span("second");
    assert_eq!(span.field("rows"), Some(&Value::I64(3)));
    assert!(*span.field("rows").unwrap() == 3_u64 && *span.field("rows").unwrap() == 3_i32);
    assert!(*span.field("share").unwrap() == 0.5 && *span.field("cached").unwrap() == true);
    assert!(*span.field("text").unwrap() == "a b" && *span.field("shown").unwrap() == "Some(1)");
    assert_eq!(span.field("other"), None);
    assert_eq!(span.kind(), SpanKind::Client);
    assert_eq!(*span.status(), Status::error("refused"));
    assert!(span.links_to(&telemetry.span("first")));
    assert!(span.parent_span_id().is_none() && !span.is_open());
    assert!(span.end().is_some_and(|end| end >= span.start()) && span.duration().is_some());
}

#[test]
fn an_event_has_typed_fields_level_target_and_its_span() {
    let telemetry = testing::capture();
    let error = std::io::Error::other("disk full");
    info_span!("work").in_scope(|| {
        warn!(target: "orders", rows = 3_u64, error = &error as &dyn std::error::Error, "slow {}", "query");
    });
    info!("outside");

    let event = telemetry.event("slow query");
    assert_eq!((event.level(), event.target()), (Level::WARN, "orders"));
    assert_eq!(event.field("rows"), Some(&Value::U64(3)));
    assert_eq!(event.field("error"), Some(&Value::from("disk full")));
    assert!(event.is_in(&telemetry.span("work")));
    assert_eq!(event.trace_id(), Some(telemetry.trace().trace_id()));
    assert_eq!(telemetry.event("outside").span_id(), None);
    // The ids are not fields of the event.
    assert_eq!(event.fields().map(|(name, _)| name).collect::<Vec<_>>(), ["rows", "error"]);
}

#[test]
fn an_event_with_an_explicit_parent_is_in_that_span() {
    let telemetry = testing::capture();
    let (one, other) = (info_span!("one"), info_span!("other"));
    one.in_scope(|| info!(parent: &other, "elsewhere"));
    drop((one, other));
    assert!(telemetry.event("elsewhere").is_in(&telemetry.span("other")));
}

#[test]
fn records_of_the_log_crate_are_events() {
    let telemetry = testing::capture();
    let _ = tracing_log_for_tests();
    TENANT_ID.in_scope("acme", || log::info!(target: "library", "from a library"));
    let event = telemetry.event("from a library");
    assert_eq!(event.target(), "library");
    assert_eq!(event.fields().map(|(name, _)| name).collect::<Vec<_>>(), ["tenant_id"]);
}

/// Sends the records of `log` to `tracing`, as programs do.
fn tracing_log_for_tests() -> Result<(), log::SetLoggerError> {
    struct Bridge;

    impl log::Log for Bridge {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            info!(log.target = record.target(), log.line = record.line(), "{}", record.args());
        }

        fn flush(&self) {}
    }
    log::set_max_level(log::LevelFilter::Info);
    log::set_logger(&Bridge)
}

#[test]
fn log_records_have_the_fields_and_the_ids() {
    let telemetry = testing::capture();
    TENANT_ID.in_scope("acme", || info_span!("work").in_scope(|| info!(rows = 3, "stored")));
    let [log] = telemetry.logs().try_into().expect("there is one");
    assert_eq!(log.body(), "stored");
    assert!(*log.field(&TENANT_ID).unwrap() == "acme" && *log.field("rows").unwrap() == 3);
    assert_eq!(log.span_id(), Some(telemetry.span("work").span_id()));
}

#[test]
fn measurements_have_values_and_labels() {
    let telemetry = testing::capture();
    let meter = global::meter("orders");
    let counter = meter.u64_counter("orders.placed").with_unit("{order}").build();
    counter.add(2, &[KeyValue::new("plan", "gold")]);
    meter.f64_histogram("orders.duration").build().record(0.25, &[]);
    meter.i64_observable_gauge("orders.open").with_callback(|observer| observer.observe(-7, &[])).build();

    let [placed] = telemetry.measurements_of("orders.placed").try_into().expect("there is one");
    assert!(*placed.value() == 2_u64 && placed.unit() == "{order}" && *placed.field("plan").unwrap() == "gold");
    assert!(*telemetry.measurements_of("orders.duration")[0].value() == 0.25);
    let open = telemetry.measurements_of("orders.open");
    assert!(*open[0].value() == -7_i64);
    assert_eq!(telemetry.measurements_of("orders.open").len(), open.len(), "reading does not change it");
    // A kept instrument measures for the test that uses it.
    let other = testing::capture();
    counter.add(1, &[]);
    assert_eq!(
        (telemetry.measurements_of("orders.placed").len(), other.measurements_of("orders.placed").len()),
        (1, 1)
    );
}

#[test]
fn messages_are_what_crossed_the_wire() {
    let telemetry = testing::capture();
    let mut headers = std::collections::HashMap::<String, String>::new();
    TENANT_ID.in_scope("acme", || info_span!("send").in_scope(|| propagation::inject(&mut headers)));
    propagation::extract(&headers, Trust::internal()).in_scope(|| info_span!("handle").in_scope(|| {}));

    let [sent, received] = telemetry.messages().try_into().expect("there are two");
    assert_eq!((sent.direction(), received.direction()), (Direction::Sent, Direction::Received));
    assert_eq!(sent.header("Baggage"), Some("tenant_id=acme"));
    assert_eq!(sent.span_id(), Some(telemetry.span("send").span_id()));
    assert_eq!(received.header("traceparent"), sent.header("traceparent"));
    telemetry.assert_child("handle", "send");
}

#[test]
fn the_stock_propagator_is_captured_too() {
    let telemetry = testing::capture();
    let mut headers = std::collections::HashMap::<String, String>::new();
    TENANT_ID.in_scope("acme", || {
        let span = info_span!("send").entered();
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&Span::current().context(), &mut headers)
        });
        drop(span);
    });
    telemetry.assert_sent("baggage", "tenant_id=acme");
}

#[test]
fn fields_of_the_program_need_its_schema() {
    let schema = Schema::builder().well_known().field(&SHARD).build().expect("no name is in it twice");
    let telemetry = testing::builder().schema(schema).capture();
    SHARD.in_scope(7_u64, || info_span!("work").in_scope(|| info!("sharded")));
    telemetry.assert_field_everywhere(&SHARD, 7);
}

#[test]
fn a_filter_leaves_out_what_it_does_not_name() {
    let telemetry = testing::builder().filter("info,orders=debug").capture();
    tracing::debug!("not here");
    tracing::debug!(target: "orders", "here");
    assert_eq!(telemetry.events().len(), 1);
    let error = std::panic::catch_unwind(|| testing::builder().filter("orders=loud")).expect_err("it is no level");
    let error = error.downcast_ref::<String>().expect("it is text");
    assert!(error.contains("\"orders=loud\"") && error.contains("info,orders=debug"), "{error}");
}

#[test]
fn cleared_telemetry_is_forgotten() {
    let telemetry = testing::capture();
    info_span!("before").in_scope(|| info!("before"));
    telemetry.clear();
    USER_ID.in_scope("ada", || info!("after"));
    assert!(telemetry.spans().is_empty());
    assert_eq!(telemetry.events().len(), 1);
}
