//! A receiver that runs under the sender's context, or links to it.

use ctx_layer::{field::well_known::*, task::Carried};
use ctx_tests::{Yield, each_poll_on_a_new_thread};
use tracing::{Instrument, info_span};

use crate::request::{Seen, World, request};

#[test]
fn a_receiver_that_handles_a_batch_is_linked_to_each_sender() {
    let world = World::exporting();
    world.in_scope(|| {
        let batch = ["acme", "globex"].map(|tenant| request(tenant, || Carried::new(tenant)));
        let span = info_span!("batch");
        assert!(batch.iter().all(|order| order.link_to(&span)));
        assert!(!Carried::new(()).link_to(&span), "there is nothing to link to");
        drop(span);
        let spans = world.exported().spans();
        let senders: Vec<_> =
            spans.iter().filter(|span| span.name == "request").map(|span| &span.span_context).collect();
        let batch = world.exported().span("batch");
        let links: Vec<_> = batch.links.iter().map(|link| &link.span_context).collect();
        assert_eq!(links, senders);
        assert_eq!(batch.parent_span_id, opentelemetry::SpanId::INVALID, "it stays in its own trace");
    });
}

#[test]
fn a_worker_keeps_its_own_span_while_its_children_belong_to_the_sender() {
    let world = World::exporting();
    world.in_scope(|| {
        let order = request("acme", || Carried::new(7));
        let handled = order.scope_async(|n| async move {
            Yield::default().await;
            (n, Seen::here())
        });
        let (n, seen) = each_poll_on_a_new_thread(&world.dispatch, handled.instrument(info_span!("worker")));
        assert_eq!((n, seen.tenant.as_deref(), seen.span), (7, Some("acme"), Some("worker")));
        let (sender, child) = (world.exported().span("request"), world.exported().span("child"));
        assert_eq!(child.parent_span_id, sender.span_context.span_id());
    });
}

#[test]
fn a_value_can_be_changed_on_its_way() {
    let mut order = TENANT_ID.in_scope("acme", || Carried::new(1)).map(|n| (n + 1, TENANT_ID.get()));
    order.value_mut().0 += 1;
    let (value, snapshot) = order.into_parts();
    assert_eq!(value, (3, Some("acme".to_owned())));
    assert_eq!(snapshot.in_scope(|| TENANT_ID.get()).as_deref(), Some("acme"));
}
