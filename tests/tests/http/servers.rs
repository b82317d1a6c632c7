//! The trust of servers in their callers, and connections that many clients share.

use axum::{Router, body::Body, routing::get};
use ctx_layer::{
    field::well_known::{LOCALE, REQUEST_ID, TENANT_ID},
    http::{HeaderRule, ServerLayer, is_well_formed},
    propagation::{Boundary, Trust},
};
use http::{Request, Response};
use opentelemetry::{baggage::BaggageExt, trace::SpanId};
use tower::ServiceExt;
use tracing::info;

use crate::shared::*;

/// Returns the current context.
async fn current_context() -> String {
    info!("handled");
    tokio::task::yield_now().await;
    let other = opentelemetry::Context::map_current(|cx| cx.baggage().get("other").map(ToString::to_string));
    format!("{:?} {:?} {other:?}", TENANT_ID.get(), REQUEST_ID.get())
}

pub(crate) fn app(layer: ServerLayer) -> Router {
    Router::new().route("/", get(current_context)).layer(layer)
}

async fn send(layer: ServerLayer, headers: &[(&str, &str)]) -> (Response<()>, String) {
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app(layer).oneshot(request.body(Body::empty()).expect("it is one")).await.expect("it is infallible");
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("it is whole");
    (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).expect("it is text"))
}

const CONTEXT: [(&str, &str); 2] = [("traceparent", PARENT), ("baggage", "tenant_id=acme,request_id=r-1,other=1")];

#[test]
fn only_the_trace_of_external_callers_is_trusted() {
    let stack = Stack::new();
    let (_, answer) = stack.run(send(ServerLayer::new(), &CONTEXT));
    assert_eq!(answer, "None None None");
    let span = stack.server_span();
    assert_eq!((trace_of(&span).as_str(), span.parent_span_id.to_string().as_str()), (TRACE, CALLER));
    assert_eq!(text(&span, "tenant_id"), None);
}

#[test]
fn fields_and_baggage_of_internal_services_are_trusted() {
    let stack = Stack::new();
    let (_, answer) = stack.run(send(ServerLayer::new().trust(internal()), &CONTEXT));
    assert_eq!(answer, r#"Some("acme") Some("r-1") Some("1")"#);
    let span = stack.server_span();
    assert_eq!((trace_of(&span).as_str(), span.parent_span_id.to_string().as_str()), (TRACE, CALLER));
    assert_eq!(text(&span, "tenant_id").as_deref(), Some("acme"));
    let line = &stack.lines()[0];
    assert_eq!((&line["fields"]["tenant_id"], &line["fields"]["request_id"]), (&"acme".into(), &"r-1".into()));
}

#[test]
fn a_trace_that_is_only_linked_to_is_a_new_one_with_a_link() {
    let stack = Stack::new();
    stack.run(send(ServerLayer::new().trust(Trust::external().link_only()), &CONTEXT));
    let span = stack.server_span();
    assert_eq!(span.parent_span_id, SpanId::INVALID);
    assert_ne!(trace_of(&span), TRACE);
    let links: Vec<_> = span.links.iter().map(|link| link.span_context.span_id().to_string()).collect();
    assert_eq!(links, [CALLER]);
}

#[test]
fn the_context_of_the_accepting_task_does_not_reach_requests() {
    let stack = Stack::new();
    let (_, answer) = stack.run(async {
        use ctx_layer::FutureFieldsExt;
        send(ServerLayer::new(), &[]).with_field(&TENANT_ID, "another").await
    });
    assert_eq!(answer, "None None None");
}

#[test]
fn a_well_formed_request_id_is_accepted_and_echoed() {
    let stack = Stack::new();
    let layer = || ServerLayer::new().header(HeaderRule::request_id());
    let (response, answer) = stack.run(send(layer(), &[("x-request-id", "from-the-client.1")]));
    assert_eq!(response.headers()["x-request-id"], "from-the-client.1");
    assert_eq!(answer, r#"None Some("from-the-client.1") None"#);
    assert_eq!(text(&stack.server_span(), "request_id").as_deref(), Some("from-the-client.1"));
}

#[test]
fn a_missing_or_malformed_request_id_is_generated() {
    let long = "a".repeat(129);
    let hostile: [&[(&str, &str)]; 8] = [
        &[],
        &[("x-request-id", "")],
        &[("x-request-id", "two words")],
        &[("x-request-id", "\"quoted\"")],
        &[("x-request-id", "a,b")],
        &[("x-request-id", "<script>alert(1)</script>")],
        &[("x-request-id", &long)],
        &[("x-request-id", "one"), ("x-request-id", "two")],
    ];
    for headers in hostile {
        let stack = Stack::new();
        let layer = ServerLayer::new().header(HeaderRule::request_id());
        let (response, answer) = stack.run(send(layer, headers));
        let id = response.headers()["x-request-id"].to_str().expect("it is text");
        assert_eq!((id.len(), &id[14..15]), (36, "7"), "{headers:?}");
        assert!(is_well_formed(id));
        assert_eq!(answer, format!("None {:?} None", Some(id)));
        assert_eq!(text(&stack.server_span(), "request_id").as_deref(), Some(id));
    }
}

#[test]
fn the_request_id_of_internal_services_is_kept() {
    let stack = Stack::new();
    let layer = ServerLayer::new().trust(internal()).header(HeaderRule::request_id());
    let (response, answer) = stack.run(send(layer, &CONTEXT));
    assert_eq!(response.headers()["x-request-id"], "r-1");
    assert!(answer.contains(r#"Some("r-1")"#), "{answer}");
}

#[test]
fn other_headers_set_other_fields_and_a_closure_overrides_them() {
    let stack = Stack::new();
    let layer = ServerLayer::new().header(HeaderRule::new("x-locale", &LOCALE)).fields(|request, fields| {
        assert_eq!(fields.get(&LOCALE).map(|text| text.as_str()), request.header("x-locale"));
        fields.with(&TENANT_ID, "acme").with(&LOCALE, "nl")
    });
    let (response, _) = stack.run(send(layer, &[("x-locale", "de-CH")]));
    assert!(!response.headers().contains_key("x-locale"), "it is not echoed");
    let span = stack.server_span();
    assert_eq!(text(&span, "locale").as_deref(), Some("nl"));
    assert_eq!(text(&span, "tenant_id").as_deref(), Some("acme"));
}

#[test]
fn a_custom_boundary_counts_requests() {
    static SHOP: Boundary = Boundary::new("shop");
    let stack = Stack::new();
    stack.run(send(ServerLayer::new().boundary(&SHOP), &CONTEXT));
    let stack = Stack::new();
    stack.run(send(ServerLayer::new().boundary(&SHOP), &[]));
    assert_eq!((SHOP.counts().continued, SHOP.counts().missing), (1, 1));
}

#[test]
fn tenants_on_a_shared_connection_are_kept_apart() {
    for http2 in [false, true] {
        let stack = Stack::new();
        stack.run(async {
            let address = serve(app(ServerLayer::new().trust(internal()))).await;
            let builder = reqwest::Client::builder().pool_max_idle_per_host(1);
            let builder = if http2 { builder.http2_prior_knowledge() } else { builder.http1_only() };
            let client = client_of(builder.build().expect("it can be built"));
            for n in 0..40 {
                use ctx_layer::FutureFieldsExt;
                let sending = client.get(format!("http://{address}/")).send();
                // Every fourth request has no tenant, and must not get the previous one.
                let (response, tenant) = if n % 4 == 3 {
                    (sending.await, None)
                } else {
                    let tenant = format!("tenant-{n}");
                    (sending.with_field(&TENANT_ID, tenant.clone()).await, Some(tenant))
                };
                let response = response.expect("it is there");
                assert_eq!(response.version() == http::Version::HTTP_2, http2);
                assert_eq!(response.text().await.expect("it is text"), format!("{tenant:?} None None"));
            }
        });
        let spans = stack.server_spans();
        assert_eq!(spans.len(), 40);
        let ports: std::collections::HashSet<_> =
            spans.iter().map(|span| text(span, "network.protocol.version")).collect();
        assert_eq!(ports, [Some(if http2 { "2" } else { "1.1" }.to_owned())].into());
        assert_eq!(spans.iter().filter(|span| text(span, "tenant_id").is_none()).count(), 10);
        assert_eq!(stack.lines().iter().filter(|line| line["fields"].get("tenant_id").is_none()).count(), 10);
    }
}
