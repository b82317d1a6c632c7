//! One JSON line: ours and the peers', with the output discarded, in one run.
//!
//! Repeat with `cargo bench -p ctx-benches --bench json`; with `-- --quick` for a quick look. The arms of a group take turns in
//! batches of 60 µs; the lower quartile of an arm's batches counts. `-- --run <group> <arm> <count>` runs one arm alone, by its number,
//! for `perf` and `valgrind`.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running; without LTO, and with `lto = "fat"` and one codegen
//! unit. By `perf`, a line without fields spends a quarter of its time on the clock.
//!
//! | ns, without LTO / with | ours | beside a layer that looks at fields | `slog` | `json-subscriber` | `emit` | `fmt` json |
//! |---|--:|--:|--:|--:|--:|--:|
//! | five fields, three own | 160 / 149 | 296 / 271 | 175 / 163 | 1831 / 1548 | 732 / 525 | 1402 / 1296 |
//! | no field, three own | 142 / 128 | | 131 / 106 | | | 906 / 838 |
//! | five fields, three own, inside 1 span | 183 / 164 | | | | | 3372 / 3078 |
//! | the same inside 64 spans | 180 / 164 | | | | | 13073 / 11937 |
//! | a scope of five fields, a span, one line | 1203 / 1060 | | 277 / 239 | | | 4602 / 4105 |
//!
//! An annotated async function with the line of its result, five fields current: 658 / 594; `#[instrument(ret, err)]` with our
//! output 425 / 377, with `fmt` json 2018 / 1871.
//!
//! The goals: below every peer and below 150 ns with five fields: met with LTO. Below 110 without fields, 480 for the scope, 450 for the
//! annotated function: missed; the tables say what the time is spent on.
//!
//! What the time is spent on, in instructions (`valgrind --tool=callgrind`, of two runs of different lengths; they do not depend on
//! what else the machine does):
//!
//! | | a line without fields | a scope of five fields, a span, one line |
//! |---|--:|--:|
//! | all | 2011 | 11539 (`slog`: 4057) |
//! | visiting the event's values, formatting its message | 850 | 1320 |
//! | the other parts of the line | 490 | 620 |
//! | clock and timestamp | 200 | 200 |
//! | `tracing`: dispatch; the span in the registry, created, entered, exited and closed | 180 | 1910 |
//! | creating the set of five fields | | 1770 |
//! | attaching it to the OpenTelemetry context, and the frames | 30 | 1120 |
//! | encoding the set: once, where a line has it | | 1050 |
//! | what the span remembers | | 560 |
//! | `malloc` and `free`, `memcpy` | 110 | 1570 |
//! | the rest, each below 100 | 150 | 1420 |
//!
//! An annotated function with its result event takes 6952 instructions, `#[instrument(ret, err)]` with our output 5341. The difference
//! is in what is measured and written in addition: four readings of the clock and their differences (540), and
//! `elapsed_ms` and `busy_ms`, two numbers with decimals (560); the rest is the observed call itself.
//!
//! Five fields that are encoded already add 170 instructions to a line. `slog` has no span, and nothing that another crate's events
//! could find.

use std::{
    env,
    hint::black_box,
    io,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use ctx_benches::{
    by_hand,
    measure::{Arm, Effort, Place, interleaved},
    request::{REQUEST, fields, schema},
    span_by_hand, stack,
};
use ctx_layer::{SubscriberFieldsExt, output::json, with_observability};
use slog::Drain;
use tracing::{info, info_span, instrument};
use tracing_core::Dispatch;
use tracing_subscriber::{Registry, prelude::*};

fn main() {
    let effort = if env::args().any(|argument| argument == "--quick") { Effort::QUICK } else { Effort::FULL };
    let words: Vec<_> = env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--run") {
        let number = |behind: usize| words.get(at + behind).and_then(|word| word.parse::<usize>().ok()).unwrap_or(0);
        let groups = [five_fields, no_field, inside_spans, scopes, annotated];
        let arm = &groups[number(1)]()[number(2)];
        println!("{}: {:?}", arm.name(), arm.run(number(3) as u64));
        return;
    }
    let wanted: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (title, arms) in [
        ("five fields, three own", five_fields()),
        ("no field, three own", no_field()),
        ("five fields, three own, inside spans", inside_spans()),
        ("a scope of five fields, a span, one line, and its end", scopes()),
        ("an annotated async function with the line of its result", annotated()),
    ] {
        if !wanted.is_empty() && !wanted.iter().any(|word| title.contains(word.as_str())) {
            continue;
        }
        println!("{title}");
        for (arm, nanos) in arms.iter().zip(interleaved(&arms, effort)) {
            println!("  {nanos:7.0} ns  {}", arm.name());
        }
    }
}

fn ours() -> json::JsonLayer<fn() -> io::Sink> {
    json::layer().with_writer(io::sink as fn() -> io::Sink)
}

/// Creates a stack under `with_context_fields`.
fn under() -> Dispatch {
    Dispatch::new(Registry::default().with(ours()).with_context_fields(schema()))
}

/// Creates the layer alone.
fn alone() -> Dispatch {
    Dispatch::new(Registry::default().with(ours()))
}

/// Creates the layer beside another that looks at every event, so that events are rewritten.
fn beside_another() -> Dispatch {
    Dispatch::new(Registry::default().with(ours()).with(stack::Visiting).with_context_fields(schema()))
}

/// Creates a logger of `slog`.
fn slog_json() -> slog::Logger {
    let drain = slog_json::Json::new(io::sink()).add_default_keys().build();
    slog::Logger::root(Mutex::new(drain).fuse(), slog::o!())
}

fn slog_with_five() -> slog::Logger {
    let request = &*REQUEST;
    slog_json().new(slog::o!(
        "tenant_id" => request.tenant.as_str(),
        "user_id" => request.user.as_str(),
        "request_id" => request.id.as_str(),
        "role" => request.role.as_str(),
        "locale" => request.locale.as_str(),
    ))
}

/// Writes an `emit` event as one JSON object.
struct EmitJson;

impl emit::Emitter for EmitJson {
    fn emit<E: emit::event::ToEvent>(&self, event: E) {
        let event = event.to_event();
        let mut line: Vec<u8> = Vec::with_capacity(256);
        let _ = std::io::Write::write_fmt(
            &mut line,
            format_args!(
                "{{\"ts\":\"{}\",\"mdl\":\"{}\",\"msg\":",
                event.ts().copied().unwrap_or(emit::Timestamp::MIN),
                event.mdl()
            ),
        );
        let _ = serde_json::to_writer(&mut line, &event.msg());
        line.push(b',');
        let start = line.len();
        let _ = serde_json::to_writer(&mut line, &emit::Props::as_map(event.props()));
        line.remove(start);
        line.push(b'\n');
        let _ = io::Write::write_all(&mut io::sink(), black_box(&line));
    }

    fn blocking_flush(&self, _: std::time::Duration) -> bool {
        true
    }
}

static EMIT: emit::runtime::AmbientSlot = emit::runtime::AmbientSlot::new();

fn own_fields() {
    info!(order = 1042, rows = black_box(3_u64), how = "card", "placed");
}

fn five_fields() -> Vec<Arm> {
    let slog = slog_with_five();
    let _ = emit::setup().emit_to(EmitJson).init_slot(&EMIT);
    vec![
        Arm::new("ours, alone", Place::new(alone()).with(fields()), own_fields),
        Arm::new("ours, under the subscriber", Place::new(under()).with(fields()), own_fields),
        Arm::new("ours, beside a layer that looks at fields", Place::new(beside_another()).with(fields()), own_fields),
        Arm::new("slog, the five on the logger", Place::anywhere(), move || {
            slog::info!(slog, "placed"; "order" => 1042, "rows" => black_box(3_u64), "how" => "card");
        }),
        Arm::new("json-subscriber, the five by hand", Place::new(stack::json_subscriber()), || {
            by_hand!(info, black_box(&*REQUEST), order = 1042, rows = black_box(3_u64), how = "card", "placed");
        }),
        Arm::new("emit, the five by hand", Place::anywhere(), || {
            let request = black_box(&*REQUEST);
            emit::info!(
                rt: EMIT.get(),
                "placed",
                tenant_id: request.tenant.as_str(),
                user_id: request.user.as_str(),
                request_id: request.id.as_str(),
                role: request.role.as_str(),
                locale: request.locale.as_str(),
                order: 1042,
                rows: black_box(3_u64),
                how: "card",
            );
        }),
        Arm::new("fmt json, the five by hand", Place::new(stack::json()), || {
            by_hand!(info, black_box(&*REQUEST), order = 1042, rows = black_box(3_u64), how = "card", "placed");
        }),
        Arm::new("fmt json, ours", Place::new(stack::json_with(schema())).with(fields()), own_fields),
    ]
}

fn no_field() -> Vec<Arm> {
    let slog = slog_json();
    vec![
        Arm::new("ours, alone", Place::new(alone()), own_fields),
        Arm::new("ours, under the subscriber", Place::new(under()), own_fields),
        Arm::new("slog", Place::anywhere(), move || {
            slog::info!(slog, "placed"; "order" => 1042, "rows" => black_box(3_u64), "how" => "card");
        }),
        Arm::new("fmt json", Place::new(stack::json()), own_fields),
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
    let unnamed =
        || Dispatch::new(Registry::default().with(ours().with_current_span(false)).with_context_fields(schema()));
    vec![
        Arm::prepared("ours, 1 span", Place::new(under()).with(fields()), nested(1), |_| own_fields()),
        Arm::prepared("ours, 64 spans", Place::new(under()).with(fields()), nested(64), |_| own_fields()),
        Arm::prepared("ours without the span's name, 1", Place::new(unnamed()).with(fields()), nested(1), |_| {
            own_fields();
        }),
        Arm::prepared("ours without the span's name, 64", Place::new(unnamed()).with(fields()), nested(64), |_| {
            own_fields();
        }),
        Arm::prepared("fmt json, 1 span", Place::new(stack::json()), by_hand_nested(1), |_| own_fields()),
        Arm::prepared("fmt json, 64 spans", Place::new(stack::json()), by_hand_nested(64), |_| own_fields()),
    ]
}

fn scopes() -> Vec<Arm> {
    let slog = slog_json();
    vec![
        Arm::new("ours, under the subscriber", Place::new(under()), || {
            let _fields = fields().attach();
            let _span = info_span!("request").entered();
            own_fields();
        }),
        Arm::new("slog, a logger with the five", Place::anywhere(), move || {
            let request = black_box(&*REQUEST);
            let slog = slog.new(slog::o!(
                "tenant_id" => request.tenant.clone(),
                "user_id" => request.user.clone(),
                "request_id" => request.id.clone(),
                "role" => request.role.clone(),
                "locale" => request.locale.clone(),
            ));
            slog::info!(slog, "placed"; "order" => 1042, "rows" => black_box(3_u64), "how" => "card");
        }),
        Arm::new("fmt json, the five on the span", Place::new(stack::json()), || {
            let _span = span_by_hand!(black_box(&*REQUEST), "request").entered();
            own_fields();
        }),
    ]
}

#[with_observability(attributes_from_args = all, log_args = false, ret(level = "info"))]
async fn place(order: u64) -> Result<u64, io::Error> {
    Ok(black_box(order))
}

#[instrument(ret, err)]
async fn place_instrumented(order: u64) -> Result<u64, io::Error> {
    Ok(black_box(order))
}

fn annotated() -> Vec<Arm> {
    let poll = |future: std::pin::Pin<&mut dyn Future<Output = Result<u64, io::Error>>>| {
        let ready = future.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(black_box(ready), Poll::Ready(Ok(1042))));
    };
    vec![
        Arm::new("ours, five fields current", Place::new(under()).with(fields()), move || {
            poll(std::pin::pin!(place(black_box(1042))));
        }),
        Arm::new("ours, no field", Place::new(under()), move || poll(std::pin::pin!(place(black_box(1042))))),
        Arm::new("#[instrument(ret, err)], ours as the output", Place::new(under()).with(fields()), move || {
            poll(std::pin::pin!(place_instrumented(black_box(1042))));
        }),
        Arm::new("#[instrument(ret, err)], fmt json", Place::new(stack::json()), move || {
            poll(std::pin::pin!(place_instrumented(black_box(1042))));
        }),
    ]
}
