//! One event: without current fields, with five of them, disabled.
//!
//! Repeat with `cargo bench -p ctx-benches --bench events`. Arms are in alphabetical order, the hand-written one first.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running.
//!
//! | median | by hand | ours | fields on the enclosing span |
//! |---|--:|--:|---|
//! | no current field | 14 ns | 17 ns | |
//! | 5 strings, visited | 29 ns | 61 ns | |
//! | 5 strings beside own fields, visited | 37 ns | 105 ns | |
//! | 5 strings, json | 1.36 µs | 1.42 µs | `fmt` json 3.21, json-subscriber 0.92, the same flat 2.09, bunyan 0.85 µs |
//! | 5 strings, full | 0.59 µs | 0.65 µs | |
//! | disabled by level | 0.34 ns | 0.34 ns | |
//! | disabled by a filter that is asked each time | 5.2 ns | 5.7 ns | |

use std::hint::black_box;

use ctx_benches::{
    by_hand,
    measure::Place,
    request::{REQUEST, fields, schema},
    span_by_hand, stack,
};
use ctx_layer::Schema;
use divan::Bencher;
use tracing::{debug, info};
use tracing_core::Dispatch;

fn main() {
    // Divan would derive the sample size from the first call, which is slow: it registers the call site.
    divan::Divan::default().sample_count(200).sample_size(500).config_with_args().main();
}

/// No field is set: the cost of the layer alone.
mod no_current_field {
    use super::*;

    #[divan::bench]
    fn a_without_us(bencher: Bencher<'_, '_>) {
        Place::new(stack::visiting()).within(|| bencher.bench_local(|| info!(order = 1042, "placed")));
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        Place::new(stack::visiting_with(schema())).within(|| bencher.bench_local(|| info!(order = 1042, "placed")));
    }
}

/// Five strings to a layer that looks at every value and formats none.
mod five_strings_visited {
    use super::*;

    #[divan::bench]
    fn a_by_hand(bencher: Bencher<'_, '_>) {
        Place::new(stack::visiting()).within(|| {
            bencher.bench_local(|| by_hand!(info, black_box(&*REQUEST), order = 1042, "placed"));
        });
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        ours(stack::visiting_with(schema())).within(|| bencher.bench_local(|| info!(order = 1042, "placed")));
    }

    #[divan::bench]
    fn c_ours_well_known_schema(bencher: Bencher<'_, '_>) {
        let place = ours(stack::visiting_with(Schema::well_known()));
        place.within(|| bencher.bench_local(|| info!(order = 1042, "placed")));
    }
}

/// Five strings beside a number, a flag, a string and a `Display` value of the event's own.
mod five_strings_beside_own_fields_visited {
    use super::*;

    #[divan::bench]
    fn a_by_hand(bencher: Bencher<'_, '_>) {
        Place::new(stack::visiting()).within(|| {
            bencher.bench_local(|| {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, net = 12.5, paid = true, to = %request.role, how = "card", "placed");
            });
        });
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        ours(stack::visiting_with(schema())).within(|| {
            bencher.bench_local(|| {
                let request = black_box(&*REQUEST);
                info!(net = 12.5, paid = true, to = %request.role, how = "card", "placed");
            });
        });
    }
}

/// Through `fmt().json()`, and the cost of other ways to the same line.
mod five_strings_json {
    use super::*;

    #[divan::bench]
    fn a_by_hand(bencher: Bencher<'_, '_>) {
        Place::new(stack::json()).within(|| {
            bencher.bench_local(|| by_hand!(info, black_box(&*REQUEST), order = 1042, "placed"));
        });
    }

    #[divan::bench]
    fn b_ours(bencher: Bencher<'_, '_>) {
        ours(stack::json_with(schema())).within(|| bencher.bench_local(|| info!(order = 1042, "placed")));
    }

    fn on_the_enclosing_span(bencher: Bencher<'_, '_>, dispatch: Dispatch) {
        Place::new(dispatch).within(|| {
            let _request = span_by_hand!(black_box(&*REQUEST), "request").entered();
            bencher.bench_local(|| info!(order = 1042, "placed"));
        });
    }

    #[divan::bench]
    fn c_on_span_fmt_json(bencher: Bencher<'_, '_>) {
        on_the_enclosing_span(bencher, stack::json());
    }

    #[divan::bench]
    fn d_on_span_json_subscriber(bencher: Bencher<'_, '_>) {
        on_the_enclosing_span(bencher, stack::json_subscriber());
    }

    #[divan::bench]
    fn e_on_span_json_subscriber_flat(bencher: Bencher<'_, '_>) {
        on_the_enclosing_span(bencher, stack::json_subscriber_flat());
    }

    #[divan::bench]
    fn f_on_span_bunyan(bencher: Bencher<'_, '_>) {
        on_the_enclosing_span(bencher, stack::bunyan());
    }
}

/// Through the text format, each field once per line.
mod five_strings_full {
    use super::*;

    #[divan::bench]
    fn a_by_hand(bencher: Bencher<'_, '_>) {
        Place::new(stack::text()).within(|| {
            bencher.bench_local(|| by_hand!(info, black_box(&*REQUEST), order = 1042, "placed"));
        });
    }

    #[divan::bench]
    fn b_ours_once_per_line(bencher: Bencher<'_, '_>) {
        ours(stack::text_once_per_line_with(schema())).within(|| bencher.bench_local(|| info!(order = 1042, "placed")));
    }
}

/// The event is disabled: once by its level, or by a filter that is asked each time.
mod disabled {
    use super::*;

    #[divan::bench]
    fn a_by_level_without_us(bencher: Bencher<'_, '_>) {
        Place::new(stack::levelled(None)).within(|| bencher.bench_local(|| debug!(order = 1042, "placed")));
    }

    #[divan::bench]
    fn b_by_level_ours(bencher: Bencher<'_, '_>) {
        ours(stack::levelled(Some(schema()))).within(|| bencher.bench_local(|| debug!(order = 1042, "placed")));
    }

    #[divan::bench]
    fn c_by_filter_without_us(bencher: Bencher<'_, '_>) {
        Place::new(stack::asking(None)).within(|| {
            bencher.bench_local(|| info!(target: "unwanted", order = 1042, "placed"));
        });
    }

    #[divan::bench]
    fn d_by_filter_ours(bencher: Bencher<'_, '_>) {
        ours(stack::asking(Some(schema()))).within(|| {
            bencher.bench_local(|| info!(target: "unwanted", order = 1042, "placed"));
        });
    }
}

fn ours(dispatch: Dispatch) -> Place {
    Place::new(dispatch).with(fields())
}
