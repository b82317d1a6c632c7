//! The names are those of the conventions, as the crate of OpenTelemetry lists them.

use std::collections::HashSet;

use ctx_layer::messaging::{Message, ReceiveOptions, SendOptions, Worker};
use futures_util::StreamExt;
use opentelemetry_semantic_conventions::{SCHEMA_URL, attribute};

use crate::{
    broker::{Broker, Delivered},
    shared::*,
};

#[test]
fn the_pinned_version_is_the_one_that_the_names_are_compared_with() {
    assert_eq!(SCHEMA_URL, "https://opentelemetry.io/schemas/1.42.0");
    let page = include_str!("../../../docs/messaging.md");
    assert!(page.contains("version 1.42.0"), "docs/messaging.md states another version");
}

#[test]
fn all_attributes_are_those_of_the_conventions() {
    let known = HashSet::from([
        attribute::ERROR_TYPE,
        attribute::MESSAGING_BATCH_MESSAGE_COUNT,
        attribute::MESSAGING_CONSUMER_GROUP_NAME,
        attribute::MESSAGING_DESTINATION_ANONYMOUS,
        attribute::MESSAGING_DESTINATION_NAME,
        attribute::MESSAGING_DESTINATION_PARTITION_ID,
        attribute::MESSAGING_DESTINATION_SUBSCRIPTION_NAME,
        attribute::MESSAGING_DESTINATION_TEMPLATE,
        attribute::MESSAGING_DESTINATION_TEMPORARY,
        attribute::MESSAGING_MESSAGE_BODY_SIZE,
        attribute::MESSAGING_MESSAGE_CONVERSATION_ID,
        attribute::MESSAGING_MESSAGE_ID,
        attribute::MESSAGING_OPERATION_NAME,
        attribute::MESSAGING_OPERATION_TYPE,
        attribute::MESSAGING_SYSTEM,
        attribute::SERVER_ADDRESS,
        attribute::SERVER_PORT,
    ]);
    let stack = Stack::new();
    stack.run(async {
        let all = orders().template("o-{id}").temporary().anonymous().server("broker.test", 5672);
        let producer = ctx_layer::messaging::Producer::new(all.clone());
        let options = SendOptions::new().conversation_id("c").partition("1").body_size(1);
        drop(producer.inject_with(&mut Headers::new(), &options));
        let mut batch = producer.batch();
        batch.inject_with(&mut Headers::new(), &options);
        batch.in_scope(|| Err::<(), _>("failed")).expect_err("it fails");
        let consumer = ctx_layer::messaging::Consumer::new(all).group("g").subscription("s");
        let options = ReceiveOptions::new().message_id("m").conversation_id("c").partition("1").body_size(1);
        drop(consumer.batch_of(vec![consumer.receive_with(&Headers::new(), options.clone())]));
        drop(consumer.receive_with(&Headers::new(), options).process());
        let broker = Broker::new();
        broker.send(Headers::new(), 0);
        let worker = Worker::new(consumer, |_: Message<Delivered>| async { Err::<(), _>("failed") });
        worker.run(broker.messages().take(1)).await.expect("the queue is there");
    });
    let mut found = HashSet::new();
    for span in stack.spans() {
        for pair in &span.attributes {
            let key = pair.key.as_str();
            if key.starts_with("messaging.") || key.starts_with("server.") || key.starts_with("error.") {
                assert!(known.contains(key), "{key} is not known");
                found.insert(key.to_owned());
            }
        }
    }
    let missing: Vec<_> = known.iter().filter(|key| !found.contains(**key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
