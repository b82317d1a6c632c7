//! Handling a message: its context, its span, its outcome, and what is trusted.

use std::{io, panic::AssertUnwindSafe};

use ctx_layer::{
    field::well_known::{TENANT_ID, USER_ID},
    messaging::{Consumer, ReceiveOptions, Settlement},
    propagation::{Boundary, Trust},
};
use opentelemetry::trace::{SpanKind, Status};
use tracing::{info, info_span};

use crate::shared::*;

/// Returns the tenant that is current.
fn tenant() -> Option<String> {
    TENANT_ID.get().map(|tenant| tenant.to_string())
}

#[test]
fn a_message_is_handled_with_its_senders_fields() {
    let stack = Stack::new();
    stack.within(|| {
        let headers = sent_by("acme");
        TENANT_ID.in_scope("the worker's", || {
            consumer().process(&headers).in_scope(|| {
                info!("handled");
                assert_eq!(tenant().as_deref(), Some("acme"));
            });
            assert_eq!(tenant().as_deref(), Some("the worker's"));
        });
    });
    assert_eq!(only(stack.lines())["fields"]["tenant_id"], "acme");
    let process = stack.span("process orders");
    assert_eq!(process.span_kind, SpanKind::Consumer);
    assert_eq!(text(&process, "tenant_id").as_deref(), Some("acme"));
}

#[test]
fn handling_has_the_attributes_of_the_conventions() {
    let stack = Stack::new();
    stack.within(|| {
        let options =
            ReceiveOptions::new().message_id("m-1").conversation_id("c-1").partition("3").body_size(17).delivery(2);
        let consumer = Consumer::new(orders().server("broker.test", 5672))
            .group("billing")
            .subscription("all-orders")
            .operation_name("consume");
        consumer.receive_with(&Headers::new(), options).process().in_scope(|| ());
    });
    let process = stack.span("consume orders");
    for (key, value) in [
        ("messaging.system", "rabbitmq"),
        ("messaging.operation.name", "consume"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "orders"),
        ("messaging.destination.partition.id", "3"),
        ("messaging.destination.subscription.name", "all-orders"),
        ("messaging.consumer.group.name", "billing"),
        ("messaging.message.id", "m-1"),
        ("messaging.message.conversation_id", "c-1"),
        ("messaging.message.body.size", "17"),
        ("server.address", "broker.test"),
        ("server.port", "5672"),
        ("ctx.messaging.attempt", "2"),
    ] {
        assert_eq!(text(&process, key).as_deref(), Some(value), "{key}: {process:#?}");
    }
}

#[test]
fn a_future_is_in_the_messages_context_at_each_poll() {
    let stack = Stack::new();
    stack.run(async {
        let (one, two) = (sent_by("acme"), sent_by("globex"));
        let handle = |expected: &'static str| async move {
            for _ in 0..3 {
                assert_eq!(tenant().as_deref(), Some(expected));
                tokio::task::yield_now().await;
            }
        };
        let (one, two) = (consumer().process(&one).run(handle("acme")), consumer().process(&two).run(handle("globex")));
        tokio::join!(one, two);
        assert_eq!(tenant(), None);
    });
    assert_eq!(stack.consumers().len(), 2);
}

#[test]
fn an_activated_message_is_current_until_its_guard_is_dropped() {
    let stack = Stack::new();
    stack.within(|| {
        let headers = sent_by("acme");
        let _worker = info_span!("worker").entered();
        TENANT_ID.in_scope("the worker's", || {
            let message = consumer().activate_from_headers(&headers);
            assert_eq!(tenant().as_deref(), Some("acme"));
            assert!(USER_ID.record("ada"));
            info!("handled");
            info_span!("inside").in_scope(|| ());
            drop(message);
            assert_eq!((tenant().as_deref(), USER_ID.get()), (Some("the worker's"), None));
        });
    });
    let process = stack.span("process orders");
    assert!(is_child_of(&process, &stack.span("send orders")));
    assert!(is_child_of(&stack.span("inside"), &process));
    assert!(is_linked_to(&process, &stack.span("worker")));
    let line = only(stack.lines());
    assert_eq!((&line["fields"]["tenant_id"], &line["fields"]["user_id"]), (&"acme".into(), &"ada".into()));
}

#[test]
fn an_activated_message_can_fail() {
    let stack = Stack::new();
    stack.within(|| consumer().activate_from_headers(&Headers::new()).failed(&io::Error::other("no such order")));
    assert_eq!(stack.span("process orders").status, Status::error("no such order"));
}

#[test]
fn a_message_without_context_has_nothing_of_the_worker() {
    let stack = Stack::new();
    stack.within(|| {
        TENANT_ID.in_scope("the worker's", || {
            let _worker = info_span!("worker").entered();
            let mut inside = tracing::Span::none();
            consumer().process(&Headers::new()).in_scope(|| {
                assert_eq!(tenant(), None);
                inside = info_span!("inside");
            });
            // In the scope of another request, it still brings nothing.
            inside.in_scope(|| assert_eq!(tenant(), None));
        });
    });
    let process = stack.span("process orders");
    assert_eq!(text(&process, "tenant_id"), None);
    assert_ne!(process.span_context.trace_id(), stack.span("worker").span_context.trace_id());
}

#[test]
fn fields_of_senders_that_are_not_trusted_are_ignored() {
    static PUBLIC: Boundary = Boundary::new("public orders");
    let stack = Stack::new();
    stack.within(|| {
        let headers = sent_by("victim");
        Consumer::new(orders()).boundary(&PUBLIC).process(&headers).in_scope(|| assert_eq!(tenant(), None));
        let by_header = Consumer::new(orders()).fields(|headers, fields| {
            let mut queue = None;
            headers.lines("x-tenant", &mut |line| queue = String::from_utf8(line.to_vec()).ok());
            queue.map_or(fields.clone(), |tenant| fields.with(&TENANT_ID, tenant))
        });
        let mut headers = headers;
        headers.insert("x-tenant".to_owned(), "acme".to_owned());
        by_header.process(&headers).in_scope(|| assert_eq!(tenant().as_deref(), Some("acme")));
    });
    assert_eq!((PUBLIC.counts().continued, PUBLIC.counts().dropped), (1, 1));
}

#[test]
fn an_error_of_the_handler_is_one_of_the_span() {
    let stack = Stack::new();
    stack.within(|| {
        let failed: Result<(), _> =
            consumer().process(&Headers::new()).in_scope(|| Err(io::Error::other("no such order")));
        assert!(failed.is_err());
        assert_eq!(consumer().process(&Headers::new()).in_scope(|| Settlement::Requeue), Settlement::Requeue);
    });
    let spans = stack.consumers();
    assert_eq!(spans[0].status, Status::error("no such order"));
    assert_eq!(text(&spans[0], "error.type").as_deref(), Some("std::io::error::Error"));
    assert_eq!(spans[1].status, Status::Unset);
}

#[test]
fn a_panic_leaves_nothing_for_the_next_message() {
    let stack = Stack::new();
    let panics = |f: &mut dyn FnMut()| std::panic::catch_unwind(AssertUnwindSafe(f)).is_err();
    stack.within(|| {
        let headers = sent_by("acme");
        assert!(panics(&mut || consumer().process(&headers).in_scope(|| panic!("in a call"))));
        assert_eq!(tenant(), None);
        assert!(panics(&mut || {
            let _message = consumer().activate_from_headers(&headers);
            panic!("in a block");
        }));
        assert_eq!(tenant(), None);
    });
    let run = || stack.run(consumer().process(&stack.within(|| sent_by("acme"))).run(async { panic!("in a future") }));
    assert!(panics(&mut || stack.within(run)));
    stack.within(|| {
        assert_eq!(tenant(), None);
        consumer().process(&Headers::new()).in_scope(|| assert_eq!(tenant(), None));
    });
    let spans = stack.consumers();
    assert_eq!(spans.len(), 4);
    for (span, message) in spans.iter().zip(["panic: in a call", "panic", "panic: in a future"]) {
        assert_eq!(span.status, Status::error(message));
        assert_eq!(text(span, "error.type").as_deref(), Some("panic"));
    }
}

#[test]
fn a_handler_that_is_dropped_is_cancelled_within_its_context() {
    struct OnDrop;
    impl Drop for OnDrop {
        fn drop(&mut self) {
            info!("dropped");
        }
    }
    let stack = Stack::new();
    stack.run(async {
        let headers = sent_by("acme");
        let handled = consumer().process(&headers).run(async {
            let _on_drop = OnDrop;
            std::future::pending::<()>().await;
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), handled).await.is_err());
    });
    assert_eq!(text(&stack.span("process orders"), "cancelled").as_deref(), Some("true"));
    assert_eq!(only(stack.lines())["fields"]["tenant_id"], "acme");
}

#[test]
fn the_log_level_plays_no_part() {
    let stack = Stack::with_level(tracing_subscriber::filter::LevelFilter::ERROR);
    stack.within(|| {
        let mut headers = Headers::new();
        TENANT_ID.in_scope("acme", || drop(producer().inject(&mut headers)));
        consumer().process(&headers).in_scope(|| assert_eq!(tenant().as_deref(), Some("acme")));
        let _message = consumer().activate_from_headers(&headers);
        assert_eq!(tenant().as_deref(), Some("acme"));
    });
    assert!(stack.spans().is_empty());
}

#[test]
fn a_context_can_be_read_without_a_span() {
    let stack = Stack::new();
    stack.within(|| {
        let headers = sent_by("acme");
        let extracted = consumer().extract_context(&headers);
        assert!(extracted.is_continued());
        extracted.in_scope(|| assert_eq!(tenant().as_deref(), Some("acme")));
        consumer().receive(&headers).snapshot().in_scope(|| assert_eq!(tenant().as_deref(), Some("acme")));
    });
    assert!(stack.consumers().is_empty());
    let external = Consumer::new(orders()).trust(Trust::external().link_only());
    assert!(!external.extract_context(&sent_by("acme")).is_continued());
}
