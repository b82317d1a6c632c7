//! Sending: the span, the context in the headers, the id, other headers.

use std::io;

use ctx_layer::{
    field::well_known::{TENANT_ID, USER_ID},
    messaging::{Destination, Producer, SendOptions, headers::MESSAGE_ID},
    propagation::{Boundary, Outbound},
};
use opentelemetry::trace::{SpanKind, Status};
use tracing::{info, info_span};

use crate::shared::*;

#[test]
fn a_send_has_a_producer_span_that_is_the_consumers_parent() {
    let stack = Stack::new();
    stack.within(|| {
        let headers = sent_by("acme");
        consumer().process(&headers).in_scope(|| info!("handled"));
    });
    let (request, send) = (stack.span("request"), stack.span("send orders"));
    let process = stack.span("process orders");
    assert_eq!(send.span_kind, SpanKind::Producer);
    assert!(is_child_of(&send, &request));
    assert!(is_child_of(&process, &send));
    assert!(process.parent_span_is_remote);
}

#[test]
fn a_send_has_the_attributes_of_the_conventions() {
    let stack = Stack::new();
    stack.within(|| {
        let destination = Destination::new("kafka", "orders-7").template("orders-{shard}").server("broker.test", 9092);
        let producer = Producer::new(destination).operation_name("publish");
        let options = SendOptions::new().message_id("m-1").conversation_id("c-1").partition("3").body_size(17);
        TENANT_ID.in_scope("acme", || drop(producer.inject_with(&mut Headers::new(), &options)));
    });
    let send = stack.span("publish orders-{shard}");
    for (key, value) in [
        ("messaging.system", "kafka"),
        ("messaging.operation.name", "publish"),
        ("messaging.operation.type", "send"),
        ("messaging.destination.name", "orders-7"),
        ("messaging.destination.template", "orders-{shard}"),
        ("messaging.destination.partition.id", "3"),
        ("messaging.message.id", "m-1"),
        ("messaging.message.conversation_id", "c-1"),
        ("messaging.message.body.size", "17"),
        ("server.address", "broker.test"),
        ("server.port", "9092"),
        ("tenant_id", "acme"),
    ] {
        assert_eq!(text(&send, key).as_deref(), Some(value), "{key}: {send:#?}");
    }
    assert_eq!(text(&send, "error.type"), None);
    assert_eq!(send.status, Status::Unset);
}

#[test]
fn destinations_with_many_names_are_not_in_the_names_of_spans() {
    let stack = Stack::new();
    stack.within(|| {
        for destination in [orders().temporary(), orders().anonymous()] {
            drop(Producer::new(destination).inject(&mut Headers::new()));
        }
    });
    let spans = stack.spans_of("send");
    assert_eq!(spans.len(), 2);
    assert_eq!(text(&spans[0], "messaging.destination.temporary").as_deref(), Some("true"));
    assert_eq!(text(&spans[1], "messaging.destination.anonymous").as_deref(), Some("true"));
}

#[test]
fn each_message_gets_a_new_id_of_version_7() {
    let ids: std::collections::HashSet<String> = (0..1000)
        .map(|_| {
            let mut headers = Headers::new();
            let sending = producer().inject(&mut headers);
            assert_eq!(sending.message_id(), Some(headers[MESSAGE_ID].as_str()));
            headers[MESSAGE_ID].clone()
        })
        .collect();
    assert_eq!(ids.len(), 1000);
    // The digit of the version.
    assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'7'), "{ids:?}");
}

#[test]
fn a_message_keeps_its_id_and_other_headers() {
    let mut headers = Headers::from([
        ("message_id".to_owned(), "order-7".to_owned()),
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-tenant".to_owned(), "theirs".to_owned()),
    ]);
    let sending = TENANT_ID.in_scope("acme", || producer().inject(&mut headers));
    assert_eq!(sending.message_id(), Some("order-7"));
    assert_eq!(headers["message_id"], "order-7");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-tenant"], "theirs");
    assert_eq!(headers["baggage"], "tenant_id=acme");
}

#[test]
fn an_id_that_cannot_be_one_is_replaced() {
    for id in ["", "a\nb", &"a".repeat(256)] {
        let mut headers = Headers::from([("message_id".to_owned(), id.to_owned())]);
        drop(producer().inject(&mut headers));
        assert_eq!(headers["message_id"].len(), 36, "{id:?}");
        drop(producer().inject_with(&mut headers, &SendOptions::new().message_id(id)));
        assert_eq!(headers["message_id"].len(), 36, "{id:?}");
    }
}

#[test]
fn context_of_an_earlier_send_in_the_headers_is_replaced() {
    let mut headers = Headers::from([
        ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ("Baggage".to_owned(), "tenant_id=globex".to_owned()),
        ("trace_mode".to_owned(), "link".to_owned()),
        ("message_cause".to_owned(), "retry".to_owned()),
        ("message_attempt".to_owned(), "3".to_owned()),
    ]);
    let stack = Stack::new();
    stack.within(|| TENANT_ID.in_scope("acme", || drop(producer().inject(&mut headers))));
    assert_eq!(headers["baggage"], "tenant_id=acme");
    let send = stack.span("send orders").span_context.span_id().to_string();
    assert!(headers["traceparent"].contains(&send), "{headers:?}");
    for removed in ["Baggage", "trace_mode", "message_cause", "message_attempt"] {
        assert!(!headers.contains_key(removed), "{removed}");
    }
}

#[test]
fn a_send_that_fails_is_an_error_on_its_span() {
    let stack = Stack::new();
    stack.within(|| {
        let failed = || Err::<(), _>(io::Error::other("the broker is gone"));
        assert!(producer().inject(&mut Headers::new()).in_scope(failed).is_err());
    });
    stack.run(async {
        let failed = async { Err::<(), _>(io::Error::other("the broker is gone")) };
        assert!(producer().inject(&mut Headers::new()).run(failed).await.is_err());
    });
    let spans = stack.spans_of("send orders");
    assert_eq!(spans.len(), 2);
    for span in spans {
        assert_eq!(span.status, Status::error("the broker is gone"));
        assert_eq!(text(&span, "error.type").as_deref(), Some("std::io::error::Error"));
    }
}

#[test]
fn the_span_of_a_send_covers_the_send() {
    let stack = Stack::new();
    stack.run(async {
        let send = async {
            tokio::task::yield_now().await;
            info!("sending");
            Ok::<_, io::Error>(7)
        };
        assert_eq!(producer().inject(&mut Headers::new()).run(send).await.ok(), Some(7));
    });
    let line = only(stack.lines());
    assert_eq!(line["span"]["otel.name"], "send orders", "{line}");
}

#[test]
fn a_send_that_is_dropped_before_its_end_is_cancelled() {
    let stack = Stack::new();
    stack.run(async {
        let pending = std::future::pending::<Result<(), io::Error>>();
        let sending = producer().inject(&mut Headers::new()).run(pending);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), sending).await.is_err());
    });
    assert_eq!(text(&stack.span("send orders"), "cancelled").as_deref(), Some("true"));
}

#[test]
fn external_consumers_get_the_traceparent_alone() {
    static PARTNERS: Boundary = Boundary::new("partners");
    let stack = Stack::new();
    let mut headers = Headers::new();
    stack.within(|| {
        let partners = producer().outbound(Outbound::TraceParentOnly).boundary(&PARTNERS);
        TENANT_ID.in_scope("acme", || drop(partners.inject(&mut headers)));
    });
    assert!(headers.contains_key("traceparent"));
    assert!(!headers.contains_key("baggage"), "{headers:?}");
    assert_eq!(PARTNERS.counts().injected, 1);
}

#[test]
fn a_context_can_be_written_without_a_span() {
    let stack = Stack::new();
    let mut headers = Headers::new();
    stack.within(|| {
        USER_ID.in_scope("ada", || {
            let _request = info_span!("request").entered();
            let id = producer().inject_context(&mut headers, &SendOptions::new());
            assert_eq!(headers["message_id"], *id);
        });
    });
    let request = only(stack.spans());
    assert!(headers["traceparent"].contains(&request.span_context.span_id().to_string()));
    assert_eq!(headers["baggage"], "user_id=ada");
}
