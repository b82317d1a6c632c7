//! Traces that are compared with what is written.

use ctx_layer::{
    field::well_known::TENANT_ID,
    testing::{self, ExpectedTrace, trace},
};
use opentelemetry::trace::TraceContextExt;
use tracing::{info, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{failure, marked};

/// A request that loads, and publishes a message, which is consumed in a trace of its own.
fn order(telemetry: &testing::Telemetry) {
    telemetry.clear();
    TENANT_ID.in_scope("acme", || {
        let publish = info_span!("GET /orders/{id}", http.route = "/orders/{id}").in_scope(|| {
            info_span!("load", attempts = 1).in_scope(|| info!(rows = 3, "loaded"));
            info_span!("load", attempts = 2).in_scope(|| warn!("empty"));
            info_span!("publish")
        });
        let consume = info_span!("consume");
        consume.add_link(publish.context().span().span_context().clone());
        drop(publish);
        consume.in_scope(|| info_span!("store").in_scope(|| {}));
    });
}

#[test]
fn what_is_written_is_found() {
    let telemetry = testing::capture();
    let matching: Vec<ExpectedTrace> = vec![
        trace! { "GET /orders/{id}" -> "none" {} .. },
        trace! {
            "GET /orders/{id}" tenant_id="acme" http.route="/orders/{id}" {
                "load" attempts=2 { event "empty" }
                "load" attempts=1 { event "loaded" rows=3 tenant_id="acme" }
                "publish" -> "consume" tenant_id="acme" { "store" {} }
            }
        },
        trace! { "GET /orders/{id}" { "publish" .. } "consume" },
        trace! { "consume" { "store" } .. },
        trace! { .. },
    ];
    order(&telemetry);
    for expected in matching.into_iter().skip(1) {
        telemetry.assert_trace(expected);
    }
}

#[test]
fn what_differs_is_marked() {
    let telemetry = testing::capture();
    order(&telemetry);
    let marks = |expected: ExpectedTrace| {
        let failure = failure(|| telemetry.assert_trace(expected));
        let marks: Vec<_> = marked(&failure).into_iter().map(str::to_owned).collect();
        let marks = marks.iter().map(|line| {
            let (line, mark) = line.split_once("   <-- ").expect("it has a mark");
            (line.split(' ').next().unwrap_or_default().to_owned(), mark.to_owned())
        });
        marks.collect::<Vec<_>>()
    };
    let pair = |line: &str, mark: &str| (line.to_owned(), mark.to_owned());
    assert_eq!(
        marks(trace! { "GET /orders/{id}" { "load" "load" "publish" -> "consume" { "store" } "render" {} } }),
        [pair("\"render\"", "is expected here, and missing")]
    );
    assert_eq!(
        marks(trace! { "GET /orders/{id}" { "load" "publish" -> "consume" } }),
        [pair("load", "is not expected")]
    );
    assert_eq!(
        marks(trace! { "GET /orders/{id}" tenant_id="globex" { "load" "load" "publish" -> "consume" } }),
        [pair("GET", "tenant_id is \"acme\", expected \"globex\"")]
    );
    assert_eq!(
        marks(trace! { "GET /orders/{id}" user_id="ada" { .. } "consume" }),
        [pair("GET", "user_id is missing, expected \"ada\"")]
    );
    assert_eq!(marks(trace! { "GET /orders/{id}" }), [pair("consume", "is not expected")]);
    assert_eq!(
        marks(trace! { "GET /orders/{id}" { "load" "load" "publish" -> "audit" } "consume" }),
        [pair("publish", "no span \"audit\" links to it")]
    );
    assert_eq!(
        marks(trace! { "GET /orders/{id}" { "load" attempts=1 { event "loaded" rows=4 } .. } "consume" }),
        [pair("INFO", "rows is 3, expected 4")]
    );
    assert_eq!(
        marks(trace! { "GET /orders/{id}" { "load" attempts=1 { event "stored" } .. } "consume" }),
        [pair("event", "is expected here, and missing")]
    );
    assert_eq!(
        marks(trace! { "GET /orders/{id}" "consume" "other" }),
        [pair("\"other\"", "is expected here, and missing")]
    );
}

#[test]
fn siblings_of_one_name_are_distinguished_by_their_content() {
    let telemetry = testing::capture();
    info_span!("batch").in_scope(|| {
        for (item, tenant) in [(1, "acme"), (2, "globex"), (3, "acme")] {
            TENANT_ID.in_scope(tenant, || info_span!("item").in_scope(|| info_span!("store", item).in_scope(|| {})));
        }
    });
    telemetry.assert_trace(trace! {
        "batch" {
            "item" tenant_id="acme" { "store" item=3 }
            "item" { "store" item=2 }
            "item" tenant_id="acme" { "store" item=1 }
        }
    });
    let failure = failure(|| {
        telemetry.assert_trace(
            trace! { "batch" { "item" { "store" item=1 } "item" { "store" item=3 } "item" { "store" item=7 } } },
        )
    });
    let [wrong] = marked(&failure)[..] else { panic!("{failure}") };
    assert!(
        wrong.starts_with("store ") && wrong.contains(" item=2 ") && wrong.ends_with("<-- item is 2, expected 7"),
        "{failure}"
    );
}
