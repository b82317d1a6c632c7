//! `tracing-error`: the contents of a span trace.

use ctx_layer::{SeparateSpanFields, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{Captured, count, schema};
use tracing::{info, info_span, subscriber::with_default};
use tracing_error::{ErrorLayer, SpanTrace};
use tracing_subscriber::{fmt, prelude::*};

fn trace_text() -> String {
    TENANT_ID.in_scope("acme", || {
        info_span!("request", path = "/orders").in_scope(|| {
            info_span!("query", table = "orders").in_scope(|| {
                info!("failing");
                SpanTrace::capture().to_string()
            })
        })
    })
}

#[test]
fn a_span_trace_shows_the_field_on_every_span() {
    let subscriber = tracing_subscriber::registry().with(ErrorLayer::default()).with_context_fields(schema());
    let text = with_default(subscriber, trace_text);
    assert_eq!(text.matches("tenant_id=\"acme\"").count(), 2, "{text}");
    assert!(text.contains("with path=\"/orders\" tenant_id=\"acme\""), "{text}");
}

#[test]
fn a_span_trace_is_found_with_its_layer_inside_an_output_of_ours() {
    let subscriber =
        tracing_subscriber::registry().with(fields_once_per_line(ErrorLayer::default())).with_context_fields(schema());
    let text = with_default(subscriber, trace_text);
    assert!(text.contains("with path=\"/orders\""), "{text}");
    assert_eq!(count(&text, "tenant_id"), 0, "{text}");
}

#[test]
fn a_span_trace_shows_the_field_beside_a_console_that_hides_it_on_spans() {
    for console_first in [true, false] {
        let out = Captured::default();
        let text = if console_first {
            let registry = tracing_subscriber::registry().with(fields_once_per_line(
                fmt::layer().with_writer(out.clone()).with_ansi(false).map_fmt_fields(SeparateSpanFields),
            ));
            with_default(registry.with(ErrorLayer::default()).with_context_fields(schema()), trace_text)
        } else {
            let registry = tracing_subscriber::registry().with(ErrorLayer::default());
            with_default(
                registry
                    .with(fields_once_per_line(
                        fmt::layer().with_writer(out.clone()).with_ansi(false).map_fmt_fields(SeparateSpanFields),
                    ))
                    .with_context_fields(schema()),
                trace_text,
            )
        };
        assert_eq!(count(&text, "tenant_id"), 2, "in the span trace, console first: {console_first}: {text}");
        assert_eq!(count(&out.text(), "tenant_id"), 1, "on the console, first: {console_first}: {}", out.text());
    }
}
