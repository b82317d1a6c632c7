//! `#[propagate]` and an attribute that creates a span on one function, in either order.

use std::collections::HashMap;

use ctx_layer::{
    field::well_known::TENANT_ID,
    propagate,
    propagation::{self, Trust},
    task::Carried,
    with_observability,
};
use ctx_tests::block_on;
use opentelemetry::trace::SpanKind;
use tracing::{info_span, instrument};

use crate::stack::{ACCOUNT, Stack};

type Headers = HashMap<String, String>;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn headers() -> Headers {
    numbered(1)
}

fn numbered(number: u8) -> Headers {
    HashMap::from([
        ("traceparent".to_owned(), format!("00-{TRACE}-00000000000000{number:02x}-01")),
        ("baggage".to_owned(), "account=acme".to_owned()),
    ])
}

#[propagate(from = headers, trust = internal)]
#[with_observability(kind = consumer, log_args = false)]
fn restored_above(headers: &Headers) {
    let _ = headers;
}

#[with_observability(kind = consumer, log_args = false)]
#[propagate(from = headers, trust = internal)]
fn restored_below(headers: &Headers) {
    let _ = headers;
}

#[propagate(from = headers, trust = internal)]
#[with_observability(kind = consumer, log_args = false)]
async fn restored_above_later(headers: Headers) {
    let _ = headers;
}

#[with_observability(kind = consumer, log_args = false)]
#[propagate(from = headers, trust = internal)]
async fn restored_below_later(headers: Headers) {
    let _ = headers;
}

#[propagate(from = headers, trust = internal)]
#[instrument(skip_all)]
async fn restored_above_instrument(headers: Headers) {
    let _ = headers;
}

#[instrument(skip_all)]
#[propagate(from = headers, trust = internal)]
fn restored_below_instrument(headers: &Headers) {
    let _ = headers;
}

#[test]
fn the_span_has_the_remote_parent_in_either_order() {
    let stack = Stack::new();
    stack.in_scope(|| {
        let _tenant = TENANT_ID.attach("of the loop");
        let _loop = info_span!("loop").entered();
        restored_above(&headers());
        restored_below(&headers());
        block_on(restored_above_later(headers()));
        block_on(restored_below_later(headers()));
        block_on(restored_above_instrument(headers()));
        restored_below_instrument(&headers());
    });
    for name in [
        "restored_above",
        "restored_below",
        "restored_above_later",
        "restored_below_later",
        "restored_above_instrument",
    ] {
        let span = stack.exported.span(name);
        assert_eq!(span.span_context.trace_id().to_string(), TRACE, "{name}");
        assert_eq!(span.parent_span_id.to_string(), "0000000000000001", "{name}");
        let value = |key| ctx_tests::attribute(&span.attributes, key).map(|value| value.to_string());
        assert_eq!(value("account").as_deref(), Some("acme"), "{name}");
        assert_eq!(value("tenant_id"), None, "{name}");
        if !name.contains("instrument") {
            assert_eq!(span.span_kind, SpanKind::Consumer, "{name}");
        }
    }
}

#[test]
fn a_spawned_function_with_both_has_its_callers_span_as_parent() {
    #[propagate]
    #[with_observability(log_args = false)]
    async fn above() {
        tokio::task::yield_now().await;
    }

    #[with_observability(log_args = false)]
    #[propagate]
    async fn below() {
        tokio::task::yield_now().await;
    }

    struct Service;

    #[with_observability(log_args = false)]
    impl Service {
        #[propagate]
        async fn method(&self) {
            tokio::task::yield_now().await;
        }
    }

    let stack = Stack::new();
    stack.block_on(async {
        let tasks = {
            let _tenant = TENANT_ID.attach("acme");
            let _request = info_span!("request").entered();
            [tokio::spawn(above()), tokio::spawn(below()), tokio::spawn(async { Service.method().await })]
        };
        for task in tasks {
            task.await.unwrap();
        }
    });
    let request = stack.exported.span("request");
    for name in ["above", "below"] {
        let span = stack.exported.span(name);
        assert_eq!(span.parent_span_id, request.span_context.span_id(), "{name}");
        let tenant = ctx_tests::attribute(&span.attributes, "tenant_id").map(|value| value.to_string());
        assert_eq!(tenant.as_deref(), Some("acme"), "{name}");
    }
    // Called inside the task, not where the task was spawned.
    let span = stack.exported.span("Service::method");
    assert_eq!(span.parent_span_id, opentelemetry::SpanId::INVALID);
}

#[test]
fn injected_context_has_the_functions_own_span_as_parent() {
    #[propagate(into = headers)]
    #[with_observability(kind = producer, log_args = false)]
    fn above(headers: &mut Headers) -> String {
        headers["traceparent"].clone()
    }

    #[with_observability(kind = producer, log_args = false)]
    #[propagate(into = headers)]
    fn below(headers: &mut Headers) -> String {
        headers["traceparent"].clone()
    }

    #[propagate(into = headers)]
    #[with_observability(kind = client, log_args = false)]
    async fn later(mut headers: Headers) -> String {
        tokio::task::yield_now().await;
        headers.remove("traceparent").unwrap()
    }

    let stack = Stack::new();
    let sent = stack.in_scope(|| {
        let _request = info_span!("request").entered();
        let _account = ACCOUNT.attach("acme");
        [above(&mut Headers::new()), below(&mut Headers::new()), block_on(later(Headers::new()))]
    });
    for (name, sent) in ["above", "below", "later"].into_iter().zip(sent) {
        let span = stack.exported.span(name);
        let context = &span.span_context;
        let expected = format!("00-{}-{}", context.trace_id(), context.span_id());
        assert!(sent.starts_with(&expected), "{name}: {sent} is not of {expected}");
    }
}

#[test]
fn the_span_of_a_batch_is_linked_to_the_context_of_each_message() {
    #[propagate(links = batch)]
    fn alone(batch: &[Headers]) -> usize {
        batch.len()
    }

    #[propagate(links = batch, isolated)]
    #[with_observability(kind = consumer, log_args = false)]
    async fn above(batch: Vec<Headers>) -> usize {
        batch.len()
    }

    #[with_observability(kind = consumer, log_args = false)]
    #[propagate(links = batch.iter().filter(|message| !message.is_empty()))]
    fn below(batch: Vec<Headers>) -> usize {
        batch.len()
    }

    #[propagate(links = batch)]
    fn carried(batch: &[Carried<u8>]) -> usize {
        batch.len()
    }

    let batch = vec![numbered(1), Headers::new(), numbered(2), numbered(3)];
    let stack = Stack::new();
    stack.in_scope(|| {
        let _loop = info_span!("loop").entered();
        assert_eq!(alone(&batch), 4);
        assert_eq!(block_on(above(batch.clone())), 4);
        let carry = |message: &Headers| propagation::extract(message, Trust::internal()).in_scope(|| Carried::new(1));
        assert_eq!(carried(&batch.iter().map(carry).collect::<Vec<_>>()), 4);
        assert_eq!(below(batch), 4);
    });
    for name in ["alone", "above", "below", "carried"] {
        let span = stack.exported.span(name);
        let links: Vec<_> = span.links.iter().map(|link| link.span_context.span_id().to_string()).collect();
        assert_eq!(links, ["0000000000000001", "0000000000000002", "0000000000000003"], "{name}");
        assert_ne!(span.span_context.trace_id().to_string(), TRACE, "{name}: linked, and not continued");
    }
    assert_eq!(stack.exported.span("above").parent_span_id, opentelemetry::SpanId::INVALID);
}
