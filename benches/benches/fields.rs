//! One event with 1 to 32 strings: cost is linear in their number.
//!
//! Repeat with `cargo bench -p ctx-benches --bench fields`.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running.
//!
//! | median | 1 | 2 | 4 | 8 | 16 | 32 |
//! |---|--:|--:|--:|--:|--:|--:|
//! | visited, by hand, ns | 13 | 16 | 22 | 32 | 53 | 94 |
//! | visited, ours, ns | 36 | 40 | 50 | 61 | 101 | 166 |
//! | `fmt` json, by hand, µs | 0.81 | 0.90 | 1.09 | 1.44 | 2.18 | 3.66 |
//! | `fmt` json, ours, µs | 0.84 | 0.97 | 1.17 | 1.50 | 2.28 | 3.77 |

use std::hint::black_box;

use ctx_benches::{
    measure::Place,
    request::{REQUEST, many},
    stack,
};
use divan::Bencher;
use tracing::info;
use tracing_core::Dispatch;

fn main() {
    // Divan would derive the sample size from the first call, which is slow: it registers the call site.
    divan::Divan::default().sample_count(200).sample_size(200).config_with_args().main();
}

const COUNTS: [usize; 6] = [1, 2, 4, 8, 16, 32];

fn by_hand(bencher: Bencher<'_, '_>, dispatch: Dispatch, count: usize) {
    macro_rules! bench {
        ($($name:ident)*) => {
            bencher.bench_local(|| {
                let text = black_box(&*REQUEST).user.as_str();
                info!($($name = text,)* "placed");
            })
        };
    }
    Place::new(dispatch).within(|| match count {
        1 => bench!(f00),
        2 => bench!(f00 f01),
        4 => bench!(f00 f01 f02 f03),
        8 => bench!(f00 f01 f02 f03 f04 f05 f06 f07),
        16 => bench!(f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15),
        _ => bench!(
            f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15
            f16 f17 f18 f19 f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31
        ),
    });
}

fn ours(bencher: Bencher<'_, '_>, dispatch: impl Fn(ctx_layer::Schema) -> Dispatch, count: usize) {
    let (fields, schema) = many(count);
    Place::new(dispatch(schema)).with(fields).within(|| bencher.bench_local(|| info!("placed")));
}

#[divan::bench(args = COUNTS)]
fn a_visited_by_hand(bencher: Bencher<'_, '_>, count: usize) {
    by_hand(bencher, stack::visiting(), count);
}

#[divan::bench(args = COUNTS)]
fn b_visited_ours(bencher: Bencher<'_, '_>, count: usize) {
    ours(bencher, stack::visiting_with, count);
}

#[divan::bench(args = COUNTS)]
fn c_fmt_json_by_hand(bencher: Bencher<'_, '_>, count: usize) {
    by_hand(bencher, stack::json(), count);
}

#[divan::bench(args = COUNTS)]
fn d_fmt_json_ours(bencher: Bencher<'_, '_>, count: usize) {
    ours(bencher, stack::json_with, count);
}
