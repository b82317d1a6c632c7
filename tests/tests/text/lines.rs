//! A snapshot of each kind of line.

use std::{
    error::Error,
    fmt, io,
    time::{Duration, UNIX_EPOCH},
};

use ctx_layer::{Fields, field::well_known::*, output::text::TextLayer};
use tracing::{debug, error, info, info_span, trace, warn};

use super::{text_of, text_under};

fn two() -> Fields {
    Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada")
}

/// An error with causes.
#[derive(Debug)]
pub(crate) struct Caused(pub(crate) &'static str, pub(crate) Option<Box<Caused>>);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn whole(layer: TextLayer) -> TextLayer {
    layer.with_target(true).with_clock(|| UNIX_EPOCH + Duration::from_micros(1_795_782_896_123_456))
}

/// The layer of the snapshots has a time, which `text_of` has switched off: a new one.
fn written(change: impl Fn(TextLayer) -> TextLayer, run: impl Fn()) -> String {
    use ctx_layer::SubscriberFieldsExt;
    use tracing_subscriber::prelude::*;
    let lines = ctx_tests::Captured::default();
    let layer = change(whole(ctx_layer::output::text::layer())).with_writer(lines.clone());
    let stack = tracing_subscriber::registry().with(layer).with_context_fields(ctx_tests::schema());
    tracing::subscriber::with_default(stack, run);
    lines.text()
}

fn request() {
    let request = two().in_scope(|| info_span!("request", path = "/orders"));
    let _request = request.entered();
    let _inner = info_span!("pay").entered();
    warn!(target: "shop::orders::payment", order = 1042, how = "card", "not placed");
}

#[test]
fn a_line_has_time_level_target_spans_message_and_fields() {
    assert_eq!(
        written(|layer| layer, request),
        "2026-11-27T12:34:56.123456Z WARN  shop::..::payment request:pay: not placed order=1042 how=\"card\" tenant_id=\"acme\" \
         user_id=\"ada\"\n"
    );
}

#[test]
fn a_line_in_colours_has_the_context_dim() {
    assert_eq!(
        written(|layer| layer.with_ansi(true), request),
        "\x1b[2m2026-11-27T12:34:56.123456Z\x1b[0m \x1b[33mWARN \x1b[0m \x1b[2mshop::..::payment\x1b[0m \
         \x1b[1mrequest:pay\x1b[0m: not placed order=1042 how=\"card\"\x1b[2m tenant_id=\"acme\" user_id=\"ada\"\x1b[0m\n"
    );
}

#[test]
fn levels_are_of_one_width() {
    let run = || {
        error!("e");
        warn!("w");
        info!("i");
        debug!("d");
        trace!("t");
    };
    assert_eq!(text_of(|layer| layer, run), "ERROR e\nWARN  w\nINFO  i\nDEBUG d\nTRACE t\n");
    let coloured = text_of(|layer| layer.with_ansi(true), run);
    let colours: Vec<_> = coloured.lines().map(|line| line.split_once('m').unwrap().0).collect();
    assert_eq!(colours, ["\x1b[31", "\x1b[33", "\x1b[32", "\x1b[34", "\x1b[35"]);
}

#[test]
fn an_error_is_on_lines_below_with_its_causes() {
    let run = || {
        let error = Caused("the card was declined", Some(Box::new(Caused("no answer\nfrom the bank", None))));
        let other = io::Error::other("it\nfailed");
        TENANT_ID.in_scope("acme", || {
            error!(error = &error as &(dyn Error + 'static), order = 7, other = &other as &dyn Error, "not placed");
        });
    };
    assert_eq!(
        text_of(|layer| layer, run),
        "ERROR not placed order=7 tenant_id=\"acme\"\n    error: the card was declined\n    caused by: no answer\n    | from the \
         bank\n    other: it\n    | failed\n"
    );
    assert!(
        text_of(|layer| layer.with_ansi(true), run)
            .contains("\n    \x1b[31mcaused by:\x1b[0m no answer\n    \x1b[2m|\x1b[0m from the bank\n")
    );
}

#[test]
fn a_message_of_several_lines_is_indented_behind_a_bar() {
    let run = || TENANT_ID.in_scope("acme", || info!(rows = 3, "{}", "SELECT *\n\tFROM orders\n\nWHERE a = 1\n"));
    assert_eq!(
        text_of(|layer| layer, run),
        "INFO  SELECT * rows=3 tenant_id=\"acme\"\n    | \tFROM orders\n    | \n    | WHERE a = 1\n"
    );
    assert_eq!(text_of(|layer| layer, || info!("one\n")), "INFO  one\n");
}

#[test]
fn values_of_each_type_have_a_form() {
    #[derive(Debug)]
    #[allow(dead_code)] // It is formatted.
    struct Login {
        user: &'static str,
    }
    let run = || {
        info!(
            a = true,
            b = -7,
            c = u64::MAX,
            d = 1.5,
            e = f64::NAN,
            f = f64::NEG_INFINITY,
            g = u128::MAX,
            h = &[0_u8, 255][..],
            i = "te\"xt",
            j = %"plain",
            k = ?"text",
            l = ?Login { user: "ada" },
            m = %"a b=c",
            n = "",
            o = %"",
            p = None::<u8>,
        );
    };
    assert_eq!(
        text_of(|layer| layer, run),
        "INFO  a=true b=-7 c=18446744073709551615 d=1.5 e=NaN f=-inf g=340282366920938463463374607431768211455 h=00ff i=\"te\\\"xt\" \
         j=plain k=\"text\" l=Login { user: \"ada\" } m=\"a b=c\" n=\"\" o=\"\"\n"
    );
}

#[test]
fn names_of_every_kind_differ_from_values() {
    let run = || info!(r#type = "a", "quo\"ted\n" = 1, "" = 2, http.method = "GET", "a b" = 3, "c=d" = 4, "named");
    assert_eq!(
        text_of(|layer| layer, run),
        "INFO  named type=\"a\" quo\\u{22}ted\\u{a}=1 \\u{}=2 http.method=\"GET\" a\\u{20}b=3 c\\u{3d}d=4\n"
    );
}

#[test]
fn an_event_without_message_has_fields_alone() {
    assert_eq!(text_of(|layer| layer, || info!(a = 1)), "INFO  a=1\n");
    assert_eq!(text_of(|layer| layer.with_level(false), || info!(a = 1)), "a=1\n");
    assert_eq!(text_of(|layer| layer.with_level(false), || info!("placed")), "placed\n");
    let target = |layer: TextLayer| layer.with_target(true).with_level(false);
    assert_eq!(text_of(target, || info!(target: "shop", a = 1)), "shop: a=1\n");
}

#[test]
fn a_message_that_is_not_the_first_field_is_written_first() {
    assert_eq!(
        text_of(|layer| layer, || info!(order = 1, message = "placed", rows = 2)),
        "INFO  placed order=1 rows=2\n"
    );
    let failed = io::Error::other("it failed");
    let run = || info!(order = 1, message = &failed as &dyn Error);
    assert_eq!(text_of(|layer| layer, run), "INFO  it failed order=1\n");
}

#[test]
fn targets_and_spans_are_shown_as_configured() {
    let run = || info_span!("outer").in_scope(|| info!(target: "a::b::c::d", "placed"));
    let full = |layer: TextLayer| layer.with_target(true).with_full_target(true);
    assert_eq!(text_of(full, run), "INFO  a::b::c::d outer: placed\n");
    let short = |layer: TextLayer| layer.with_target(true).with_span_list(false);
    assert_eq!(text_of(short, run), "INFO  a::..::d: placed\n");
    assert_eq!(text_of(|layer| layer.with_span_list(false), run), "INFO  placed\n");
}

#[test]
fn names_of_spans_and_targets_cannot_be_taken_for_a_message() {
    let run = || info_span!("HTTP request: x").in_scope(|| info!(target: "a b::c::d: e", "placed"));
    assert_eq!(
        text_of(|layer| layer.with_target(true), run),
        "INFO  \"a b\"::..::\"d: e\" \"HTTP request: x\": placed\n"
    );
}

#[test]
fn spans_have_their_own_and_recorded_fields_on_request() {
    let run = || {
        let outer = info_span!("outer", path = "/orders", status = tracing::field::Empty).entered();
        let _inner = info_span!("inner").entered();
        outer.record("status", 200);
        info!("placed");
    };
    let text = text_of(|layer| layer.with_span_fields(true), run);
    assert_eq!(text, "INFO  outer{path=\"/orders\" status=200}:inner: placed\n");
}

#[test]
fn file_line_and_thread_are_shown_on_request() {
    let run = || info!("placed");
    let named = std::thread::Builder::new().name("wor\"ker".into()).spawn(move || {
        text_of(|layer| layer.with_file(true).with_line_number(true).with_thread_names(true).with_thread_ids(true), run)
    });
    let line = named.unwrap().join().unwrap();
    let (place, rest) = line.strip_prefix("INFO  ").unwrap().split_once(" [\"wor\\\"ker\" ").unwrap();
    let (file, number) = place.rsplit_once(':').unwrap();
    assert!(file == file!() && number.parse::<u32>().is_ok_and(|number| number < line!()), "{line}");
    let (id, rest) = rest.split_once("]: ").unwrap();
    assert!(id.parse::<u32>().is_ok() && rest == "placed\n", "{line}");
}

#[test]
fn records_of_the_log_crate_have_their_own_target_and_source() {
    // As `tracing-log` passes them on.
    let run = || {
        tracing::event!(
            name: "log event",
            target: "log",
            tracing::Level::INFO,
            message = "from log",
            log.target = "old::module",
            log.module_path = "old::module",
            log.file = "src/old.rs",
            log.line = 7_u64,
        );
    };
    let text = text_of(|layer| layer.with_target(true).with_file(true).with_line_number(true), run);
    assert_eq!(text, "INFO  old::module src/old.rs:7: from log\n");
}

#[test]
fn the_trace_id_is_shown_on_request() {
    use ctx_layer::SubscriberFieldsExt;
    use tracing_subscriber::prelude::*;
    let exported = ctx_tests::Exported::new();
    let lines = ctx_tests::Captured::default();
    let stack = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
        .with(super::kept(|layer| layer.with_trace_ids(true), &lines))
        .with_context_fields(ctx_tests::schema());
    tracing::subscriber::with_default(stack, || {
        info_span!("request").in_scope(|| {
            TENANT_ID.in_scope("acme", || info!(target: "shop", "inside"));
            info!(target: "shop", trace_id = "own", "with its own");
        });
        info!(target: "shop", "outside");
    });
    let text = lines.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("side") || line.contains("own")).collect();
    let trace = exported.spans()[0].span_context.trace_id();
    assert_eq!(
        lines,
        [
            format!("INFO  request: inside tenant_id=\"acme\" trace_id={trace}"),
            "INFO  request: with its own trace_id=\"own\"".to_owned(),
            "INFO  outside".to_owned(),
        ]
    );
}

#[test]
fn a_value_that_a_span_sets_itself_is_on_the_lines_inside() {
    let run = || {
        let _span = info_span!("request", tenant_id = "acme x=1", user_id = "of the span").entered();
        info!("inside");
        info!(user_id = 7, note = "x tenant_id=\"forged\"", "own");
    };
    let text = text_under(|layer| layer, run);
    assert_eq!(
        text,
        "INFO  request: inside tenant_id=\"acme x=1\" user_id=\"of the span\"\nINFO  request: own user_id=7 note=\"x \
         tenant_id=\\\"forged\\\"\" tenant_id=\"acme x=1\"\n"
    );
}
