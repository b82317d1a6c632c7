//! One event inside 1, 4, 16 and 64 spans: ours costs the same everywhere, as long as the output does not print the
//! enclosing spans.
//!
//! Peers have the five fields on the outermost span; the spans inside it have one number each.
//!
//! Repeat with `cargo bench -p ctx-benches --bench depth`.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running.
//!
//! | median, µs | 1 | 4 | 16 | 64 |
//! |---|--:|--:|--:|--:|
//! | ours, visited | 0.06 | 0.06 | 0.06 | 0.06 |
//! | ours, `fmt` json without spans | 1.46 | 1.46 | 1.46 | 1.46 |
//! | ours, `fmt` json with its list of spans | 2.02 | 3.10 | 7.15 | 21.6 |
//! | on the outermost span, `fmt` json | 3.31 | 3.41 | 7.33 | 21.7 |
//! | on the outermost span, json-subscriber | 0.92 | 1.10 | 2.07 | 5.47 |
//! | on the outermost span, json-subscriber flat | 1.94 | 2.32 | 3.21 | 6.46 |
//! | on the outermost span, bunyan | 0.90 | 0.91 | 0.91 | 0.91 |

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
    // Divan would derive the sample size from the first call, which is slow: it registers the call site.
    divan::Divan::default().sample_count(200).sample_size(200).config_with_args().main();
}

const DEPTHS: [usize; 4] = [1, 4, 16, 64];

/// Opens nested spans, and leaves them in reverse order.
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

/// `fmt` prints every enclosing span here, which is the part that grows.
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
