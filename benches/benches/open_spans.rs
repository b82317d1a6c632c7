//! Memory per open span, by a counting allocator: a table for 1000, 10 000 and 100 000 open spans.
//!
//! Spans are opened one after another, and what is allocated then is compared to the same number of spans without us.
//! Tables grow by doubling, so the worst number of spans between 1000 and 100 000 is shown too.
//!
//! Repeat with `cargo bench -p ctx-benches --bench open_spans`; the figures are the same every time.
//!
//! Figures: 2-core VM (AMD EPYC, one thread per core), Linux, rustc 1.95.0, at commit 4710f58.
//!
//! | bytes more per open span | 1000 | 10 000 | 100 000 | worst |
//! |---|--:|--:|--:|--:|
//! | no current field | 0 | 0 | 0 | 0 |
//! | all in one request of 5 fields | 0 | 41 | 33 | 56 |

use ctx_benches::{
    measure::Place,
    request::{REQUEST, fields, schema},
    span_by_hand, stack,
};
use ctx_counting_allocator::{Weighing, live_bytes};
use tracing::{Span, info_span};

#[global_allocator]
static ALLOCATOR: Weighing = Weighing;

const MOST: usize = 100_000;
const SHOWN: [usize; 3] = [1000, 10_000, MOST];

/// Returns what is allocated while 1, 2, ... `MOST` spans are open.
fn allocated(place: Place, mut open: impl FnMut() -> Span) -> Vec<isize> {
    // Before counting: neither may grow during it.
    let mut allocated = Vec::with_capacity(MOST);
    let mut spans = Vec::with_capacity(MOST);
    place.within(|| {
        // Allocations once per thread, subscriber and call site do not count.
        drop(open());
        let before = live_bytes();
        for _ in 0..MOST {
            spans.push(open());
            allocated.push(live_bytes() - before);
        }
        drop(spans);
    });
    allocated
}

fn rows(what: &str, without: &[isize], ours: &[isize]) {
    let per_span = |allocated: &[isize], open: usize| allocated[open - 1] as f64 / open as f64;
    let more = |open: usize| per_span(ours, open) - per_span(without, open);
    let worst = (SHOWN[0]..=MOST).max_by(|a, b| more(*a).total_cmp(&more(*b))).unwrap_or(MOST);
    for open in SHOWN.into_iter().chain((!SHOWN.contains(&worst)).then_some(worst)) {
        let verdict = if more(open) <= 64.0 { "ok" } else { "**OVER**" };
        let note = if open == worst { " (worst)" } else { "" };
        let (without, ours) = (per_span(without, open), per_span(ours, open));
        println!("| {what} | {open}{note} | {without:.1} | {ours:.1} | {:+.1} | +64 | {verdict} |", ours - without);
    }
}

fn main() {
    let bare = allocated(Place::new(stack::bare()), || info_span!("charge"));
    println!("| bytes per open span | open | without us | ours | difference | limit | |");
    println!("|---|--:|--:|--:|--:|---|---|");
    let ours = allocated(Place::new(stack::bare_with(schema())), || info_span!("charge"));
    rows("registry, no current field", &bare, &ours);
    let ours = allocated(Place::new(stack::bare_with(schema())).with(fields()), || info_span!("charge"));
    rows("registry, all in one request of 5 fields", &bare, &ours);

    let request = &*REQUEST;
    let by_hand = allocated(Place::new(stack::json()), || span_by_hand!(request, "charge"));
    let ours = allocated(Place::new(stack::json_with(schema())).with(fields()), || info_span!("charge"));
    rows("fmt json, all in one request of 5 fields, which are on each span", &by_hand, &ours);
}
