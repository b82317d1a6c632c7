//! A child of the sender, or linked to it: by the cause, the sender, the consumer and the trust.

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Cause, SendOptions, TraceMode},
    propagation::Trust,
};
use opentelemetry::{Context, baggage::BaggageExt, trace::SpanKind};
use tracing::info_span;

use crate::shared::*;

const CAUSES: [Cause; 5] = [Cause::Delayed, Cause::Retry, Cause::DeadLetter, Cause::Saga, Cause::FanOut];

#[test]
fn the_cause_decides_between_parent_and_link() {
    for cause in CAUSES {
        let stack = Stack::new();
        stack.within(|| {
            let headers = sent_with("acme", &SendOptions::new().cause(cause));
            assert_eq!((&*headers["trace_mode"], &*headers["message_cause"]), ("link", cause.as_str()));
            let processing = consumer().process(&headers);
            assert_eq!(processing.cause(), cause);
            processing.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
        });
        let (send, process) = (stack.span("send orders"), stack.span("process orders"));
        assert_ne!(process.span_context.trace_id(), send.span_context.trace_id(), "{cause:?}");
        assert_eq!(process.parent_span_id, opentelemetry::SpanId::INVALID);
        assert!(is_linked_to(&process, &send));
        assert_eq!(text(&process, "ctx.messaging.cause").as_deref(), Some(cause.as_str()));
        assert_eq!(text(&process, "tenant_id").as_deref(), Some("acme"));
    }
}

#[test]
fn baggage_is_the_senders_also_where_a_trace_is_linked() {
    let stack = Stack::new();
    stack.within(|| {
        let mut headers = Headers::new();
        let baggage = Context::new().with_baggage([opentelemetry::KeyValue::new("plan", "gold")]);
        let _baggage = baggage.attach();
        drop(producer().inject_with(&mut headers, &SendOptions::new().cause(Cause::Delayed)));
        consumer().process(&headers).in_scope(|| {
            assert_eq!(Context::current().baggage().get("plan").map(ToString::to_string).as_deref(), Some("gold"));
        });
    });
}

#[test]
fn the_sender_overrides_the_cause_and_the_consumer_the_sender() {
    let is_child = |options: &SendOptions, by_consumer: Option<TraceMode>| {
        let stack = Stack::new();
        stack.within(|| {
            let headers = sent_with("acme", options);
            let consumer = consumer();
            let consumer = match by_consumer {
                Some(mode) => consumer.trace_mode(mode),
                None => consumer,
            };
            consumer.process(&headers).in_scope(|| ());
        });
        is_child_of(&stack.span("process orders"), &stack.span("send orders"))
    };
    let (usual, delayed) = (SendOptions::new(), SendOptions::new().cause(Cause::Delayed));
    assert!(is_child(&usual, None));
    assert!(!is_child(&usual.clone().trace_mode(TraceMode::Link), None));
    assert!(!is_child(&usual, Some(TraceMode::Link)));
    assert!(!is_child(&delayed, None));
    assert!(is_child(&delayed.clone().trace_mode(TraceMode::Child), None));
    assert!(is_child(&delayed, Some(TraceMode::Child)));
}

#[test]
fn the_consumer_decides_by_the_cause() {
    let by_cause = consumer().trace_mode_by(|cause, by_sender| match cause {
        Cause::Retry => TraceMode::Child,
        _ => by_sender.unwrap_or_default(),
    });
    let stack = Stack::new();
    stack.within(|| {
        for (cause, is_continued) in [(Cause::Send, true), (Cause::Retry, true), (Cause::Delayed, false)] {
            let received = by_cause.receive(&sent_with("acme", &SendOptions::new().cause(cause)));
            assert_eq!(received.is_continued(), is_continued, "{cause:?}");
            drop(received);
        }
    });
}

#[test]
fn a_sender_cannot_join_a_trace_that_is_only_linked() {
    let stack = Stack::new();
    stack.within(|| {
        let headers = sent_with("acme", &SendOptions::new().trace_mode(TraceMode::Child));
        let careful = consumer().trust(Trust::internal().link_only()).trace_mode(TraceMode::Child);
        careful.process(&headers).in_scope(|| ());
    });
    assert!(!is_child_of(&stack.span("process orders"), &stack.span("send orders")));
}

#[test]
fn modes_and_causes_that_are_not_known_are_ignored() {
    let stack = Stack::new();
    stack.within(|| {
        let mut headers = sent_by("acme");
        for (key, value) in [("trace_mode", "parent"), ("message_cause", "\u{1}"), ("message_attempt", "-1")] {
            headers.insert(key.to_owned(), value.to_owned());
        }
        let received = consumer().receive(&headers);
        assert!(received.is_continued());
        assert_eq!((received.cause(), received.attempt()), (Cause::Send, 1));
    });
}

#[test]
fn a_message_that_is_sent_again_keeps_its_first_context_and_counts() {
    let stack = Stack::new();
    stack.within(|| {
        let mut headers = sent_by("acme");
        let first = headers.clone();
        for attempt in 2..5 {
            TENANT_ID.in_scope("globex", || {
                let _other = info_span!("other").entered();
                drop(producer().resend(&mut headers, Cause::Retry));
            });
            assert_eq!(headers["message_attempt"], attempt.to_string());
            for kept in ["traceparent", "baggage", "message_id"] {
                assert_eq!(headers[kept], first[kept]);
            }
        }
        drop(producer().resend_with(&mut headers, Cause::DeadLetter, TraceMode::Child));
        let processing = consumer().process(&headers);
        // A dead letter is not another attempt.
        assert_eq!((processing.attempt(), processing.cause()), (4, Cause::DeadLetter));
        processing.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
    });
    let sends = stack.spans_of("send orders");
    let (first, again) = sends.split_first().expect("it was sent");
    assert_eq!(again.len(), 4);
    for span in again {
        assert_eq!(span.span_kind, SpanKind::Client);
        assert!(is_linked_to(span, first));
    }
    assert!(is_child_of(&stack.span("process orders"), first));
}

#[test]
fn attempts_of_the_program_and_of_the_broker_add_up() {
    let received = |headers: &Headers, delivery| {
        let options = ctx_layer::messaging::ReceiveOptions::new().delivery(delivery);
        consumer().receive_with(headers, options).attempt()
    };
    let mut headers = sent_by("acme");
    assert_eq!((received(&headers, 0), received(&headers, 1), received(&headers, 3)), (1, 1, 3));
    drop(producer().resend(&mut headers, Cause::Retry));
    assert_eq!((received(&headers, 1), received(&headers, 3)), (2, 4));
    headers.insert("message_attempt".to_owned(), u32::MAX.to_string());
    assert_eq!(received(&headers, 3), u32::MAX);
    drop(producer().resend(&mut headers, Cause::Retry));
    assert_eq!(headers["message_attempt"], u32::MAX.to_string());
}
