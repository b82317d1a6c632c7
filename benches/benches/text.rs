//! One line for people: ours and `fmt`'s, with the output discarded, in one run.
//!
//! Repeat with `cargo bench -p ctx-benches --bench text`; with `-- --quick` for a quick look. The arms of a group take turns in
//! batches of 60 µs; the lower quartile of an arm's batches counts. `fmt` has the five fields by hand: on the event, or on the span of
//! the request, as programs without this crate have them.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, without LTO, on a machine that was busy with builds: compare them with each
//! other only. The first span takes most of what a span takes here: it is looked up, and then the spans around it.
//!
//! | ns | ours | ours, in colours | ours, beside a layer that looks at fields | `fmt` full | `fmt` compact |
//! |---|--:|--:|--:|--:|--:|
//! | five fields, three own | 203 | 213 | 411 | 923 | 926 |
//! | no field, three own | 192 | | | 576 | 588 |
//! | five fields, three own, inside 1 / 4 / 16 spans | 395 / 618 / 1373 | | | 812 / 1078 / 2241 | 960 / 1351 / 3079 |
//! | five fields, an error with a cause | 363 | | | 620 | 638 |

use std::{env, hint::black_box, io};

use ctx_benches::{
    by_hand,
    measure::{Arm, Effort, Place, interleaved},
    request::{REQUEST, fields, schema},
    span_by_hand, stack,
};
use ctx_layer::{
    SubscriberFieldsExt,
    output::text::{TextLayer, layer},
};
use tracing::{info, info_span};
use tracing_core::Dispatch;
use tracing_subscriber::{Registry, fmt, prelude::*};

fn main() {
    let effort = if env::args().any(|argument| argument == "--quick") { Effort::QUICK } else { Effort::FULL };
    for (title, arms) in [
        ("five fields, three own", five_fields()),
        ("no field, three own", no_field()),
        ("five fields, three own, inside spans", inside_spans()),
        ("five fields, an error with a cause", errors()),
    ] {
        println!("{title}");
        for (arm, nanos) in arms.iter().zip(interleaved(&arms, effort)) {
            println!("  {nanos:7.0} ns  {}", arm.name());
        }
    }
}

fn ours() -> TextLayer<fn() -> io::Sink> {
    layer().with_writer(io::sink as fn() -> io::Sink).with_ansi(false)
}

fn under() -> Dispatch {
    Dispatch::new(Registry::default().with(ours()).with_context_fields(schema()))
}

fn beside_another() -> Dispatch {
    Dispatch::new(Registry::default().with(ours()).with(stack::Visiting).with_context_fields(schema()))
}

fn coloured() -> Dispatch {
    Dispatch::new(Registry::default().with(ours().with_ansi(true)).with_context_fields(schema()))
}

fn full() -> Dispatch {
    Dispatch::new(Registry::default().with(fmt::layer().with_ansi(false).with_writer(io::sink)))
}

fn compact() -> Dispatch {
    Dispatch::new(Registry::default().with(fmt::layer().compact().with_ansi(false).with_writer(io::sink)))
}

fn own_fields() {
    info!(order = 1042, rows = black_box(3_u64), how = "card", "placed");
}

fn all_by_hand() {
    by_hand!(info, black_box(&*REQUEST), order = 1042, rows = black_box(3_u64), how = "card", "placed");
}

fn five_fields() -> Vec<Arm> {
    vec![
        Arm::new("ours", Place::new(under()).with(fields()), own_fields),
        Arm::new("ours, in colours", Place::new(coloured()).with(fields()), own_fields),
        Arm::new("ours, beside a layer that looks at fields", Place::new(beside_another()).with(fields()), own_fields),
        Arm::new("fmt full, the five by hand", Place::new(full()), all_by_hand),
        Arm::new("fmt compact, the five by hand", Place::new(compact()), all_by_hand),
    ]
}

fn no_field() -> Vec<Arm> {
    vec![
        Arm::new("ours", Place::new(under()), own_fields),
        Arm::new("fmt full", Place::new(full()), own_fields),
        Arm::new("fmt compact", Place::new(compact()), own_fields),
    ]
}

fn inside_spans() -> Vec<Arm> {
    let nested = |depth: usize| move || (0..depth).map(|_| info_span!("inner").entered()).collect::<Vec<_>>();
    let by_hand_nested = |depth: usize| {
        move || {
            let outer = span_by_hand!(black_box(&*REQUEST), "request").entered();
            let inner: Vec<_> = (1..depth).map(|_| info_span!("inner").entered()).collect();
            (inner, outer)
        }
    };
    let mut arms = Vec::new();
    for depth in [1, 4, 16] {
        let name = |of: &str| format!("{of}, {depth} spans");
        arms.extend([
            Arm::prepared(name("ours"), Place::new(under()).with(fields()), nested(depth), |_| own_fields()),
            Arm::prepared(name("fmt full"), Place::new(full()), by_hand_nested(depth), |_| own_fields()),
            Arm::prepared(name("fmt compact"), Place::new(compact()), by_hand_nested(depth), |_| own_fields()),
        ]);
    }
    arms
}

fn errors() -> Vec<Arm> {
    let fails = || {
        let cause = io::Error::from(io::ErrorKind::StorageFull);
        let error = io::Error::other(cause);
        info!(error = &error as &dyn std::error::Error, "not placed");
    };
    vec![
        Arm::new("ours", Place::new(under()).with(fields()), fails),
        Arm::new("fmt full", Place::new(full()), fails),
        Arm::new("fmt compact", Place::new(compact()), fails),
    ]
}
