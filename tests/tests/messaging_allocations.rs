//! How often messages allocate. The allocator counts.

use std::collections::HashMap;

use ctx_counting_allocator::{self as counting, Counting};
use ctx_layer::{
    Fields, Schema,
    context::ContextFieldsExt,
    field::well_known::*,
    messaging::{Consumer, Destination, Producer, SendOptions},
    propagation::{self, Outbound, Trust, inject_context},
};
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Headers = HashMap<String, String>;

/// Returns the number of allocations of one call of `f` on this thread, after a warm-up.
fn allocations(mut f: impl FnMut()) -> u64 {
    (0..1000).for_each(|_| f());
    let before = counting::allocations();
    (0..100).for_each(|_| f());
    let all = counting::allocations() - before;
    assert_eq!(all % 100, 0, "{all} allocations in 100 calls: not the same in each");
    all / 100
}

/// A trace and five fields.
fn context() -> Context {
    let fields = Fields::new()
        .with(&TENANT_ID, "acme")
        .with(&USER_ID, "u-1")
        .with(&REQUEST_ID, "r-1")
        .with(&CORRELATION_ID, "c-1")
        .with(&LOCALE, "de-CH");
    let span = SpanContext::new(TraceId::from(7), SpanId::from(7), TraceFlags::SAMPLED, true, TraceState::NONE);
    Context::new().with_remote_span_context(span).with_fields(fields)
}

/// One test: others would allocate meanwhile, and register other fields.
#[test]
fn a_message_with_five_fields_allocates_little() {
    propagation::register(&Schema::well_known());
    let cx = context();
    let mut headers = Headers::new();
    inject_context(&cx, &mut headers, Outbound::Everything);

    // The table, and two names with their values.
    let injected = allocations(|| {
        let mut headers = Headers::new();
        inject_context(&cx, &mut headers, Outbound::Everything);
        std::hint::black_box(headers);
    });
    let extracted = allocations(|| {
        let extracted = propagation::extract(&headers, Trust::internal());
        assert_eq!(extracted.fields().len(), 5);
        std::hint::black_box(&extracted);
    });

    let destination = Destination::new("rabbitmq", "orders");
    let (producer, consumer) =
        (Producer::new(destination.clone()), Consumer::new(destination).trust(Trust::internal()));
    let sent = allocations(|| {
        let _current = cx.clone().attach();
        let mut headers = Headers::new();
        drop(std::hint::black_box(producer.inject(&mut headers)));
        std::hint::black_box(headers);
    });
    let mut headers = Headers::new();
    {
        let _current = cx.clone().attach();
        producer.inject_context(&mut headers, &SendOptions::new());
    }
    let handled = allocations(|| consumer.process(&headers).in_scope(|| assert!(TENANT_ID.get().is_some())));
    assert_eq!((injected, extracted), (5, 5));
    // One more name and value in the headers, and the id that the `Sending` keeps; the id that the handler is given.
    assert_eq!((sent, handled), (8, 6));
}
