//! The other way round: a webhook's request, a message of a gRPC stream and a WebSocket's frame are messages, too.

use std::{collections::HashMap, convert::Infallible};

use axum::{Router, body::Body, http::Request, routing::post};
use ctx_layer::{
    field::well_known::TENANT_ID,
    http::ServerLayer,
    messaging::{Consumer, Destination, Producer, SendOptions},
    propagation::{Captured, Trust},
};
use futures_util::{StreamExt, stream};
use http::HeaderMap;
use prost::Message;
use serde::{Deserialize, Serialize};
use tower::ServiceExt;
use tracing::{info, info_span};

use crate::shared::*;

fn tenant() -> Option<String> {
    TENANT_ID.get().map(|tenant| tenant.to_string())
}

/// A broker pushes a message by HTTP. Its headers are the request's.
#[test]
fn a_webhook_is_handled_in_the_context_of_its_message() {
    let stack = Stack::new();
    stack.run(async {
        let pushed = Destination::new("gcp_pubsub", "orders");
        let consumer = Consumer::new(pushed.clone()).trust(Trust::internal());
        let handle = move |headers: HeaderMap| {
            let consumer = consumer.clone();
            async move {
                // The request is the broker's, which has no tenant.
                assert_eq!(tenant(), None);
                consumer.process(&headers).run(async { info!("handled") }).await;
            }
        };
        let app = Router::new().route("/push", post(handle)).layer(ServerLayer::new());
        let mut request = Request::post("/push").body(Body::empty()).expect("it is one");
        TENANT_ID.in_scope("acme", || drop(Producer::new(pushed).inject(request.headers_mut())));
        assert!(app.oneshot(request).await.expect("it answers").status().is_success());
    });
    let process = stack.span("process orders");
    assert!(is_child_of(&process, &stack.span("send orders")));
    // The request that brought it is a link away.
    assert!(is_linked_to(&process, &stack.span("POST /push")));
    let handled = stack.lines().into_iter().filter(|line| line["fields"]["message"] == "handled").collect();
    assert_eq!(only::<serde_json::Value>(handled)["fields"]["tenant_id"], "acme");
}

/// A message of a stream, as `.proto` declares it: `map<string, string> context = 1; uint64 order = 2;`.
#[derive(Clone, PartialEq, Message)]
struct OrderEvent {
    #[prost(map = "string, string", tag = "1")]
    context: HashMap<String, String>,
    #[prost(uint64, tag = "2")]
    order: u64,
}

#[test]
fn each_message_of_a_grpc_stream_has_its_own_context() {
    let stack = Stack::new();
    stack.run(async {
        let orders = Destination::new("grpc", "shop.Orders/Watch");
        let (producer, consumer) = (Producer::new(orders.clone()), Consumer::new(orders).trust(Trust::internal()));
        let events = ["acme", "globex", "initech"].into_iter().enumerate().map(|(order, tenant)| {
            let mut event = OrderEvent { order: order as u64, ..OrderEvent::default() };
            TENANT_ID.in_scope(tenant, || drop(producer.inject(&mut event.context)));
            event.encode_to_vec()
        });
        // The call that opened the stream belongs to another tenant.
        let call = info_span!("call");
        let handle = async |bytes: Vec<u8>| {
            let event = OrderEvent::decode(bytes.as_slice()).expect("it is one");
            let handled = async { info!(order = event.order, tenant = tenant(), "handled") };
            consumer.process(&event.context).run(handled).await;
        };
        let received = async {
            let mut events = stream::iter(events);
            while let Some(bytes) = events.next().await {
                handle(bytes).await;
            }
        };
        tracing::Instrument::instrument(received, call).await;
    });
    let lines = stack.lines();
    assert_eq!(lines.len(), 3);
    for (line, expected) in lines.iter().zip(["acme", "globex", "initech"]) {
        assert_eq!((&line["fields"]["tenant"], &line["fields"]["tenant_id"]), (&expected.into(), &expected.into()));
    }
    let call = stack.span("call");
    assert!(stack.consumers().iter().all(|process| is_linked_to(process, &call)));
}

/// A frame of a WebSocket: a JSON document with the context inside.
#[derive(Deserialize, Serialize)]
struct Frame {
    #[serde(default)]
    context: Captured,
    body: String,
}

#[test]
fn a_frame_of_a_websocket_carries_its_context_in_the_payload() {
    let stack = Stack::new();
    stack.within(|| {
        let updates = Destination::new("websocket", "updates");
        let (producer, consumer) = (Producer::new(updates.clone()), Consumer::new(updates));
        let mut frame = Frame { context: Captured::new(), body: "shipped".to_owned() };
        TENANT_ID
            .in_scope("acme", || producer.inject(&mut frame.context).in_scope(|| Ok::<_, Infallible>(())))
            .expect("it is sent");
        let frame = serde_json::to_string(&frame).expect("it is JSON");
        let frame: Frame = serde_json::from_str(&frame).expect("it is one");
        // A browser is not trusted: its trace is continued, its fields are ignored.
        consumer.process(&frame.context).in_scope(|| assert_eq!(tenant(), None));
        let internal = consumer.clone().trust(Trust::internal());
        internal
            .process(&frame.context)
            .in_scope(|| assert_eq!((tenant().as_deref(), &*frame.body), (Some("acme"), "shipped")));
        // One without a context is handled, too.
        let bare: Frame = serde_json::from_str(r#"{"body": "hello"}"#).expect("it is one");
        internal.process(&bare.context).in_scope(|| assert_eq!(tenant(), None));
    });
    let processed = stack.spans_of("process updates");
    let send = stack.span("send updates");
    assert!(is_child_of(&processed[0], &send) && is_child_of(&processed[1], &send));
    assert!(!is_child_of(&processed[2], &send));
}

/// A document of a collection that is used as a queue, or arguments of a task.
#[test]
fn a_captured_context_is_one_of_a_payload() {
    let stack = Stack::new();
    stack.within(|| {
        let mut document = serde_json::Map::new();
        TENANT_ID.in_scope("acme", || drop(producer().inject_context(&mut document, &SendOptions::new())));
        let stored = serde_json::json!({ "kind": "invoice", "context": document }).to_string();
        let polled: serde_json::Value = serde_json::from_str(&stored).expect("it is JSON");
        let context = polled["context"].as_object().expect("it is there");
        let processing = consumer().process(context);
        assert_eq!(processing.message_id().map(str::len), Some(36));
        processing.in_scope(|| assert_eq!(tenant().as_deref(), Some("acme")));
    });
}
