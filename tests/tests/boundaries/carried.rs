//! A receiver that runs in the sender's context, or links to it.

use ctx_layer::{field::well_known::*, task::Carried};
use ctx_tests::{Yield, attribute, each_poll_on_a_new_thread};
use tracing::{Instrument, info, info_span};

use crate::request::{Seen, World, request};

#[test]
fn a_receiver_that_handles_a_batch_is_linked_to_each_sender() {
    let world = World::exporting();
    world.in_scope(|| {
        let batch = ["acme", "globex"].map(|tenant| request(tenant, || Carried::new(tenant)));
        let span = info_span!("batch");
        assert!(batch.iter().all(|order| order.link_to(&span)));
        assert!(!Carried::new(()).link_to(&span), "there is nothing to link to");
        drop((span, batch));
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
fn without_the_span_a_worker_keeps_its_own_span() {
    let world = World::exporting();
    world.in_scope(|| {
        let order = request("acme", || Carried::without_span(7));
        let handled = order.in_scope_async(|n| async move {
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
fn events_in_the_scope_are_on_the_span_of_the_sender() {
    for world in World::all() {
        world.in_scope(|| {
            let order = request("acme", || Carried::new("packed"));
            let worker = info_span!("worker").entered();
            let handled = order.in_scope_async(|message| async move {
                Yield::default().await;
                info!("{message}");
                Seen::without_child()
            });
            let seen = each_poll_on_a_new_thread(&world.dispatch, handled);
            assert_eq!((seen.tenant.as_deref(), seen.span), (Some("acme"), Some("request")));
            assert_eq!(Seen::without_child().span, Some("worker"));
            drop(worker);
            if let Some(exported) = &world.exported {
                let names: Vec<_> =
                    exported.span("request").events.iter().map(|event| event.name.to_string()).collect();
                assert_eq!(names, ["packed"]);
                assert!(exported.span("worker").events.is_empty());
            }
        });
    }
}

#[test]
fn a_value_recorded_in_the_scope_is_never_on_the_receivers_span() {
    for world in World::all() {
        for carried in [Carried::new, Carried::without_span] {
            world.in_scope(|| {
                let without_a_span = TENANT_ID.in_scope("acme", || carried(()));
                let in_a_request = request("globex", || carried(()));
                let receiver = info_span!("receiver");
                for order in [without_a_span, in_a_request] {
                    receiver.in_scope(|| {
                        order.in_scope(|()| {
                            let has_span = USER_ID.record("ada");
                            let is_current = USER_ID.get().as_deref() == Some("ada");
                            assert!(is_current || !has_span);
                        });
                        assert_eq!((TENANT_ID.get(), USER_ID.get()), (None, None));
                    });
                    receiver.in_scope(|| assert_eq!(USER_ID.get(), None));
                }
                drop(receiver);
                if let Some(exported) = &world.exported {
                    let spans = exported.spans();
                    let receivers = spans.iter().filter(|span| span.name == "receiver");
                    assert!(receivers.clone().count() > 0);
                    for receiver in receivers {
                        assert_eq!(attribute(&receiver.attributes, "user_id"), None);
                    }
                }
            });
        }
    }
}

#[test]
fn a_value_can_be_changed_on_its_way() {
    let mut order = TENANT_ID.in_scope("acme", || Carried::new(1)).map(|n| (n + 1, TENANT_ID.get()));
    order.value_mut().0 += 1;
    assert_eq!(order.value().0, 3);
    assert_eq!(order.snapshot().in_scope(|| TENANT_ID.get()).as_deref(), Some("acme"));
    let (value, snapshot) = order.into_parts();
    assert_eq!(value, (3, Some("acme".into())));
    assert_eq!(snapshot.in_scope(|| TENANT_ID.get()).as_deref(), Some("acme"));
}
