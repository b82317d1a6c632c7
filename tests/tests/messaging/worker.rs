//! The worker: context, settlement, panics, limits, the end.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Message, Settlement, Worker},
    prelude::*,
};
use futures_util::{StreamExt, stream};
use opentelemetry::trace::Status;
use tokio::{sync::Notify, task::yield_now};
use tracing::{info, info_span};

use crate::{
    broker::{Broker, Delivered, Refused},
    shared::*,
};

fn tenant() -> Option<String> {
    TENANT_ID.get().map(|tenant| tenant.to_string())
}

#[test]
fn each_message_is_handled_in_its_own_context() {
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        for (body, tenant) in ["acme", "globex", "initech"].into_iter().enumerate() {
            broker.send(sent_by(tenant), body as u64);
        }
        broker.send(Headers::new(), 3);
        let handle = |message: Message<Delivered>| async move {
            let expected = ["acme", "globex", "initech"].get(message.envelope.body as usize).copied();
            yield_now().await;
            info!("handled");
            assert_eq!(tenant().as_deref(), expected);
        };
        let worker = Worker::new(consumer(), handle).concurrency(2).shutdown(broker.clone().settled(4));
        // Nothing of the request in which the worker was started reaches its messages.
        let running = worker.run(broker.messages()).with_field(&TENANT_ID, "the worker's");
        let summary = tracing::Instrument::instrument(running, info_span!("worker")).await.expect("the queue is there");
        assert_eq!(summary.acked, 4);
        assert_eq!(tenant(), None);
    });
    let (sends, processed) = (stack.spans_of("send orders"), stack.consumers());
    assert_eq!(processed.len(), 4);
    for send in &sends {
        assert_eq!(processed.iter().filter(|process| is_child_of(process, send)).count(), 1);
    }
    // They are not linked to the span in which the worker runs.
    assert!(processed.iter().all(|process| process.links.is_empty()));
    let acks = stack.spans_of("ack orders");
    assert!(acks.iter().all(|ack| processed.iter().any(|process| is_child_of(ack, process))));
    assert_eq!(acks.len(), 4);
}

#[test]
fn the_result_of_the_handler_settles_the_message() {
    let stack = Stack::new();
    let broker = Broker::new();
    let summary = stack.run(async {
        (0..6).for_each(|body| broker.send(sent_by("acme"), body));
        let handle = |message: Message<Delivered>| async move {
            match (message.envelope.body, message.attempt()) {
                (1, _) => Ok(Settlement::DeadLetter),
                (2, 1) => Ok(Settlement::Requeue),
                (3, 1) => Ok(Settlement::Nack),
                (4, 1) => Err(io::Error::other("once")),
                (5, 1) => panic!("once"),
                _ => Ok(Settlement::Ack),
            }
        };
        let worker = Worker::new(consumer(), handle).shutdown(broker.clone().settled(6));
        worker.run(broker.messages()).await.expect("the queue is there")
    });
    assert_eq!((broker.acked(), broker.dead()), (vec![0, 2, 3, 4, 5], vec![1]));
    assert_eq!((summary.acked, summary.nacked, summary.requeued, summary.dead_lettered), (5, 3, 1, 1));
    assert_eq!((summary.panicked, summary.unsettled), (1, 0));
    let settled = |settlement| {
        stack
            .consumers()
            .iter()
            .filter(|span| text(span, "ctx.messaging.settlement").as_deref() == Some(settlement))
            .count()
    };
    assert_eq!([settled("ack"), settled("nack"), settled("requeue"), settled("dead_letter")], [5, 3, 1, 1]);
    let failed = stack.consumers().iter().filter(|span| matches!(span.status, Status::Error { .. })).count();
    assert_eq!(failed, 2);
}

#[test]
fn a_message_that_is_delivered_again_has_the_same_parent() {
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        broker.send(sent_by("acme"), 7);
        let handle = |_: Message<Delivered>| async { Err::<(), _>(io::Error::other("always")) };
        let worker = Worker::new(consumer(), handle).max_attempts(3).shutdown(broker.clone().settled(1));
        let summary = worker.run(broker.messages()).await.expect("the queue is there");
        assert_eq!((summary.nacked, summary.dead_lettered), (2, 1));
    });
    assert_eq!(broker.dead(), [7]);
    let (send, processed) = (stack.span("send orders"), stack.consumers());
    assert!(processed.iter().all(|process| is_child_of(process, &send)));
    let attempts: Vec<_> = processed.iter().map(|process| text(process, "ctx.messaging.attempt")).collect();
    assert_eq!(attempts, [None, Some("2".to_owned()), Some("3".to_owned())]);
}

#[test]
fn errors_are_settled_as_configured() {
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        (0..4).for_each(|body| broker.send(sent_by("acme"), body));
        let handle = |message: Message<Delivered>| async move {
            match message.envelope.body {
                0 => panic!("at once"),
                1 => Err(io::Error::from(io::ErrorKind::InvalidData)),
                2 if message.attempt() == 1 => Err(io::Error::other("the database is gone")),
                3 => Err(io::Error::from(io::ErrorKind::WouldBlock)),
                _ => Ok(()),
            }
        };
        let worker = Worker::new(consumer(), handle)
            .on_panic(Settlement::DeadLetter)
            .on_error(|result, _| {
                assert_eq!(tenant().as_deref(), Some("acme"));
                match result.as_ref().map_err(io::Error::kind) {
                    Err(io::ErrorKind::InvalidData) => Settlement::DeadLetter,
                    Err(io::ErrorKind::WouldBlock) => panic!("in the decision"),
                    _ => Settlement::Requeue,
                }
            })
            .shutdown(broker.clone().settled(4));
        let summary = worker.run(broker.messages()).await.expect("the queue is there");
        assert_eq!((summary.requeued, summary.panicked), (1, 2));
    });
    assert_eq!((broker.acked(), broker.dead()), (vec![2], vec![0, 1, 3]));
}

#[test]
fn a_panic_anywhere_costs_the_others_nothing() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let stack = Stack::new();
    let broker = Broker::new();
    let summary = stack.run(async {
        for body in 0..8 {
            let mut headers = sent_by(if body % 2 == 0 { "acme" } else { "globex" });
            if body == 4 {
                headers.insert("panics".to_owned(), String::new());
            }
            broker.send(headers, body);
        }
        let handle = |message: Message<Delivered>| {
            let (body, expected) =
                (message.envelope.body, if message.envelope.body.is_multiple_of(2) { "acme" } else { "globex" });
            assert_ne!(body, 0, "before the first poll");
            assert_eq!(tenant().as_deref(), Some(expected));
            async move {
                yield_now().await;
                assert_eq!(tenant().as_deref(), Some(expected));
                assert_ne!(body, 1, "in a later poll");
                let _dropped = (body == 2).then(|| PanicsOnDrop);
                if body == 3 {
                    std::panic::panic_any(7);
                }
                yield_now().await;
                info!(expected, "handled");
            }
        };
        let worker = Worker::new(consumer(), handle)
            .concurrency(3)
            .on_panic(Settlement::DeadLetter)
            .shutdown(broker.clone().settled(8));
        worker.run(broker.messages()).await.expect("the queue is there")
    });
    let (mut acked, mut dead) = (broker.acked(), broker.dead());
    acked.sort_unstable();
    dead.sort_unstable();
    assert_eq!((acked, dead), (vec![5, 6, 7], vec![0, 1, 2, 3, 4]));
    assert_eq!(summary.panicked, 5);
    for line in stack.lines().iter().filter(|line| line["fields"]["message"] == "handled") {
        assert_eq!(line["fields"]["tenant_id"], line["fields"]["expected"]);
    }
    let panics = stack.lines().iter().filter(|line| line["fields"]["message"] == "panicked").count();
    assert_eq!(panics, 4);
}

#[test]
fn no_more_messages_than_the_limit_are_handled_at_once() {
    for limit in [0, 1, 5] {
        let stack = Stack::new();
        let broker = Broker::new();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        stack.run(async {
            (0..20).for_each(|body| broker.send(Headers::new(), body));
            let (now, most) = (now.clone(), most.clone());
            let handle = move |_: Message<Delivered>| {
                let (now, most) = (now.clone(), most.clone());
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                }
            };
            let worker = Worker::new(consumer(), handle).concurrency(limit).shutdown(broker.clone().settled(20));
            worker.run(broker.messages()).await.expect("the queue is there");
        });
        assert_eq!(most.load(Ordering::SeqCst), limit.max(1));
        if limit < 2 {
            assert_eq!(broker.acked(), (0..20).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_shutdown_waits_for_running_handlers_and_takes_no_more() {
    let stack = Stack::new();
    let broker = Broker::new();
    let (started, stop) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    stack.run(async {
        (0..5).for_each(|body| broker.send(sent_by("acme"), body));
        let handle = {
            let started = started.clone();
            move |_: Message<Delivered>| {
                let started = started.clone();
                async move {
                    started.notify_one();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    assert_eq!(tenant().as_deref(), Some("acme"));
                }
            }
        };
        let stopped = {
            let stop = stop.clone();
            async move { stop.notified().await }
        };
        let worker = Worker::new(consumer(), handle).concurrency(2).shutdown(stopped);
        let running = tokio::spawn(worker.run(broker.messages()));
        started.notified().await;
        stop.notify_one();
        let summary = running.await.expect("it does not panic").expect("the queue is there");
        assert_eq!((summary.acked, summary.unsettled), (2, 0));
    });
    assert_eq!((broker.acked().len(), broker.waiting(), broker.delivered()), (2, 3, 2));
}

#[test]
fn handlers_that_outlast_the_drain_limit_leave_their_message() {
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        broker.send(sent_by("acme"), 1);
        broker.send(sent_by("globex"), 2);
        let handle = |message: Message<Delivered>| async move {
            if message.envelope.body == 1 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let worker = Worker::new(consumer(), handle)
            .concurrency(2)
            .shutdown(tokio::time::sleep(Duration::from_millis(10)))
            .drain_limit(|| tokio::time::sleep(Duration::from_millis(60)));
        let summary = worker.run(broker.messages()).await.expect("the queue is there");
        assert_eq!((summary.acked, summary.unsettled, summary.panicked), (1, 1, 0));
    });
    // The broker has it again.
    assert_eq!((broker.acked(), broker.waiting()), (vec![2], 1));
    let cancelled: Vec<_> = stack.consumers().into_iter().filter(|span| text(span, "cancelled").is_some()).collect();
    assert_eq!(text(&only(cancelled), "tenant_id").as_deref(), Some("acme"));
}

#[test]
fn a_worker_that_is_dropped_leaves_its_messages_to_the_broker() {
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        broker.send(sent_by("acme"), 1);
        let worker = Worker::new(consumer(), |_: Message<Delivered>| std::future::pending::<()>());
        let running = worker.run(broker.messages());
        assert!(tokio::time::timeout(Duration::from_millis(20), running).await.is_err());
        yield_now().await;
    });
    assert_eq!((broker.acked().len(), broker.waiting()), (0, 1));
}

#[test]
fn the_end_of_the_stream_ends_the_worker() {
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        (0..4).for_each(|body| broker.send(Headers::new(), body));
        let handle = |_: Message<Delivered>| async { yield_now().await };
        let two = broker.messages().take(2);
        let summary = Worker::new(consumer(), handle).run(two).await.expect("the queue is there");
        assert_eq!(summary.acked, 2);
        let failing = broker.messages().take(2).chain(stream::iter([Err(Refused)]));
        assert!(Worker::new(consumer(), handle).concurrency(9).run(failing).await.is_err());
    });
    // What was received before the error was handled.
    assert_eq!(broker.acked().len(), 4);
}

#[test]
fn a_message_that_cannot_be_settled_is_logged_with_its_tenant() {
    let stack = Stack::new();
    let broker = Broker::new();
    broker.refuses.store(true, Ordering::Relaxed);
    stack.run(async {
        broker.send(sent_by("acme"), 1);
        let handle = |_: Message<Delivered>| async {};
        let summary = Worker::new(consumer(), handle).run(broker.messages().take(1)).await.expect("the queue is there");
        assert_eq!((summary.acked, summary.unsettled), (0, 1));
    });
    assert_eq!(broker.waiting(), 1);
    let line = only(stack.lines());
    assert_eq!((&line["fields"]["tenant_id"], &line["level"]), (&"acme".into(), &"WARN".into()));
    assert_eq!(stack.span("ack orders").status, Status::error("the broker is gone"));
}

#[with_observability]
async fn observed(message: Message<Delivered>) -> Result<(), io::Error> {
    yield_now().await;
    info!(body = message.envelope.body, "observed");
    Ok(())
}

#[with_observability]
#[propagate(from = message)]
async fn propagated(message: Message<Delivered>) {
    yield_now().await;
    info!(body = message.envelope.body, "propagated");
}

#[propagate(from = message)]
async fn bare(message: Message<Delivered>) -> Settlement {
    info!(body = message.envelope.body, "bare");
    Settlement::Ack
}

#[test]
fn handlers_can_have_the_attributes() {
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        (0..3).for_each(|body| broker.send(sent_by("acme"), body));
        let messages = || broker.messages().take(1);
        Worker::new(consumer(), observed).run(messages()).await.expect("the queue is there");
        // Elsewhere, too: restored from the message.
        let elsewhere = |message| async { tokio::spawn(propagated(message)).await };
        Worker::new(consumer(), elsewhere).run(messages()).await.expect("the queue is there");
        Worker::new(consumer(), bare).run(messages()).await.expect("the queue is there");
    });
    let processed = stack.consumers();
    assert!(is_child_of(&stack.span("observed"), &processed[0]));
    assert!(is_child_of(&stack.span("propagated"), &processed[1]));
    let lines = stack.lines();
    let handled: Vec<_> = lines.iter().filter(|line| line["fields"]["body"].is_u64()).collect();
    assert_eq!(handled.len(), 3, "{lines:#?}");
    assert!(handled.iter().all(|line| line["fields"]["tenant_id"] == "acme"));
}
