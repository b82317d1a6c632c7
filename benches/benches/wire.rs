//! Context over the wire, beside the stock composite propagator: `TraceContextPropagator` and `BaggagePropagator`.
//!
//! Repeat with `cargo bench -p ctx-benches --bench wire` (under a minute); after `--`, `--quick`. A `traceparent` and five
//! fields, into a new carrier each time. "By propagator" is the same interface that the stock ones have; "by verb" is
//! `propagation::inject` and `extract`. Allocations are those of one call, the carrier's own included.
//!
//! The arms of a group take turns in batches of 60 µs; the lower quartile of an arm's batches counts.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running; ratios differ by ±0.01 between runs. To reach: a
//! third of the stock propagators' time.
//!
//! | ns | stock | ours, by propagator | ours, by verb | allocations: stock, propagator, verb |
//! |---|--:|--:|--:|--:|
//! | inject, `HashMap` | 786 | 221 (0.28) | 219 (0.28) | 23, 5, 5 |
//! | inject, `HeaderMap` | 848 | 277 (0.33) | 244 (0.29) | 26, 8, 4 |
//! | extract, `HashMap` | 1720 | 554 (0.32) | 490 (0.29) | 25, 15, 10 |
//! | extract, `HeaderMap` | 1700 | 546 (0.32) | 514 (0.30) | 22, 12, 10 |
//! | `traceparent` parsed, formatted | | | 15, 8 | 0, 0 |
//! | capture and restore, 8 / 64 members | | | 2706 / 20308 | 31 / 149 |
//!
//! A sixth of extracting through the propagator is OpenTelemetry's `Extractor`: asking it for all lines of a header
//! allocates each time. The remaining allocations are each field's string and one set.

use std::{collections::HashMap, env, hint::black_box};

use ctx_benches::measure::{Arm, Effort, Place, interleaved};
use ctx_counting_allocator::{self as counting, Counting};
use ctx_layer::{
    Fields, Schema,
    context::ContextFieldsExt,
    field::well_known::{CORRELATION_ID, LOCALE, REQUEST_ID, TENANT_ID, USER_ID},
    propagation::{self, Captured, ContextPropagator, Extracted, Outbound, Trust, inject_context},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapCompositePropagator, TextMapPropagator},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing_core::Dispatch;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const FIELDS: [(&str, &str); 5] = [
    ("request_id", "0191d8a4-77f2-7c3e-9a55-0f1c2b3d4e5f"),
    ("tenant_id", "acme-industries"),
    ("user_id", "u-81723"),
    ("locale", "nl-NL"),
    ("correlation_id", "order-2024-118-27"),
];

fn span() -> Context {
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from_hex(&PARENT[3..35]).expect("it is an id"),
        SpanId::from_hex(&PARENT[36..52]).expect("it is an id"),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    ))
}

fn with_fields() -> Context {
    let fields = [&REQUEST_ID, &TENANT_ID, &USER_ID, &LOCALE, &CORRELATION_ID];
    let all = fields.into_iter().zip(FIELDS).fold(Fields::new(), |all, (field, (_, value))| all.with(field, value));
    span().with_fields(all)
}

fn with_baggage() -> Context {
    span().with_baggage(FIELDS.map(|(key, value)| KeyValue::new(key, value)))
}

fn stock() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![Box::new(TraceContextPropagator::new()), Box::new(BaggagePropagator::new())])
}

fn ours() -> ContextPropagator {
    ContextPropagator::new().schema(Schema::well_known()).trust(Trust::internal())
}

/// As `opentelemetry-http` does.
struct Headers<T>(T);

impl Injector for Headers<&mut HeaderMap> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(key.as_bytes()), HeaderValue::from_str(&value)) {
            self.0.insert(name, value);
        }
    }
}

impl Extractor for Headers<&HeaderMap> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let all: Vec<_> = self.0.get_all(key).iter().filter_map(|value| value.to_str().ok()).collect();
        (!all.is_empty()).then_some(all)
    }
}

fn map() -> HashMap<String, String> {
    let mut map = HashMap::new();
    inject_context(&with_fields(), &mut map, Outbound::Everything);
    map
}

fn header_map() -> HeaderMap {
    let mut map = HeaderMap::new();
    inject_context(&with_fields(), &mut map, Outbound::Everything);
    map
}

fn captured(members: usize) -> Captured {
    let baggage: Vec<_> = (0..members).map(|n| format!("member_{n:02}=value-of-{n}")).collect();
    [("traceparent", PARENT), ("baggage", &baggage.join(","))].into_iter().collect()
}

/// An arm, and the number of allocations of one call.
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

fn received(extracted: &Extracted) {
    assert_eq!((extracted.fields().len(), extracted.is_continued()), (5, true));
    black_box(extracted);
}

fn groups() -> Vec<(&'static str, Option<f64>, Vec<Measured>)> {
    vec![
        (
            "inject, HashMap",
            Some(1.0 / 3.0),
            vec![
                arm(
                    "stock",
                    || (stock(), with_baggage()),
                    |(propagator, cx)| {
                        let mut carrier: HashMap<String, String> = HashMap::new();
                        propagator.inject_context(cx, &mut carrier);
                        black_box(carrier);
                    },
                ),
                arm(
                    "ours, by propagator",
                    || (ours(), with_fields()),
                    |(propagator, cx)| {
                        let mut carrier: HashMap<String, String> = HashMap::new();
                        propagator.inject_context(cx, &mut carrier);
                        black_box(carrier);
                    },
                ),
                arm("ours, by verb", with_fields, |cx| {
                    let mut carrier: HashMap<String, String> = HashMap::new();
                    inject_context(cx, &mut carrier, Outbound::Everything);
                    black_box(carrier);
                }),
            ],
        ),
        (
            "inject, HeaderMap",
            Some(1.0 / 3.0),
            vec![
                arm(
                    "stock",
                    || (stock(), with_baggage()),
                    |(propagator, cx)| {
                        let mut carrier = HeaderMap::new();
                        propagator.inject_context(cx, &mut Headers(&mut carrier));
                        black_box(carrier);
                    },
                ),
                arm(
                    "ours, by propagator",
                    || (ours(), with_fields()),
                    |(propagator, cx)| {
                        let mut carrier = HeaderMap::new();
                        propagator.inject_context(cx, &mut Headers(&mut carrier));
                        black_box(carrier);
                    },
                ),
                arm("ours, by verb", with_fields, |cx| {
                    let mut carrier = HeaderMap::new();
                    inject_context(cx, &mut carrier, Outbound::Everything);
                    black_box(carrier);
                }),
            ],
        ),
        (
            "extract, HashMap",
            Some(1.0 / 3.0),
            vec![
                arm(
                    "stock",
                    || (stock(), map()),
                    |(propagator, carrier)| {
                        black_box(propagator.extract_with_context(&Context::new(), carrier));
                    },
                ),
                arm(
                    "ours, by propagator",
                    || (ours(), map()),
                    |(propagator, carrier)| {
                        black_box(propagator.extract_with_context(&Context::new(), carrier));
                    },
                ),
                arm("ours, by verb", map, |carrier| received(&propagation::extract(carrier, Trust::internal()))),
                arm("ours, by verb, external", map, |carrier| {
                    let _ = black_box(propagation::extract(carrier, Trust::external()));
                }),
            ],
        ),
        (
            "extract, HeaderMap",
            Some(1.0 / 3.0),
            vec![
                arm(
                    "stock",
                    || (stock(), header_map()),
                    |(propagator, carrier)| {
                        black_box(propagator.extract_with_context(&Context::new(), &Headers(carrier)));
                    },
                ),
                arm(
                    "ours, by propagator",
                    || (ours(), header_map()),
                    |(propagator, carrier)| {
                        black_box(propagator.extract_with_context(&Context::new(), &Headers(carrier)));
                    },
                ),
                arm("ours, by verb", header_map, |carrier| received(&propagation::extract(carrier, Trust::internal()))),
            ],
        ),
        (
            "capture",
            None,
            vec![
                arm("no context", || (), |()| drop(black_box(propagation::capture()))),
                arm(
                    "restore, 5 fields",
                    || map().into_iter().collect::<Captured>(),
                    |captured| {
                        received(&propagation::extract(captured, Trust::internal()));
                    },
                ),
                arm("capture and restore, 8 members", || captured(8), capture_and_restore),
                arm("capture and restore, 16 members", || captured(16), capture_and_restore),
                arm("capture and restore, 32 members", || captured(32), capture_and_restore),
                arm("capture and restore, 64 members", || captured(64), capture_and_restore),
            ],
        ),
    ]
}

fn capture_and_restore(captured: &Captured) {
    let restored = propagation::extract(captured, Trust::internal());
    let again = restored.in_scope(propagation::capture);
    assert_eq!(again.len(), 2);
    black_box(again);
}

fn main() {
    propagation::register(&Schema::well_known());
    let effort = if env::args().any(|argument| argument == "--quick") { Effort::QUICK } else { Effort::FULL };
    let effort = Effort { turns: effort.turns / 4, ..effort };
    let one = env::args().skip_while(|argument| argument != "--run").skip(1).collect::<Vec<_>>();
    if let [title, name, count, ..] = &one[..] {
        let arms = groups().into_iter().filter(|(known, ..)| known == title).flat_map(|(.., arms)| arms);
        for measured in arms.filter(|measured| measured.arm.name() == name) {
            println!("{:?}", measured.arm.run(count.parse().unwrap_or(1000)));
        }
        return;
    }
    println!("| what | ns | ratio | to reach | allocations |\n|---|--:|--:|--:|--:|");
    for (title, limit, measured) in groups() {
        let (arms, allocations): (Vec<_>, Vec<_>) = measured.into_iter().map(|it| (it.arm, it.allocations)).unzip();
        let times = interleaved(&arms, effort);
        for ((arm, time), (allocations, at)) in arms.iter().zip(&times).zip(allocations.iter().zip(0..)) {
            let (ratio, limit) = match limit {
                Some(limit) if at > 0 => (format!("{:.2}", time / times[0]), format!("{limit:.2}")),
                _ => (String::new(), String::new()),
            };
            println!("| {title}: {} | {time:.0} | {ratio} | {limit} | {allocations} |", arm.name());
        }
    }
}
