//! One event inside 1, 4, 16 and 64 spans: ours costs the same everywhere, as long as the output does not print the
//! enclosing spans.
//!
//! Peers have the five fields on the outermost span; the spans inside it have one number each.
//!
//! Repeat with `cargo bench -p ctx-benches --bench depth`.
//!
//! Figures: 2-core VM (AMD EPYC, one thread per core), Linux, rustc 1.95.0, at commit 611526f, others compiling meanwhile, before
//! most of the optimising: `report` and the README have the present ones.
//!
//! | median, µs | 1 | 4 | 16 | 64 |
//! |---|--:|--:|--:|--:|
//! | ours, visited | 0.14 | 0.14 | 0.14 | 0.14 |
//! | ours, `fmt` json without spans | 1.81 | 1.81 | 1.81 | 1.81 |
//! | ours, `fmt` json with its list of spans | 2.78 | 4.21 | 8.86 | 27.0 |
//! | on the outermost span, `fmt` json | 4.21 | 4.32 | 8.90 | 27.1 |
//! | on the outermost span, json-subscriber | 1.30 | 1.48 | 2.51 | 6.35 |
//! | on the outermost span, json-subscriber flat | 2.74 | 3.38 | 4.44 | 8.95 |
//! | on the outermost span, bunyan | 1.22 | 1.20 | 1.18 | 1.08 |

use std::hint::black_box;

use ctx_benches::{
    measure::Place,
    request::{REQUEST, fields, schema},
    span_by_hand, stack,
};
use divan::Bencher;
use tracing::{info, info_span, span::EnteredSpan};
use tracing_core::Dispatch;

fn main() {
    // Divan would choose the sample size by the first call, which is slow: the call site is registered then.
    divan::Divan::default().sample_count(200).sample_size(200).config_with_args().main();
}

const DEPTHS: [usize; 4] = [1, 4, 16, 64];

/// Spans inside one another, left in reverse.
struct Nested(Vec<EnteredSpan>);

impl Nested {
    fn inside(outermost: EnteredSpan, depth: usize) -> Self {
        let mut spans = vec![outermost];
        spans.extend((1..depth).map(|level| info_span!("level", level).entered()));
        Nested(spans)
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        while let Some(innermost) = self.0.pop() {
            drop(innermost);
        }
    }
}

fn ours(bencher: Bencher<'_, '_>, dispatch: Dispatch, depth: usize) {
    Place::new(dispatch).with(fields()).within(|| {
        let _nested = Nested::inside(info_span!("request").entered(), depth);
        bencher.bench_local(|| info!(order = 1042, "placed"));
    });
}

fn on_the_outermost_span(bencher: Bencher<'_, '_>, dispatch: Dispatch, depth: usize) {
    Place::new(dispatch).within(|| {
        let _nested = Nested::inside(span_by_hand!(black_box(&*REQUEST), "request").entered(), depth);
        bencher.bench_local(|| info!(order = 1042, "placed"));
    });
}

#[divan::bench(args = DEPTHS)]
fn a_ours_visited(bencher: Bencher<'_, '_>, depth: usize) {
    ours(bencher, stack::visiting_with(schema()), depth);
}

#[divan::bench(args = DEPTHS)]
fn b_ours_fmt_json_without_spans(bencher: Bencher<'_, '_>, depth: usize) {
    ours(bencher, stack::json_without_spans_with(schema()), depth);
}

/// `fmt` prints every enclosing span here: it is that which grows.
#[divan::bench(args = DEPTHS)]
fn c_ours_fmt_json_with_span_list_once_per_line(bencher: Bencher<'_, '_>, depth: usize) {
    ours(bencher, stack::json_once_per_line_with(schema()), depth);
}

#[divan::bench(args = DEPTHS)]
fn d_on_span_fmt_json(bencher: Bencher<'_, '_>, depth: usize) {
    on_the_outermost_span(bencher, stack::json(), depth);
}

#[divan::bench(args = DEPTHS)]
fn e_on_span_json_subscriber(bencher: Bencher<'_, '_>, depth: usize) {
    on_the_outermost_span(bencher, stack::json_subscriber(), depth);
}

#[divan::bench(args = DEPTHS)]
fn f_on_span_json_subscriber_flat(bencher: Bencher<'_, '_>, depth: usize) {
    on_the_outermost_span(bencher, stack::json_subscriber_flat(), depth);
}

#[divan::bench(args = DEPTHS)]
fn g_on_span_bunyan(bencher: Bencher<'_, '_>, depth: usize) {
    on_the_outermost_span(bencher, stack::bunyan(), depth);
}
