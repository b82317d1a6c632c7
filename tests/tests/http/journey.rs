//! A request through three services: axum, by reqwest to axum, by tonic to tonic.

use axum::{Router, routing::get};
use ctx_layer::{
    field::well_known::TENANT_ID,
    http::{HeaderRule, ServerLayer},
    propagation::Trust,
};
use opentelemetry::trace::SpanId;
use tracing::info;

use crate::{
    grpc::{self, serve_grpc},
    shared::*,
};

/// A fault to inject: the test must notice it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Without {
    Nothing,
    /// The client sends no context.
    Injection,
    /// The servers trust no field.
    Belief,
    /// The servers have no layer.
    Layer,
}

/// Sends a request through all three services, and returns its spans and lines.
fn travel(without: Without) -> Result<(), String> {
    let stack = Stack::new();
    stack.run(async {
        let trust = if without == Without::Belief { Trust::external() } else { internal() };
        let inner = || ServerLayer::new().trust(trust);
        let grpc = serve_grpc(inner()).await;
        let billing = move || async move {
            info!(service = "billing", "asking");
            let answer = grpc::call(&mut grpc::connect(grpc), "/shop.Orders/Get", "hello").await.expect("it is there");
            info!(service = "billing", "answering");
            answer
        };
        let billing = Router::new().route("/bills/{id}", get(billing));
        let billing = if without == Without::Layer { billing } else { billing.layer(inner()) };
        let billing = serve(billing).await;
        let shop = move || async move {
            info!(service = "shop", "asking");
            let url = format!("http://{billing}/bills/7");
            let response = if without == Without::Injection {
                reqwest::get(url).await.expect("it is there")
            } else {
                client().get(url).send().await.expect("it is there")
            };
            let answer = response.text().await.expect("it is text");
            info!(service = "shop", "answering");
            answer
        };
        // The edge: callers are external, and the request itself determines its tenant.
        let edge = ServerLayer::new().header(HeaderRule::request_id()).fields(|request, fields| {
            match request.uri().path().split('/').nth(1) {
                Some(tenant) => fields.with(&TENANT_ID, tenant),
                None => fields,
            }
        });
        let shop = serve(Router::new().route("/{tenant}/orders", get(shop)).layer(edge)).await;
        let request = reqwest::Client::new().get(format!("http://{shop}/acme/orders"));
        let request =
            request.header("traceparent", PARENT).header("baggage", "tenant_id=victim").header("x-request-id", "r-1");
        request.send().await.expect("it is there");
    });
    check(&stack)
}

fn check(stack: &Stack) -> Result<(), String> {
    let spans = stack.spans();
    // Two HTTP servers, one gRPC server, and a client between each two.
    let chain = ["GET /{tenant}/orders", "GET", "GET /bills/{id}", "shop.Orders/Get", "shop.Orders/Get"];
    let mut parent = SpanId::from_hex(CALLER).map_err(|error| error.to_string())?;
    let mut links = 0;
    while let Some(span) = spans.iter().find(|span| span.parent_span_id == parent) {
        if span.name != *chain.get(links).ok_or("there are too many spans")? {
            return Err(format!("{} at {links}", span.name));
        }
        if trace_of(span) != TRACE {
            return Err(format!("{} is of another trace", span.name));
        }
        for (key, value) in [("tenant_id", "acme"), ("request_id", "r-1")] {
            if text(span, key).as_deref() != Some(value) {
                return Err(format!("{} has the {key} {:?}", span.name, text(span, key)));
            }
        }
        parent = span.span_context.span_id();
        links += 1;
    }
    if links != chain.len() || spans.len() != chain.len() {
        return Err(format!("{links} of {} spans are one trace", spans.len()));
    }
    let lines: Vec<_> = stack.lines();
    for service in ["shop", "billing", "grpc"] {
        if !lines.iter().any(|line| line["fields"]["service"] == service) {
            return Err(format!("no line of {service}"));
        }
    }
    match lines.iter().find(|line| line["fields"]["tenant_id"] != "acme" || line["fields"]["request_id"] != "r-1") {
        Some(line) => Err(format!("another's line: {line}")),
        None => Ok(()),
    }
}

#[test]
fn three_services_are_one_trace_with_the_fields_on_every_span_and_line() {
    assert_eq!(travel(Without::Nothing), Ok(()));
}

#[test]
fn without_propagation_three_services_are_not_one_trace() {
    for without in [Without::Injection, Without::Belief, Without::Layer] {
        assert!(travel(without).is_err(), "{without:?}");
    }
}
