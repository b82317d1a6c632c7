//! Services that send messages over queues, which are channels here.

use std::collections::HashMap;

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer, TraceMode},
    propagation::Trust,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::{info, info_span};

use crate::system::{System, edges, found};

type Headers = HashMap<String, String>;

/// The part that is taken out of the system.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Removed {
    Nothing,
    /// `orders` sends its mails without headers, and its audits with them.
    Injection,
    /// `mailer` has a span for each message, and does not read its headers.
    Extraction,
    /// `mailer` links its spans to the messages.
    Parent,
    /// `mailer` does not trust its senders, so the tenant is lost.
    Trust,
}

fn destination(queue: &'static str) -> Destination {
    Destination::new("rabbitmq", queue)
}

fn send(queue: &'static str, sender: &UnboundedSender<Headers>, injects: bool) {
    let mut headers = Headers::new();
    let sending = Producer::new(destination(queue)).inject(&mut headers);
    if !injects {
        headers.clear();
    }
    sending.in_scope(|| sender.send(headers)).expect("the queue is open");
}

async fn consume(consumer: Consumer, extracts: bool, mut messages: UnboundedReceiver<Headers>) {
    while let Some(mut headers) = messages.recv().await {
        if !extracts {
            headers.clear();
        }
        consumer.process(&headers).in_scope(|| info!("processed"));
    }
}

/// Runs the system: `orders` and `billing` send mails to `mailer`, and `orders` audits to `auditor`.
fn run(removed: Removed, settings: &str) -> ctx_check::Report {
    let mut system = System::new(&["grpc", "http/protobuf"]);
    let (mails, mailbox) = unbounded_channel();
    let (audits, records) = unbounded_channel();
    let consumer = |queue| Consumer::new(destination(queue)).trust(Trust::internal());
    let mailer = match removed {
        Removed::Parent => consumer("mails").trace_mode(TraceMode::Link),
        Removed::Trust => Consumer::new(destination("mails")),
        _ => consumer("mails"),
    };
    for service in ["orders", "billing"] {
        let (mails, audits) = (mails.clone(), audits.clone());
        system.start(service, move || async move {
            for tenant in ["acme", "globex"] {
                let job = TENANT_ID.in_scope(tenant, || info_span!("job"));
                job.in_scope(|| {
                    send("mails", &mails, removed != Removed::Injection || service != "orders");
                    if service == "orders" {
                        send("audits", &audits, true);
                    }
                });
            }
        });
    }
    drop((mails, audits));
    system.start("mailer", move || consume(mailer, removed != Removed::Extraction, mailbox));
    system.start("auditor", move || consume(consumer("audits"), true, records));
    system.judge(&format!("require = [\"tenant_id\"]\n{settings}"))
}

#[test]
fn messages_that_carry_the_context_are_healthy() {
    let report = run(Removed::Nothing, "[[queue]]\nname = [\"mails\"]\nmode = \"parent\"");
    assert_eq!(found(&report), [""; 0]);
    assert!(report.summary.is_healthy);
    let connected = ["billing -> mailer", "orders -> auditor", "orders -> mailer"];
    assert_eq!(edges(&report), connected.map(|edge| format!("{edge}: connected")));
}

#[test]
fn messages_without_headers_are_that_edge_and_cause() {
    let report = run(Removed::Injection, "");
    assert_eq!(found(&report), ["ctx/broken-edge | orders -> mailer | header_stripped"]);
}

#[test]
fn a_consumer_that_does_not_extract_is_that_cause() {
    let report = run(Removed::Extraction, "");
    assert_eq!(
        found(&report),
        [
            "ctx/broken-edge | billing -> mailer | no_propagator_in_callee",
            "ctx/broken-edge | orders -> mailer | no_propagator_in_callee"
        ]
    );
}

#[test]
fn a_link_is_found_where_a_parent_is_declared() {
    assert_eq!(found(&run(Removed::Parent, "")), [""; 0], "either is right unless it is declared");
    let report = run(Removed::Parent, "[[queue]]\nname = [\"mails\"]\nmode = \"parent\"");
    assert_eq!(
        found(&report),
        ["ctx/queue-mode | billing -> mailer | not_as_declared", "ctx/queue-mode | orders -> mailer | not_as_declared"]
    );
}

#[test]
fn fields_that_a_consumer_does_not_trust_are_lost_there() {
    let report = run(Removed::Trust, "");
    assert_eq!(
        found(&report),
        [
            "ctx/missing-field | billing -> mailer | not_propagated",
            "ctx/missing-field | orders -> mailer | not_propagated"
        ]
    );
}
