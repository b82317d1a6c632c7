//! The metrics of the conventions.

use std::io;

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Message, Producer, Settlement, Worker},
};
use futures_util::StreamExt;
use opentelemetry::{KeyValue, metrics::MeterProvider};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};

use crate::{
    broker::{Broker, Delivered},
    shared::*,
};

/// A measurement: its attributes, and its value or the number of values.
type Point = (Vec<String>, u64);

fn shown(attributes: impl Iterator<Item = KeyValue>) -> Vec<String> {
    let mut shown: Vec<String> = attributes.map(|pair| format!("{}={}", pair.key, pair.value)).collect();
    shown.sort();
    shown
}

fn points(exporter: &InMemoryMetricExporter, name: &str) -> Vec<Point> {
    let mut points = Vec::new();
    let finished = exporter.get_finished_metrics().expect("it is there");
    for metric in finished.iter().flat_map(|all| all.scope_metrics()).flat_map(|scope| scope.metrics()) {
        match metric.data() {
            _ if metric.name() != name => {}
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                points.extend(sum.data_points().map(|point| (shown(point.attributes().cloned()), point.value())));
            }
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                assert_eq!(metric.unit(), "s");
                points.extend(histogram.data_points().map(|point| (shown(point.attributes().cloned()), point.count())));
            }
            other => panic!("{other:?}"),
        }
    }
    points.sort();
    points
}

fn point(attributes: &[&str], value: u64) -> Point {
    (attributes.iter().map(|attribute| (*attribute).to_owned()).collect(), value)
}

#[test]
fn sends_and_deliveries_are_counted_and_timed_without_fields() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
    let meter = provider.meter("test");
    let stack = Stack::new();
    let broker = Broker::new();
    stack.run(async {
        let producer = Producer::new(orders().server("broker.test", 5672)).meter(&meter);
        let mut sent = Vec::new();
        TENANT_ID.in_scope("acme", || {
            for body in 0..3 {
                let mut headers = Headers::new();
                let sending = producer.inject(&mut headers);
                let result = sending.in_scope(|| if body == 2 { Err(io::Error::other("full")) } else { Ok(()) });
                sent.extend(result.is_ok().then_some((headers, body)));
            }
            let mut batch = producer.batch();
            (0..5).for_each(|_| drop(batch.inject(&mut Headers::new())));
            batch.in_scope(|| Ok::<_, io::Error>(())).expect("it is sent");
        });
        sent.into_iter().for_each(|(headers, body)| broker.send(headers, body));
        let handle = |message: Message<Delivered>| async move {
            match message.envelope.body {
                0 => Ok(Settlement::Ack),
                _ => Err(io::Error::other("no such order")),
            }
        };
        let consumer = Consumer::new(orders()).group("billing").meter(&meter);
        Worker::new(consumer, handle).max_attempts(1).run(broker.messages().take(2)).await.expect("the queue is there");
    });
    provider.force_flush().expect("it is flushed");

    let (name, system) = ("messaging.destination.name=orders", "messaging.system=rabbitmq");
    let (address, port) = ("server.address=broker.test", "server.port=5672");
    let error = "error.type=std::io::error::Error";
    let (group, send) = ("messaging.consumer.group.name=billing", "messaging.operation.name=send");
    let of_type = |kind: &str| format!("messaging.operation.type={kind}");
    assert_eq!(
        points(&exporter, "messaging.client.sent.messages"),
        [point(&[error, name, send, system, address, port], 1), point(&[name, send, system, address, port], 7),]
    );
    let process = "messaging.operation.name=process";
    assert_eq!(points(&exporter, "messaging.client.consumed.messages"), [point(&[group, name, process, system], 2)]);
    assert_eq!(
        points(&exporter, "messaging.process.duration"),
        [point(&[error, group, name, process, system], 1), point(&[group, name, process, system], 1),]
    );
    let mut operations = [
        point(&[error, name, send, &of_type("send"), system, address, port], 1),
        point(&[name, send, &of_type("send"), system, address, port], 3),
        point(&[group, name, "messaging.operation.name=ack", &of_type("settle"), system], 1),
        point(&[group, name, "messaging.operation.name=dead_letter", &of_type("settle"), system], 1),
    ];
    operations.sort();
    assert_eq!(points(&exporter, "messaging.client.operation.duration"), operations);
}
