//! Producers and consumers, beside the propagation of the same context alone.
//!
//! Repeat with `cargo bench -p ctx-benches --bench messaging` (under a minute); after `--`, `--quick`. A `traceparent` and five
//! fields, into a new `HashMap` each time, and from it. "Carrier" is `propagation::inject` and `extract`; "messages" is
//! `Producer::inject` and `Consumer::process`, with a new `message_id`, without a subscriber. Allocations are those of one call, the
//! carrier's own included.
//!
//! The arms take turns in batches of 60 µs; the lower quartile of an arm's batches counts.

use std::{collections::HashMap, env, hint::black_box};

use ctx_benches::measure::{Arm, Effort, Place, interleaved};
use ctx_counting_allocator::{self as counting, Counting};
use ctx_layer::{
    Fields, Schema,
    context::ContextFieldsExt,
    field::well_known::{CORRELATION_ID, LOCALE, REQUEST_ID, TENANT_ID, USER_ID},
    messaging::{Consumer, Destination, Producer, SendOptions},
    propagation::{self, Outbound, Trust, inject_context},
};
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use tracing_core::Dispatch;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Headers = HashMap<String, String>;

fn context() -> Context {
    let fields = Fields::new()
        .with(&REQUEST_ID, "req-81723-19")
        .with(&TENANT_ID, "acme-industries")
        .with(&USER_ID, "u-81723")
        .with(&LOCALE, "nl-NL")
        .with(&CORRELATION_ID, "order-2024-118-27");
    let span = SpanContext::new(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").expect("it is an id"),
        SpanId::from_hex("b7ad6b7169203331").expect("it is an id"),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    Context::new().with_remote_span_context(span).with_fields(fields)
}

fn sent() -> Headers {
    let _current = context().attach();
    let mut headers = Headers::new();
    producer().inject_context(&mut headers, &SendOptions::new());
    headers
}

fn producer() -> Producer {
    Producer::new(Destination::new("rabbitmq", "orders"))
}

fn consumer() -> Consumer {
    Consumer::new(Destination::new("rabbitmq", "orders")).trust(Trust::internal())
}

struct Measured {
    arm: Arm,
    allocations: u64,
}

fn arm<T: 'static>(
    name: &str,
    prepare: impl Fn() -> T + Send + Sync + Copy + 'static,
    once: impl Fn(&T) + Send + Sync + Copy + 'static,
) -> Measured {
    let prepared = prepare();
    (0..100).for_each(|_| once(&prepared));
    let before = counting::allocations();
    (0..100).for_each(|_| once(&prepared));
    let allocations = (counting::allocations() - before) / 100;
    Measured { arm: Arm::prepared(name, Place::new(Dispatch::none()), prepare, once), allocations }
}

fn arms() -> Vec<Measured> {
    vec![
        arm("carrier: inject", context, |cx| {
            let mut headers = Headers::new();
            inject_context(cx, &mut headers, Outbound::Everything);
            black_box(headers);
        }),
        arm("carrier: extract", sent, |headers| {
            let extracted = propagation::extract(headers, Trust::internal());
            assert_eq!(extracted.fields().len(), 5);
            black_box(&extracted);
        }),
        arm(
            "messages: inject",
            || (producer(), context()),
            |(producer, cx)| {
                let _current = cx.clone().attach();
                let mut headers = Headers::new();
                drop(black_box(producer.inject(&mut headers)));
                black_box(headers);
            },
        ),
        arm(
            "messages: process",
            || (consumer(), sent()),
            |(consumer, headers)| {
                consumer.process(headers).in_scope(|| assert!(TENANT_ID.get().is_some()));
            },
        ),
    ]
}

fn main() {
    propagation::register(&Schema::well_known());
    let effort = if env::args().any(|argument| argument == "--quick") { Effort::QUICK } else { Effort::FULL };
    let effort = Effort { turns: effort.turns / 4, ..effort };
    let (arms, allocations): (Vec<_>, Vec<_>) = arms().into_iter().map(|it| (it.arm, it.allocations)).unzip();
    let times = interleaved(&arms, effort);
    println!("| what | ns | allocations |\n|---|--:|--:|");
    for ((arm, time), allocations) in arms.iter().zip(&times).zip(&allocations) {
        println!("| {} | {time:.0} | {allocations} |", arm.name());
    }
    println!("| carrier: both | {:.0} | {} |", times[0] + times[1], allocations[0] + allocations[1]);
    println!("| messages: both | {:.0} | {} |", times[2] + times[3], allocations[2] + allocations[3]);
}
