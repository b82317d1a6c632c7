//! All numeric goals in one table. Memory is in `open_spans.rs`.
//!
//! Repeat with `cargo bench -p ctx-benches --bench report` (under a minute). After `--`:
//!
//! | argument | effect |
//! |---|---|
//! | some words | only the groups whose titles contain one of them |
//! | `--quick` | an eighth of the time, and of the certainty |
//! | `--list` | the groups and their arms |
//! | `--run <group> <arm> <count>` | one arm alone, by its number, for `perf` and `valgrind` |
//! | `--instructions` | counts instructions per iteration under `valgrind` in place of time: slow, and the same every time |
//!
//! The arms of a group take turns in batches of 60 µs; the lower quartile of an arm's batches counts. Two arms with the
//! same code differ by up to 1 ns, through JSON by up to 1 %; between two *builds* by far more, so compare within one run.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running.
//!
//! | ns | without us, or by hand | ours | difference | ratio | to reach |
//! |---|--:|--:|--:|--:|---|
//! | event, no current field | 13 | 17 | +4 | | +8 |
//! | event, 5 strings, visited | 29 | 58 | +29 | | +60 |
//! | event, 5 strings beside own fields of many kinds, visited | 38 | 99 | +61 | | +60: just missed |
//! | event, 5 strings, `fmt` json | 1348 | 1418 | | 1.05 | 1.03: missed |
//! | event, 5 strings, `fmt` text | 601 | 652 | | 1.09 | |
//! | span made and closed, 5 strings, visited | 105 | 145 | +40 | | +60 |
//! | span made and closed, 5 strings, `fmt` json | 952 | 997 | | 1.05 | 1.03: missed |
//! | event, inside 1 / 64 spans | | 58 / 58 | | | independent |
//! | event, 1 / 32 fields | | 42 / 163 | | | linear |
//!
//! Entering and leaving a span has become slower since, by checks that the rules of `docs/semantics.md` need. In instructions, which
//! do not depend on what else the machine does (`--run`, under `valgrind`, two runs of different counts):
//!
//! | instructions | without us, or by hand | ours | spent on |
//! |---|--:|--:|---|
//! | span entered and left, no current field | 193 | 557 | as below, without the look at the fields |
//! | span entered and left, fields current | 193 | 672 | one look at the context 180, pushing the frame 92, popping it 73, finding what the span remembers 110 |
//! | span entered and left, fields not current | 2504 | 3220 | in addition: a new context, attached and detached, and a look before, after and once it is attached |

use std::{env, hint::black_box, process::Command};

use ctx_benches::{
    by_hand,
    measure::{Arm, Effort, Place, at_once, interleaved},
    request::{REQUEST, fields, many, schema},
    span_by_hand, stack,
};
use ctx_layer::{Schema, field::well_known::TENANT_ID};
use tracing::{Span, info, info_span, span::EnteredSpan};

/// The cost that an arm may have, compared with its group's first.
#[derive(Clone, Copy)]
enum Limit {
    /// No limit: for comparison only.
    None,
    /// At most this many nanoseconds more.
    More(f64),
    /// At most this many times as much.
    Times(f64),
    /// The number of fields. Shown is the cost of each field after the first: equal costs are linear.
    Fields(usize),
}

use Limit::{More, Times};

/// Arms that are measured in turns. The others are compared with the first.
struct Group {
    title: &'static str,
    make: fn() -> Vec<(Limit, Arm)>,
}

const GROUPS: &[Group] = &[
    Group { title: "event: no current field, to a layer that visits", make: event_without_fields },
    Group { title: "event: 5 strings, to a layer that visits", make: event_visited },
    Group { title: "event: 5 strings and the message alone, to a layer that visits", make: event_nothing_else },
    Group { title: "event: 5 strings beside own fields of many kinds, to a layer that visits", make: event_mixed },
    Group { title: "event: 5 strings, through fmt json", make: event_json },
    Group { title: "event: 5 strings, inside a span, through fmt json", make: event_json_in_span },
    Group { title: "event: 5 strings, through fmt text", make: event_text },
    Group { title: "event: disabled by its level", make: event_off },
    Group { title: "event: disabled by a filter that is asked each time", make: event_refused },
    Group { title: "span: made and closed, no current field, to a layer that visits", make: span_without_fields },
    Group { title: "span: made and closed, 5 strings, to a layer that visits", make: span_visited },
    Group { title: "span: made and closed, 5 strings, through fmt json", make: span_json },
    Group { title: "span: entered and left, no current field", make: enter_without_fields },
    Group { title: "span: entered and left, its fields current already", make: enter_same_fields },
    Group { title: "span: entered and left, its fields not current", make: enter_elsewhere },
    Group { title: "recorded: span entered and left, 1, 10, 1000 values recorded on it", make: enter_recorded },
    Group { title: "recorded: another value recorded, after 1, 10, 1000", make: record_again },
    Group {
        title: "depth: event with 5 strings inside 1, 4, 16, 64 spans, to a layer that visits",
        make: depth_visited,
    },
    Group { title: "depth: event with 5 strings inside 1, 4, 16, 64 spans, fmt json without spans", make: depth_json },
    Group { title: "fields: event with 1, 2, 4, 8, 16, 32 strings, to a layer that visits", make: number_of_fields },
];

fn event_without_fields() -> Vec<(Limit, Arm)> {
    vec![
        (Limit::None, Arm::new("no layer of ours", Place::new(stack::visiting()), || info!(order = 1042, "placed"))),
        (More(8.0), Arm::new("ours", Place::new(stack::visiting_with(schema())), || info!(order = 1042, "placed"))),
    ]
}

fn event_visited() -> Vec<(Limit, Arm)> {
    let well_known = Place::new(stack::visiting_with(Schema::well_known())).with(fields());
    vec![
        (
            Limit::None,
            Arm::new("by hand", Place::new(stack::visiting()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, order = 1042, "placed");
            }),
        ),
        // Shows the effect of the place in memory: a smaller difference than this one's means nothing.
        (
            Limit::None,
            Arm::new("by hand, the same again", Place::new(stack::visiting()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, order = 1042, "placed");
            }),
        ),
        (
            More(60.0),
            Arm::new("ours", Place::new(stack::visiting_with(schema())).with(fields()), || {
                info!(order = 1042, "placed");
            }),
        ),
        (More(60.0), Arm::new("ours, well-known schema", well_known, || info!(order = 1042, "placed"))),
    ]
}

fn event_nothing_else() -> Vec<(Limit, Arm)> {
    vec![
        (
            Limit::None,
            Arm::new("by hand", Place::new(stack::visiting()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, "placed");
            }),
        ),
        (More(60.0), Arm::new("ours", ours_visiting(), || info!("placed"))),
    ]
}

fn event_mixed() -> Vec<(Limit, Arm)> {
    vec![
        (
            Limit::None,
            Arm::new("by hand", Place::new(stack::visiting()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, order = 1042, net = 12.5, paid = true, to = %request.role, how = "card", "placed");
            }),
        ),
        (
            More(60.0),
            Arm::new("ours", ours_visiting(), || {
                let request = black_box(&*REQUEST);
                info!(order = 1042, net = 12.5, paid = true, to = %request.role, how = "card", "placed");
            }),
        ),
    ]
}

fn event_json() -> Vec<(Limit, Arm)> {
    let on_span = |name, dispatch| {
        let prepare = || span_by_hand!(black_box(&*REQUEST), "request").entered();
        Arm::prepared(name, Place::new(dispatch), prepare, |_: &EnteredSpan| info!(order = 1042, "placed"))
    };
    vec![
        (
            Limit::None,
            Arm::new("by hand", Place::new(stack::json()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, order = 1042, "placed");
            }),
        ),
        (
            Limit::None,
            Arm::new("by hand, the same again", Place::new(stack::json()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, order = 1042, "placed");
            }),
        ),
        (
            Times(1.03),
            Arm::new("ours", Place::new(stack::json_with(schema())).with(fields()), || {
                info!(order = 1042, "placed");
            }),
        ),
        (Limit::None, on_span("on the enclosing span, fmt json", stack::json())),
        (Limit::None, on_span("on the enclosing span, json-subscriber", stack::json_subscriber())),
        (Limit::None, on_span("on the enclosing span, json-subscriber flat", stack::json_subscriber_flat())),
        (Limit::None, on_span("on the enclosing span, bunyan", stack::bunyan())),
    ]
}

fn event_json_in_span() -> Vec<(Limit, Arm)> {
    let inside = |name, dispatch| {
        let place = Place::new(dispatch).with(fields());
        Arm::prepared(name, place, || info_span!("request").entered(), |_| info!(order = 1042, "placed"))
    };
    vec![
        (
            Limit::None,
            Arm::prepared(
                "by hand",
                Place::new(stack::json()),
                || info_span!("request").entered(),
                |_| {
                    let request = black_box(&*REQUEST);
                    by_hand!(info, request, order = 1042, "placed");
                },
            ),
        ),
        (Times(1.03), inside("ours, hidden on spans", stack::json_once_per_line_with(schema()))),
        (Limit::None, inside("ours, without span list", stack::json_without_spans_with(schema()))),
        (Limit::None, inside("ours, on the spans too", stack::json_with(schema()))),
    ]
}

fn event_text() -> Vec<(Limit, Arm)> {
    vec![
        (
            Limit::None,
            Arm::new("by hand", Place::new(stack::text()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, order = 1042, "placed");
            }),
        ),
        (
            Times(1.03),
            Arm::new("ours", Place::new(stack::text_once_per_line_with(schema())).with(fields()), || {
                info!(order = 1042, "placed");
            }),
        ),
    ]
}

fn event_off() -> Vec<(Limit, Arm)> {
    let ours = Place::new(stack::levelled(Some(schema()))).with(fields());
    vec![
        (
            Limit::None,
            Arm::new("no layer of ours", Place::new(stack::levelled(None)), || {
                tracing::debug!(order = 1042, "placed");
            }),
        ),
        (More(1.0), Arm::new("ours", ours, || tracing::debug!(order = 1042, "placed"))),
    ]
}

fn event_refused() -> Vec<(Limit, Arm)> {
    let ours = Place::new(stack::asking(Some(schema()))).with(fields());
    vec![
        (
            Limit::None,
            Arm::new("no layer of ours", Place::new(stack::asking(None)), || {
                info!(target: "unwanted", order = 1042, "placed");
            }),
        ),
        (More(8.0), Arm::new("ours", ours, || info!(target: "unwanted", order = 1042, "placed"))),
    ]
}

fn span_without_fields() -> Vec<(Limit, Arm)> {
    vec![
        (
            Limit::None,
            Arm::new("no layer of ours", Place::new(stack::visiting()), || {
                drop(info_span!("charge", order = 1042));
            }),
        ),
        (
            Limit::None,
            Arm::new("ours", Place::new(stack::visiting_with(schema())), || {
                drop(info_span!("charge", order = 1042));
            }),
        ),
    ]
}

fn span_visited() -> Vec<(Limit, Arm)> {
    vec![
        (
            Limit::None,
            Arm::new("by hand", Place::new(stack::visiting()), || {
                drop(span_by_hand!(black_box(&*REQUEST), "charge"));
            }),
        ),
        (More(60.0), Arm::new("ours", ours_visiting(), || drop(info_span!("charge")))),
    ]
}

fn span_json() -> Vec<(Limit, Arm)> {
    vec![
        (
            Limit::None,
            Arm::new("by hand", Place::new(stack::json()), || {
                drop(span_by_hand!(black_box(&*REQUEST), "charge"));
            }),
        ),
        (
            Times(1.03),
            Arm::new("ours", Place::new(stack::json_with(schema())).with(fields()), || {
                drop(info_span!("charge"));
            }),
        ),
    ]
}

fn enter_without_fields() -> Vec<(Limit, Arm)> {
    let arm =
        |name, dispatch| Arm::prepared(name, Place::new(dispatch), || info_span!("charge"), |span| drop(span.enter()));
    vec![(Limit::None, arm("bare registry", stack::bare())), (More(20.0), arm("ours", stack::bare_with(schema())))]
}

fn enter_same_fields() -> Vec<(Limit, Arm)> {
    let arm = |name, place| Arm::prepared(name, place, || info_span!("charge"), |span| drop(span.enter()));
    let inside = Arm::prepared(
        "ours, inside a span that set them",
        Place::new(stack::bare_with(schema())),
        || {
            let request = fields().in_scope(|| info_span!("request")).entered();
            (info_span!("charge"), request)
        },
        |(span, _)| drop(span.enter()),
    );
    vec![
        (Limit::None, arm("bare registry", Place::new(stack::bare()))),
        (More(20.0), arm("ours", Place::new(stack::bare_with(schema())).with(fields()))),
        (More(20.0), inside),
    ]
}

fn enter_elsewhere() -> Vec<(Limit, Arm)> {
    let by_hand = Arm::prepared(
        "fields attached by hand",
        Place::new(stack::bare()),
        || (info_span!("charge"), fields()),
        |(span, fields)| {
            let _guard = fields.clone().attach();
            drop(span.enter());
        },
    );
    let ours = Arm::prepared(
        "ours",
        Place::new(stack::bare_with(schema())),
        || fields().in_scope(|| info_span!("charge")),
        |span| drop(span.enter()),
    );
    let bare =
        Arm::prepared("bare registry", Place::new(stack::bare()), || info_span!("charge"), |span| drop(span.enter()));
    vec![(Limit::None, bare), (Limit::None, ours), (Limit::None, by_hand)]
}

const RECORDED: [usize; 3] = [1, 10, 1000];

/// Creates a worker's span with the recorded tenants of a number of jobs.
fn recorded(values: usize) -> Span {
    let span = info_span!("worker");
    span.in_scope(|| {
        for job in 0..values {
            assert!(TENANT_ID.record(format!("tenant-{job}")), "there is a layer");
        }
    });
    span
}

/// Compares spans with different numbers of recorded values: the cost must not grow.
fn enter_recorded() -> Vec<(Limit, Arm)> {
    let arm = |values| {
        let place = Place::new(stack::bare_with(schema()));
        Arm::prepared(format!("ours, {values} values"), place, move || recorded(values), |span| drop(span.enter()))
    };
    RECORDED.map(|values| (Times(1.1), arm(values))).into()
}

fn record_again() -> Vec<(Limit, Arm)> {
    let arm = |values| {
        let place = Place::new(stack::bare_with(schema()));
        Arm::prepared(
            format!("ours, {values} values before"),
            place,
            move || recorded(values).entered(),
            |_: &EnteredSpan| assert!(TENANT_ID.record("acme"), "there is a layer"),
        )
    };
    RECORDED.map(|values| (Times(1.1), arm(values))).into()
}

/// Opens a number of nested spans; they are left in reverse order.
fn nested(depth: usize) -> Nested {
    Nested((0..depth).map(|level| info_span!("level", level).entered()).collect())
}

struct Nested(Vec<EnteredSpan>);

impl Drop for Nested {
    fn drop(&mut self) {
        while let Some(innermost) = self.0.pop() {
            drop(innermost);
        }
    }
}

const DEPTHS: [usize; 4] = [1, 4, 16, 64];

fn depth_visited() -> Vec<(Limit, Arm)> {
    let arm = |depth| {
        let once = |_: &Nested| info!(order = 1042, "placed");
        let limit = if depth == 1 { Limit::None } else { Times(1.1) };
        (limit, Arm::prepared(format!("ours, depth {depth}"), ours_visiting(), move || nested(depth), once))
    };
    DEPTHS.map(arm).into()
}

fn depth_json() -> Vec<(Limit, Arm)> {
    let arm = |depth| {
        let place = Place::new(stack::json_without_spans_with(schema())).with(fields());
        let once = |_: &Nested| info!(order = 1042, "placed");
        let limit = if depth == 1 { Limit::None } else { Times(1.1) };
        (limit, Arm::prepared(format!("ours, depth {depth}"), place, move || nested(depth), once))
    };
    DEPTHS.map(arm).into()
}

fn number_of_fields() -> Vec<(Limit, Arm)> {
    let arm = |count: usize| {
        let (fields, schema) = many(count);
        let place = Place::new(stack::visiting_with(schema)).with(fields);
        let limit = if count == 1 { Limit::None } else { Limit::Fields(count) };
        (limit, Arm::new(format!("ours, {count} fields"), place, || info!(order = 1042, "placed")))
    };
    [1, 2, 4, 8, 16, 32].map(arm).into()
}

fn ours_visiting() -> Place {
    Place::new(stack::visiting_with(schema())).with(fields())
}

fn main() {
    // `cargo bench` passes `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        return list();
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--run") {
        let [group, arm, count] = [1, 2, 3].map(|i| arguments.get(at + i).and_then(|text| text.parse().ok()));
        return run(group, arm, count).unwrap_or_else(|| eprintln!("--run <group> <arm> <count>; see --list"));
    }
    let effort = if has("--quick") { Effort::QUICK } else { Effort::FULL };
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |title: &str| words.is_empty() || words.iter().any(|word| title.contains(word.as_str()));

    let unit = if has("--instructions") { "instructions" } else { "ns" };
    println!("| what | arm | {unit} | difference | ratio | limit | |");
    println!("|---|---|--:|--:|--:|---|---|");
    for (at, group) in GROUPS.iter().enumerate().filter(|(_, group)| wanted(group.title)) {
        let (limits, arms): (Vec<Limit>, Vec<Arm>) = (group.make)().into_iter().unzip();
        if has("--instructions") {
            let counted: Vec<f64> = (0..arms.len()).map(|arm| instructions(at, arm)).collect();
            rows(group.title, &arms, &vec![Limit::None; arms.len()], &counted);
        } else {
            rows(group.title, &arms, &limits, &interleaved(&arms, effort));
        }
    }
    if !has("--instructions") {
        for (title, make) in SCALING.iter().filter(|(title, _)| wanted(title)) {
            scaling(title, &make(), effort);
        }
    }
}

fn rows(title: &str, arms: &[Arm], limits: &[Limit], measured: &[f64]) {
    for (at, ((arm, limit), ns)) in arms.iter().zip(limits).zip(measured).enumerate() {
        if at == 0 {
            println!("| {title} | {} | {ns:.1} | | | | |", arm.name());
            continue;
        }
        let (difference, ratio) = (ns - measured[0], ns / measured[0]);
        let (limit, verdict) = match limit {
            Limit::None => (String::new(), String::new()),
            More(most) => (format!("+{most} ns"), verdict(difference <= *most)),
            Times(most) => (format!("×{most}"), verdict(ratio <= *most)),
            Limit::Fields(count) => ("linear".to_owned(), format!("{:.1} each", difference / (*count as f64 - 1.0))),
        };
        println!("| | {} | {ns:.1} | {difference:+.1} | {ratio:.3} | {limit} | {verdict} |", arm.name());
    }
}

fn verdict(within: bool) -> String {
    if within { "ok" } else { "**OVER**" }.to_owned()
}

type Make = fn() -> Vec<Arm>;

const SCALING: &[(&str, Make)] = &[
    ("threads: event with 5 strings, to a layer that visits", || {
        vec![
            Arm::new("by hand", Place::new(stack::visiting()), || {
                let request = black_box(&*REQUEST);
                by_hand!(info, request, order = 1042, "placed");
            }),
            Arm::prepared(
                "ours, each thread with a request of its own",
                Place::new(stack::visiting_with(schema())),
                || fields().attach(),
                |_| info!(order = 1042, "placed"),
            ),
            Arm::new("ours, both threads at work for one request", ours_visiting(), || info!(order = 1042, "placed")),
        ]
    }),
    ("threads: span made, entered, left and closed", || {
        vec![
            Arm::new("bare registry", Place::new(stack::bare()), || drop(info_span!("charge").entered())),
            Arm::prepared(
                "ours, each thread with a request of its own",
                Place::new(stack::bare_with(schema())),
                || fields().attach(),
                |_| drop(info_span!("charge").entered()),
            ),
            Arm::new(
                "ours, both threads at work for one request",
                Place::new(stack::bare_with(schema())).with(fields()),
                || drop(info_span!("charge").entered()),
            ),
        ]
    }),
    ("threads: span entered and left, its fields current already", || {
        vec![
            Arm::prepared(
                "bare registry",
                Place::new(stack::bare()),
                || info_span!("charge"),
                |span| drop(span.enter()),
            ),
            Arm::prepared(
                "ours, each thread with a request of its own",
                Place::new(stack::bare_with(schema())),
                || (fields().attach(), info_span!("charge")),
                |(_, span)| drop(span.enter()),
            ),
            Arm::prepared(
                "ours, both threads at work for one request",
                Place::new(stack::bare_with(schema())).with(fields()),
                || info_span!("charge"),
                |span| drop(span.enter()),
            ),
        ]
    }),
];

/// Prints how much more two threads do than one: 2.0 is perfect.
fn scaling(title: &str, arms: &[Arm], effort: Effort) {
    println!("\n| {title} | ns on 1 thread | ns on each of 2 | throughput of 2 |");
    println!("|---|--:|--:|--:|");
    let (one, two) = (at_once(arms, 1, effort), at_once(arms, 2, effort));
    for ((arm, one), two) in arms.iter().zip(one).zip(two) {
        println!("| {} | {one:.1} | {two:.1} | ×{:.2} |", arm.name(), 2.0 * one / two);
    }
}

fn list() {
    for (at, group) in GROUPS.iter().enumerate() {
        println!("{at} {}", group.title);
        for (at, (_, arm)) in (group.make)().iter().enumerate() {
            println!("    {at} {}", arm.name());
        }
    }
}

fn run(group: Option<usize>, arm: Option<usize>, count: Option<usize>) -> Option<()> {
    let arms = (GROUPS.get(group?)?.make)();
    let (_, arm) = arms.get(arm?)?;
    arm.run(count? as u64);
    Some(())
}

/// Returns the instructions per iteration, from two runs with different numbers of iterations.
fn instructions(group: usize, arm: usize) -> f64 {
    let collected = |count: u64| {
        let program = env::current_exe().ok()?;
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args(["--run".to_owned(), group.to_string(), arm.to_string(), count.to_string()])
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse::<f64>().ok())
    };
    // A batch is preceded by a sixteenth as many iterations.
    match (collected(1600), collected(4800)) {
        (Some(fewer), Some(more)) => (more - fewer) / (3200.0 * 17.0 / 16.0),
        _ => f64::NAN,
    }
}
