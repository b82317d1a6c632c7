//! The fields are on the span of a request as on any other, however the span is created.

use axum::body::Body;
use ctx_layer::{
    ContextField, Fields, Schema, SubscriberFieldsExt,
    field::{Policy, well_known::TENANT_ID},
    http::ServerLayer,
};
use ctx_tests::{Captured, Exported};
use http::{Request, Response};
use opentelemetry_sdk::trace::SpanData;
use tower::{Layer as _, ServiceExt};
use tracing::info;
use tracing_subscriber::prelude::*;

use crate::shared::text;

/// Returns the span of a request for which `set` sets fields, and its handler's line as text, under a schema.
fn served(schema: Schema, set: fn(Fields) -> Fields) -> (SpanData, String) {
    let (exported, lines) = (Exported::new(), Captured::default());
    let stack = tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(lines.clone()))
        .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
        .with_context_fields(schema);
    tracing::subscriber::with_default(stack, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it can be built");
        let handler = tower::service_fn(|_: Request<Body>| async {
            info!("handled");
            Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
        });
        let service = ServerLayer::new().fields(move |_, fields| set(fields)).layer(handler);
        let request = Request::get("/orders/7").body(Body::empty()).expect("it is a request");
        drop(runtime.block_on(service.oneshot(request)));
    });
    (exported.spans().remove(0), lines.text())
}

fn declared(at: usize) -> &'static ContextField<String> {
    ContextField::declare(&format!("http_whole_{at}"), Policy::new()).expect("the name is legal")
}

#[test]
fn more_fields_than_the_preallocated_slots_are_on_the_span() {
    let schema = (0..20).fold(Schema::builder(), |schema, at| schema.field(declared(at)));
    let set = |fields| (0..20).fold(fields, |fields: Fields, at| fields.with(declared(at), format!("value-{at}")));
    let (span, line) = served(schema.build().expect("they are different"), set);
    for at in 0..20 {
        assert_eq!(text(&span, &format!("http_whole_{at}")).as_deref(), Some(&*format!("value-{at}")));
        assert!(line.contains(&format!("http_whole_{at}=\"value-{at}\"")), "{line}");
    }
}

#[test]
fn a_field_with_an_attributes_name_fills_only_the_empty_attribute() {
    static CLIENT: std::sync::LazyLock<&ContextField<String>> =
        std::sync::LazyLock::new(|| ContextField::declare("client.address", Policy::new()).expect("it is legal"));
    static PATH: std::sync::LazyLock<&ContextField<String>> =
        std::sync::LazyLock::new(|| ContextField::declare("url.path", Policy::new()).expect("it is legal"));
    let schema = Schema::builder().field(*CLIENT).field(*PATH).field(&TENANT_ID).build().expect("they are different");
    let (span, _) =
        served(schema, |fields| fields.with(*CLIENT, "198.51.100.7").with(*PATH, "/other").with(&TENANT_ID, "acme"));
    for (key, value) in [("client.address", "198.51.100.7"), ("url.path", "/orders/7"), ("tenant_id", "acme")] {
        let all: Vec<_> = span.attributes.iter().filter(|attribute| attribute.key.as_str() == key).collect();
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].value.as_str(), value);
    }
}

#[test]
fn a_layer_around_the_subscriber_changes_nothing() {
    let exported = Exported::new();
    let stack = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
        .with_context_fields(Schema::builder().field(&TENANT_ID).build().expect("it is one"))
        .with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it can be built");
        let handler = tower::service_fn(|_: Request<Body>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
        });
        let service = ServerLayer::new().fields(|_, fields| fields.with(&TENANT_ID, "acme")).layer(handler);
        drop(runtime.block_on(service.oneshot(Request::new(Body::empty()))));
    });
    let span = exported.spans().remove(0);
    let tenants: Vec<_> = span.attributes.iter().filter(|attribute| attribute.key.as_str() == "tenant_id").collect();
    assert_eq!(tenants.len(), 1, "{tenants:?}");
    assert_eq!(tenants[0].value.as_str(), "acme");
}
