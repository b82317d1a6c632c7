//! Messages and their consumers.

use ctx_check::{
    FindingKind::{BrokenEdge, QueueMode, Unconsumed},
    finding::Cause,
};

use crate::{
    scenario::{CLIENT, CONSUMER, SERVER, Scenario, assert_healthy, only},
    verdicts::shop,
};

#[test]
fn consumers_may_be_children_or_linked() {
    let mut system = shop(1);
    let message = system.send(0, "mails");
    let child = system.add(Some(message), "mailer", "process", CONSUMER);
    system.of_queue(child, "mails");
    let other = system.send(0, "mails");
    let linked = system.add(None, "mailer", "process", CONSUMER);
    system.of_queue(linked, "mails");
    let (trace, id) = (system.spans[other].trace, system.spans[other].id);
    system.spans[linked].links.push((trace, id));
    assert_healthy(&system.judge());
    only(&system.judge_with("[[queue]]\nname = \"mails\"\nmode = \"parent\""), QueueMode, Cause::NotAsDeclared);
    only(&system.judge_with("[[queue]]\nname = \"m*\"\nmode = \"link\""), QueueMode, Cause::NotAsDeclared);
}

#[test]
fn a_consumer_that_starts_anew_is_a_broken_edge() {
    let mut system = shop(1);
    for is_lost in [false, true] {
        let message = system.send(0, "mails");
        let consumer = system.add(Some(message), "mailer", "process", CONSUMER);
        system.of_queue(consumer, "mails");
        if is_lost {
            system.tear_off(consumer);
        }
    }
    let finding = only(&system.judge(), BrokenEdge, Cause::HeaderStripped);
    assert_eq!(
        finding.edge.map(|edge| (edge.from, edge.to, edge.via)),
        Some(("web".into(), "mailer".into(), "mails".into()))
    );
}

#[test]
fn a_message_that_nobody_consumed_yet_is_a_note() {
    let mut system = shop(1);
    system.send(0, "audit");
    assert_healthy(&system.judge());
    let report = system.judge_with("[[queue]]\nname = \"audit\"\nown = true");
    only(&report, Unconsumed, Cause::StillQueued);
    assert!(report.summary.is_healthy);
}

#[test]
fn what_links_to_a_message_to_send_it_does_not_receive_it() {
    // An outbox's relay: the message was created with the order, and is sent later.
    let mut system = Scenario::default();
    for _ in 0..3 {
        let orders = system.add(None, "orders", "POST /orders", SERVER);
        let message = system.send(orders, "mails");
        let relay = system.add(None, "relay", "send", CLIENT);
        system.of_queue(relay, "mails");
        let (trace, id) = (system.spans[message].trace, system.spans[message].id);
        system.spans[relay].links.push((trace, id));
        let consumer = system.add(Some(message), "mailer", "process", CONSUMER);
        system.of_queue(consumer, "mails");
    }
    assert_healthy(&system.judge());
    let consumers: Vec<usize> = (0..system.spans.len()).filter(|place| system.spans[*place].kind == CONSUMER).collect();
    for consumer in consumers {
        system.tear_off(consumer);
    }
    let finding = only(&system.judge(), BrokenEdge, Cause::NoPropagator);
    assert_eq!(finding.edge.as_ref().map(|edge| (&*edge.from, &*edge.to)), Some(("orders", "mailer")));
}
