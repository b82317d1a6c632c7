//! One span: made and closed, entered and left, polled on another thread. Memory is in `open_spans.rs`.
//!
//! Repeat with `cargo bench -p ctx-benches --bench spans`. Arms are in alphabetical order, the hand-written one first.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running.
//!
//! | median | by hand | ours |
//! |---|--:|--:|
//! | made and closed, no current field | 94 ns | 102 ns |
//! | made and closed, 5 strings, visited | 104 ns | 143 ns |
//! | made and closed, 5 strings, json | 0.97 µs | 1.02 µs; hidden on spans 0.26 µs |
//! | entered and left, no current field | 9 ns | 18 ns |
//! | entered and left, fields current already | 9 ns | 20 ns |
//! | entered and left, fields not current | 151 ns | 194 ns |

use std::hint::black_box;

use ctx_benches::{
    measure::Place,
    request::{REQUEST, fields, schema},
    span_by_hand, stack,
};
use divan::Bencher;
use tracing::info_span;
use tracing_core::Dispatch;

fn main() {
    // Divan would derive the sample size from the first call, which is slow: it registers the call site.
    divan::Divan::default().sample_count(200).sample_size(500).config_with_args().main();
}

/// No field is set: the cost of the layer alone.
mod made_and_closed_no_current_field {
    use super::*;

    #[divan::bench]
    fn a_without_us(bencher: Bencher<'_, '_>) {
        Place::new(stack::visiting()).within(|| bencher.bench_local(|| drop(info_span!("charge", order = 1042))));
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        let place = Place::new(stack::visiting_with(schema()));
        place.within(|| bencher.bench_local(|| drop(info_span!("charge", order = 1042))));
    }
}

/// Five strings to a layer that looks at every value and formats none.
mod made_and_closed_five_strings_visited {
    use super::*;

    #[divan::bench]
    fn a_by_hand(bencher: Bencher<'_, '_>) {
        Place::new(stack::visiting()).within(|| {
            bencher.bench_local(|| drop(span_by_hand!(black_box(&*REQUEST), "charge")));
        });
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        let place = Place::new(stack::visiting_with(schema())).with(fields());
        place.within(|| bencher.bench_local(|| drop(info_span!("charge"))));
    }
}

/// Through `fmt().json()`, which formats a span's fields when it is created.
mod made_and_closed_five_strings_json {
    use super::*;

    fn by_hand(bencher: Bencher<'_, '_>, dispatch: Dispatch) {
        Place::new(dispatch).within(|| {
            bencher.bench_local(|| drop(span_by_hand!(black_box(&*REQUEST), "charge")));
        });
    }

    fn ours(bencher: Bencher<'_, '_>, dispatch: Dispatch) {
        let place = Place::new(dispatch).with(fields());
        place.within(|| bencher.bench_local(|| drop(info_span!("charge"))));
    }

    #[divan::bench]
    fn a_by_hand(bencher: Bencher<'_, '_>) {
        by_hand(bencher, stack::json());
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        ours(bencher, stack::json_with(schema()));
    }

    #[divan::bench]
    fn c_ours_once_per_line(bencher: Bencher<'_, '_>) {
        ours(bencher, stack::json_once_per_line_with(schema()));
    }

    #[divan::bench]
    fn d_by_hand_json_subscriber(bencher: Bencher<'_, '_>) {
        by_hand(bencher, stack::json_subscriber());
    }

    #[divan::bench]
    fn e_by_hand_bunyan(bencher: Bencher<'_, '_>) {
        by_hand(bencher, stack::bunyan());
    }
}

/// Entered and left where nothing has to change.
mod entered_and_left {
    use super::*;

    #[divan::bench]
    fn a_bare_registry(bencher: Bencher<'_, '_>) {
        Place::new(stack::bare()).within(|| {
            let span = info_span!("charge");
            bencher.bench_local(|| drop(span.enter()));
        });
    }

    #[divan::bench]
    fn b_ours_no_field(bencher: Bencher<'_, '_>) {
        Place::new(stack::bare_with(schema())).within(|| {
            let span = info_span!("charge");
            bencher.bench_local(|| drop(span.enter()));
        });
    }

    #[divan::bench]
    fn c_ours_current_already(bencher: Bencher<'_, '_>) {
        Place::new(stack::bare_with(schema())).with(fields()).within(|| {
            let span = info_span!("charge");
            bencher.bench_local(|| drop(span.enter()));
        });
    }
}

/// Entered where other fields are current, as a worker thread does that polls an instrumented future.
mod entered_and_left_elsewhere {
    use super::*;

    #[divan::bench]
    fn a_bare_registry_attached_by_hand(bencher: Bencher<'_, '_>) {
        Place::new(stack::bare()).within(|| {
            let (span, fields) = (info_span!("charge"), fields());
            bencher.bench_local(|| {
                let _guard = fields.clone().attach();
                drop(span.enter());
            });
        });
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        Place::new(stack::bare_with(schema())).within(|| {
            let span = fields().in_scope(|| info_span!("charge"));
            bencher.bench_local(|| drop(span.enter()));
        });
    }
}
