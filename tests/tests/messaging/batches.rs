//! Batches: one span with a link for each message, and each message in its own context.

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Cause, SendOptions},
};
use opentelemetry::trace::SpanKind;
use tracing::{info, info_span};

use crate::shared::*;

#[test]
fn a_batch_that_is_sent_has_a_link_for_each_message() {
    let stack = Stack::new();
    stack.within(|| {
        let mut batch = producer().batch();
        assert!(batch.is_empty());
        let mut all = [Headers::new(), Headers::new(), Headers::new()];
        for (headers, tenant) in all.iter_mut().zip(["acme", "globex", "initech"]) {
            TENANT_ID.in_scope(tenant, || batch.inject(headers));
        }
        assert_eq!(batch.len(), 3);
        batch.in_scope(|| Ok::<_, std::io::Error>(())).expect("it is sent");
        assert_eq!(
            all.each_ref().map(|headers| &*headers["baggage"]),
            ["tenant_id=acme", "tenant_id=globex", "tenant_id=initech"]
        );
        for headers in &all {
            consumer().process(headers).in_scope(|| ());
        }
    });
    let (creates, send) = (stack.spans_of("create orders"), stack.span("send orders"));
    assert_eq!((creates.len(), send.links.len(), send.span_kind.clone()), (3, 3, SpanKind::Client));
    assert_eq!(text(&send, "messaging.batch.message_count").as_deref(), Some("3"));
    for (create, process) in creates.iter().zip(stack.consumers()) {
        assert_eq!(create.span_kind, SpanKind::Producer);
        assert!(is_linked_to(&send, create));
        assert!(is_child_of(&process, create));
    }
}

#[test]
fn a_batch_that_is_received_has_a_link_for_each_message() {
    let stack = Stack::new();
    stack.within(|| {
        let delayed = SendOptions::new().cause(Cause::Delayed);
        let messages = [sent_by("acme"), Headers::new(), sent_with("globex", &delayed)];
        let _poll = info_span!("poll").entered();
        let mut batch = consumer().receive_batch(&messages);
        assert_eq!(batch.messages().len(), 3);
        for received in batch.take_messages() {
            received.process().in_scope(|| info!("handled"));
            assert_eq!(TENANT_ID.get(), None);
        }
        assert!(batch.take_messages().is_empty());
    });
    let (sends, batch, processed) = (stack.spans_of("send orders"), stack.span("receive orders"), stack.consumers());
    assert_eq!((batch.span_kind.clone(), batch.links.len()), (SpanKind::Client, 2));
    assert!(is_child_of(&batch, &stack.span("poll")));
    assert!(sends.iter().all(|send| is_linked_to(&batch, send)));
    assert_eq!(text(&batch, "messaging.batch.message_count").as_deref(), Some("3"));
    assert_eq!(text(&batch, "tenant_id"), None);
    assert!(is_child_of(&processed[0], &sends[0]));
    assert!(is_linked_to(&processed[2], &sends[1]));
    assert!(processed.iter().all(|process| is_linked_to(process, &batch)));
    let lines = stack.lines();
    let handled = lines.iter().filter(|line| line["fields"]["message"] == "handled");
    let tenants: Vec<_> = handled.map(|line| line["fields"]["tenant_id"].clone()).collect();
    assert_eq!(tenants, [serde_json::json!("acme"), serde_json::Value::Null, serde_json::json!("globex")]);
}
