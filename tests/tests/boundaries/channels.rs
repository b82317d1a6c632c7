//! Values that go through channels inside a process.

use ctx_layer::task::Carried;
use ctx_tests::block_on;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::request::{Carry, Seen, request};

/// The way in which a value is carried, and whether the sender's span is with it.
type How = (fn(u32) -> Carried<u32>, bool);

/// Receives values of two tenants in turn, and returns what was current for each.
fn received(carry: Carry, (carried, has_span): How, cross: impl Fn(Vec<Carried<u32>>) -> Vec<Carried<u32>>) {
    let world = crate::request::World::exporting();
    world.in_scope(|| {
        let sent: Vec<_> =
            ["acme", "globex", "acme"].iter().zip(1..).map(|(tenant, n)| request(tenant, || carried(n))).collect();
        assert_eq!(world.exported().spans().len(), if has_span { 0 } else { 3 }, "of those that lie in a channel");
        let tenants: Vec<_> = cross(sent)
            .into_iter()
            .map(|order| match carry {
                Carry::Ours => order.in_scope(|n| {
                    let seen = Seen::here();
                    assert_eq!(seen.span, has_span.then_some("request"));
                    (n, seen.tenant)
                }),
                Carry::Bare => (order.into_parts().0, Seen::here().tenant),
            })
            .collect();
        let spans = world.exported().spans();
        let children: Vec<_> = spans.iter().filter(|span| span.name == "child").collect();
        assert_eq!(children.len(), 3);
        match carry {
            Carry::Ours => {
                assert_eq!(tenants, [(1, "acme"), (2, "globex"), (3, "acme")].map(|(n, it)| (n, Some(it.to_owned()))));
                let parents: Vec<_> = children.iter().map(|child| child.parent_span_id).collect();
                let senders: Vec<_> = spans.iter().filter(|span| span.name == "request").collect();
                assert_eq!(parents, senders.iter().map(|span| span.span_context.span_id()).collect::<Vec<_>>());
            }
            Carry::Bare => {
                assert_eq!(tenants, [(1, None), (2, None), (3, None)]);
                assert!(children.iter().all(|child| child.parent_span_id == opentelemetry::SpanId::INVALID));
            }
        }
    });
}

fn proves(cross: impl Fn(Vec<Carried<u32>>) -> Vec<Carried<u32>>) {
    for how in [(Carried::new as fn(u32) -> _, true), (Carried::without_span, false)] {
        received(Carry::Ours, how, &cross);
        received(Carry::Bare, how, &cross);
    }
}

#[test]
fn context_crosses_an_mpsc_channel() {
    proves(|sent| {
        block_on(async {
            let (sender, mut receiver) = mpsc::channel(8);
            for order in sent {
                sender.send(order).await.unwrap();
            }
            drop(sender);
            let mut received = Vec::new();
            while let Some(order) = receiver.recv().await {
                received.push(order);
            }
            received
        })
    });
    proves(|sent| {
        let (sender, receiver) = std::sync::mpsc::channel();
        sent.into_iter().for_each(|order| sender.send(order).unwrap());
        drop(sender);
        receiver.iter().collect()
    });
}

#[test]
fn context_crosses_a_oneshot_channel() {
    proves(|sent| {
        let crossed = sent.into_iter().map(|order| {
            let (sender, receiver) = oneshot::channel();
            sender.send(order).unwrap();
            receiver.blocking_recv().unwrap()
        });
        crossed.collect()
    });
}

#[test]
fn context_crosses_a_broadcast_channel_to_every_receiver() {
    proves(|sent| {
        block_on(async {
            let (sender, mut one) = broadcast::channel(8);
            let mut other = sender.subscribe();
            for order in sent {
                sender.send(order).unwrap();
            }
            let mut received = Vec::new();
            for _ in 0..3 {
                let (one, other) = (one.recv().await.unwrap(), other.recv().await.unwrap());
                assert_eq!(one.clone().in_scope(|_| Seen::without_child()), other.in_scope(|_| Seen::without_child()));
                received.push(one);
            }
            received
        })
    });
}

#[test]
fn context_crosses_a_watch_channel() {
    proves(|sent| {
        block_on(async {
            let (sender, mut receiver) = watch::channel(Carried::new(0));
            let mut received = Vec::new();
            for order in sent {
                sender.send(order).unwrap();
                receiver.changed().await.unwrap();
                received.push(receiver.borrow_and_update().clone());
            }
            received
        })
    });
}
