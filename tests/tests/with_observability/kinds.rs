//! `kind`

use ctx_layer::with_observability;
use opentelemetry::trace::SpanKind;

use crate::setup::with_and_without_context;

#[with_observability]
fn by_default() {}

#[with_observability(kind = internal)]
fn internal() {}

#[with_observability(kind = server)]
fn server() {}

#[with_observability(kind = client)]
async fn client() {}

#[with_observability(kind = producer)]
fn producer() {}

#[with_observability(kind = "consumer")]
fn consumer() {}

#[with_observability(kind = "Server")]
fn capitalised() {}

#[test]
fn the_exported_span_has_the_kind_given_as_a_word_or_a_string() {
    with_and_without_context(|out| {
        out.run(|| {
            internal();
            server();
            producer();
            consumer();
            capitalised();
        });
        out.block_on(client());
        for (name, kind) in [
            ("internal", SpanKind::Internal),
            ("server", SpanKind::Server),
            ("client", SpanKind::Client),
            ("producer", SpanKind::Producer),
            ("consumer", SpanKind::Consumer),
            ("capitalised", SpanKind::Server),
        ] {
            assert_eq!(out.span(name).span_kind, kind, "{name}");
        }
    });
}

#[test]
fn a_span_is_internal_by_default() {
    with_and_without_context(|out| {
        out.run(by_default);
        assert_eq!(out.span("by_default").span_kind, SpanKind::Internal);
    });
}

#[test]
fn the_kind_is_not_an_attribute() {
    with_and_without_context(|out| {
        out.run(server);
        assert_eq!(out.attribute("server", "otel.kind"), None);
    });
}
