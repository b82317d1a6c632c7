//! A thousand events, and a thousand spans entered and left, on one thread and on each of two at the same time: where
//! nothing is shared that is written to, two threads take as long as one.
//!
//! The registry itself does not scale for every pair of threads: it keeps the threads' stacks in arrays, and those of
//! the second and the third thread share a cache line. Nor does making and closing spans. Compare with the line without
//! us.
//!
//! Repeat with `cargo bench -p ctx-benches --bench threads`.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running.
//!
//! | median, ns for one | 1 thread | each of 2 |
//! |---|--:|--:|
//! | event, by hand | 26 | 28 |
//! | event, ours, a request per thread | 58 | 59 |
//! | event, ours, both threads for one request | 55 | 58 |
//! | span entered and left, bare registry | 9 | 10 |
//! | span entered and left, ours, fields current | 22 | 23 |
//! | span entered and left, ours, fields not current | 196 | 199 |
//! | span made and closed, bare registry | 126 | 341 |
//! | span made and closed, ours | 174 | 302 |

use std::hint::black_box;

use ctx_benches::{
    by_hand,
    measure::Place,
    request::{REQUEST, fields, schema},
    stack,
};
use divan::{Bencher, counter::ItemsCount};
use tracing::{info, info_span};

fn main() {
    divan::Divan::default().sample_count(400).sample_size(1).config_with_args().main();
}

const TIMES: usize = 1000;

/// Each call makes the dispatcher its thread's default and, if there are fields, attaches them: once in a thousand
/// iterations.
fn repeated<T>(bencher: Bencher<'_, '_>, place: &Place, prepare: impl Fn() -> T + Sync, once: impl Fn(&T) + Sync) {
    bencher.counter(ItemsCount::new(TIMES)).bench(|| {
        place.within(|| {
            let prepared = prepare();
            for _ in 0..TIMES {
                once(black_box(&prepared));
            }
        });
    });
}

mod events {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn a_by_hand(bencher: Bencher<'_, '_>) {
        repeated(
            bencher,
            &Place::new(stack::visiting()),
            || (),
            |()| by_hand!(info, black_box(&*REQUEST), order = 1042, "placed"),
        );
    }

    #[divan::bench(threads = [1, 2])]
    fn b_ours_a_request_per_thread(bencher: Bencher<'_, '_>) {
        let place = Place::new(stack::visiting_with(schema()));
        repeated(bencher, &place, || fields().attach(), |_| info!(order = 1042, "placed"));
    }

    #[divan::bench(threads = [1, 2])]
    fn c_ours_one_request(bencher: Bencher<'_, '_>) {
        let place = Place::new(stack::visiting_with(schema())).with(fields());
        repeated(bencher, &place, || (), |()| info!(order = 1042, "placed"));
    }
}

mod spans_entered_and_left {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn a_bare_registry(bencher: Bencher<'_, '_>) {
        repeated(bencher, &Place::new(stack::bare()), || info_span!("charge"), |span| drop(span.enter()));
    }

    #[divan::bench(threads = [1, 2])]
    fn b_ours_current_already(bencher: Bencher<'_, '_>) {
        let place = Place::new(stack::bare_with(schema())).with(fields());
        repeated(bencher, &place, || info_span!("charge"), |span| drop(span.enter()));
    }

    #[divan::bench(threads = [1, 2])]
    fn c_ours_not_current(bencher: Bencher<'_, '_>) {
        let place = Place::new(stack::bare_with(schema()));
        let prepare = || fields().in_scope(|| info_span!("charge"));
        repeated(bencher, &place, prepare, |span| drop(span.enter()));
    }
}

mod spans_made_and_closed {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn a_bare_registry(bencher: Bencher<'_, '_>) {
        repeated(bencher, &Place::new(stack::bare()), || (), |()| drop(info_span!("charge")));
    }

    #[divan::bench(threads = [1, 2])]
    fn b_ours(bencher: Bencher<'_, '_>) {
        let place = Place::new(stack::bare_with(schema())).with(fields());
        repeated(bencher, &place, || (), |()| drop(info_span!("charge")));
    }
}
