//! `fmt` as text: full, compact, pretty; and `tracing-logfmt`.

use ctx_layer::{ContextLayer, SeparateSpanFields, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{Captured, count, schema};
use tracing::{Subscriber, info, info_span, span::EnteredSpan, subscriber::with_default};
use tracing_subscriber::{Layer, Registry, fmt, prelude::*, registry::LookupSpan};

/// Runs a program that has no context fields of its own.
fn handle_a_request() {
    let _span = info_span!("request", path = "/orders").entered();
    info!(lines = 3, "order received");
}

fn written_by<L: Layer<Registry> + Send + Sync + 'static>(
    layer: impl FnOnce(Captured) -> L,
    run: impl FnOnce(),
) -> String {
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry().with(layer(out.clone())).with_context_fields(schema());
    with_default(subscriber, || TENANT_ID.in_scope("acme", run));
    out.text()
}

fn plain<S: Subscriber + for<'a> LookupSpan<'a>>(
    out: Captured,
) -> fmt::Layer<S, fmt::format::DefaultFields, fmt::format::Format<fmt::format::Full, ()>, Captured> {
    fmt::layer().with_writer(out).with_ansi(false).without_time().with_target(false)
}

#[test]
fn a_full_line_has_the_field_on_event_and_span() {
    let text = written_by(plain, handle_a_request);
    assert_eq!(text, " INFO request{path=\"/orders\" tenant_id=\"acme\"}: order received lines=3 tenant_id=\"acme\"\n");
}

#[test]
fn a_compact_line_has_the_field_on_event_and_span() {
    let text = written_by(|out| plain(out).compact(), handle_a_request);
    assert_eq!(text, " INFO request: order received lines=3 tenant_id=\"acme\" path=\"/orders\" tenant_id=\"acme\"\n");
}

#[test]
fn a_pretty_line_has_the_field_on_event_and_span() {
    let text = written_by(
        |out| {
            fmt::layer()
                .pretty()
                .with_writer(out)
                .with_ansi(false)
                .without_time()
                .with_target(false)
                .with_file(false)
                .with_line_number(false)
        },
        handle_a_request,
    );
    assert_eq!(
        text,
        "   INFO  order received, lines: 3, tenant_id: \"acme\"\n    in request with path: \"/orders\", tenant_id: \"acme\"\n\n"
    );
}

#[test]
fn a_coloured_line_has_the_field_in_the_colours_of_other_fields() {
    let text = written_by(|out| plain(out).with_ansi(true), || info!(lines = 3, "order received"));
    assert_eq!(
        text,
        "\u{1b}[32m INFO\u{1b}[0m order received \u{1b}[3mlines\u{1b}[0m\u{1b}[2m=\u{1b}[0m3 \u{1b}[3mtenant_id\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"acme\"\n"
    );
}

#[test]
fn a_logfmt_line_has_the_field_on_event_and_span() {
    let logfmt = |out| tracing_logfmt::builder().with_timestamp(false).with_target(false).layer().with_writer(out);
    let text = written_by(logfmt, handle_a_request);
    assert_eq!(count(&text, "tenant_id"), 2, "once for the event, once for the span: {text:?}");
    assert_eq!(text.matches("tenant_id=acme").count(), 2, "{text:?}");
    assert!(text.contains("message=\"order received\"") && text.contains("path=/orders"), "{text:?}");

    // The event's own value, outside any span.
    assert_eq!(written_by(logfmt, || info!("alone")), "level=info message=alone tenant_id=acme\n");
}

fn nested(depth: usize) -> Vec<EnteredSpan> {
    (0..depth).map(|level| info_span!("step", level).entered()).collect()
}

fn once_at_every_depth<L: Layer<Registry> + Send + Sync + 'static>(layer: impl Fn(Captured) -> L) {
    for depth in [0, 1, 4, 16, 64] {
        let text = written_by(
            |out| fields_once_per_line(layer(out)),
            || {
                USER_ID.in_scope("u-1", || {
                    let mut spans = nested(depth);
                    info!(lines = 3, "deep");
                    while spans.pop().is_some() {}
                });
            },
        );
        // Pretty prints `name: value`, and an event on several lines.
        let text = text.replace(": \"", "=\"");
        assert_eq!(count(&text, "tenant_id"), 1, "at depth {depth}: {text}");
        assert_eq!(count(&text, "user_id"), 1, "at depth {depth}: {text}");
        assert!(text.contains("acme") && text.contains("u-1"), "at depth {depth}: {text}");
        let levels = text.matches("level=").count() + text.matches("level: ").count();
        let levels_of_events = text.matches("level=info").count();
        assert_eq!(levels - levels_of_events, depth, "spans keep their own fields at depth {depth}: {text}");
    }
}

#[test]
fn a_full_line_under_once_per_line_has_each_field_once_at_any_depth() {
    once_at_every_depth(plain);
}

#[test]
fn a_compact_line_under_once_per_line_has_each_field_once_at_any_depth() {
    once_at_every_depth(|out| plain(out).compact());
}

#[test]
fn a_pretty_line_under_once_per_line_has_each_field_once_at_any_depth() {
    once_at_every_depth(|out| plain(out).pretty());
}

#[test]
fn a_logfmt_line_under_once_per_line_has_each_field_once_at_any_depth() {
    once_at_every_depth(|out| {
        tracing_logfmt::builder().with_timestamp(false).with_span_path(false).layer().with_writer(out)
    });
}

#[test]
fn without_once_per_line_every_span_repeats_the_field() {
    let text = written_by(plain, || {
        let mut spans = nested(4);
        info!("deep");
        while spans.pop().is_some() {}
    });
    assert_eq!(count(&text, "tenant_id"), 5, "{text}");
}

#[test]
fn under_once_per_line_a_field_that_a_span_declares_is_on_its_events() {
    let text = written_by(
        |out| fields_once_per_line(plain(out)),
        || {
            let _span = info_span!("request", tenant_id = "own", user_id = "own").entered();
            info!("received");
        },
    );
    // The event has the current value; without one, the value that its span declares.
    assert_eq!(text, " INFO request: received tenant_id=\"acme\" user_id=\"own\"\n");
}

#[test]
fn a_field_declared_empty_by_the_span_is_filled_and_shown_by_it() {
    let text = written_by(plain, || {
        let _span = info_span!("request", tenant_id = tracing::field::Empty).entered();
        info!("received");
    });
    assert_eq!(text, " INFO request{tenant_id=\"acme\"}: received tenant_id=\"acme\"\n");
}

#[test]
fn once_per_line_works_without_with_context_fields() {
    // No context field anywhere: the output is the same as without this crate. The schema avoids a warning.
    let _elsewhere = tracing_subscriber::registry().with_context_fields(schema());
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry().with(fields_once_per_line(plain(out.clone())));
    with_default(subscriber, || TENANT_ID.in_scope("acme", handle_a_request));
    assert_eq!(out.text(), " INFO request{path=\"/orders\"}: order received lines=3\n");
}

#[test]
fn around_one_text_output_the_field_is_only_there() {
    let (with, without) = (Captured::default(), Captured::default());
    let subscriber = tracing_subscriber::registry()
        .with(plain(without.clone()))
        .with(ContextLayer::new(plain(with.clone()).map_fmt_fields(SeparateSpanFields), schema()));
    with_default(subscriber, || TENANT_ID.in_scope("acme", handle_a_request));
    assert_eq!(without.text(), " INFO request{path=\"/orders\"}: order received lines=3\n");
    assert_eq!(
        with.text(),
        " INFO request{path=\"/orders\" tenant_id=\"acme\"}: order received lines=3 tenant_id=\"acme\"\n"
    );
}

#[test]
fn two_text_outputs_do_not_show_each_others_span_fields() {
    for console_first in [true, false] {
        let (console, file) = (Captured::default(), Captured::default());
        let mut outputs = vec![
            fields_once_per_line(plain(console.clone()).map_fmt_fields(SeparateSpanFields)).boxed(),
            plain(file.clone()).boxed(),
        ];
        if !console_first {
            outputs.reverse();
        }
        with_default(tracing_subscriber::registry().with(outputs).with_context_fields(schema()), || {
            TENANT_ID.in_scope("acme", handle_a_request);
        });
        assert_eq!(count(&console.text(), "tenant_id"), 1, "console first: {console_first}: {}", console.text());
        assert_eq!(count(&file.text(), "tenant_id"), 2, "console first: {console_first}: {}", file.text());
    }
}

#[test]
fn fmts_span_lifecycle_lines_have_the_field_unless_once_per_line_hides_it() {
    use fmt::format::FmtSpan;
    let layer = |out| plain(out).with_span_events(FmtSpan::NEW | FmtSpan::ENTER);
    let run = || info_span!("request", path = "/orders").in_scope(|| info!("received"));
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let span = "INFO request{path=\"/orders\" tenant_id=\"acme\"}";
    assert_eq!(
        lines(written_by(layer, run)),
        [format!(" {span}: new"), format!(" {span}: enter"), format!(" {span}: received tenant_id=\"acme\"")]
    );
    let span = "INFO request{path=\"/orders\"}";
    assert_eq!(
        lines(written_by(|out| fields_once_per_line(layer(out)), run)),
        [format!(" {span}: new"), format!(" {span}: enter"), format!(" {span}: received tenant_id=\"acme\"")]
    );
}
