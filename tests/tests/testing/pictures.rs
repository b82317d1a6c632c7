//! The picture of what was captured.

use ctx_layer::{field::well_known::TENANT_ID, testing};
use tracing::{info, info_span};

use crate::failure;

/// Replaces ids and durations.
fn stable(picture: &str) -> String {
    let ids = regex_lite::Regex::new("[0-9a-f]{32}").expect("it is valid");
    let times = regex_lite::Regex::new(r"[0-9.]+(ns|µs|ms|s)\b").expect("it is valid");
    times.replace_all(&ids.replace_all(picture, "<id>"), "<time>").into_owned()
}

#[test]
fn a_failure_shows_the_trace_with_the_wrong_lines_marked() {
    let telemetry = testing::capture();
    TENANT_ID.in_scope("acme", || {
        info_span!("GET /orders", otel.kind = "server").in_scope(|| {
            info_span!("load").in_scope(|| info!(rows = 3, "loaded"));
            TENANT_ID.in_scope("globex", || info_span!("render").in_scope(|| info!("rendered\nin two lines")));
        });
    });
    info!("outside");
    let failure = failure(|| telemetry.assert_field_everywhere(&TENANT_ID, "acme"));
    let expected = r#"assertion failed: every span and event has tenant_id="acme", but 3 do not fit

  trace 1 (<id>)
  └─ GET /orders (server) <time> tenant_id="acme"
     ├─ load <time> tenant_id="acme"
     │  · INFO loaded rows=3 tenant_id="acme"
>    └─ render <time> tenant_id="globex"   <-- tenant_id is "globex"
>       · INFO rendered\nin two lines tenant_id="globex"   <-- tenant_id is "globex"
  outside of all spans
> · INFO outside   <-- tenant_id is missing
"#;
    assert_eq!(stable(&failure), expected);
}

#[test]
fn a_picture_has_no_colours_where_no_terminal_reads_it() {
    let telemetry = testing::capture();
    info!("outside");
    assert!(!telemetry.picture().contains('\x1b'));
}
