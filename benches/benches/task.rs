//! What it costs to carry context over a task, beside `tracing`'s and OpenTelemetry's own ways.
//!
//! Capture, one poll of a future that is ready, and drop; then one poll alone, of a future that stays pending, where nothing
//! is in force as on the worker thread of a runtime.
//!
//! Repeat with `cargo bench -p ctx-benches --bench task`. After `--`: `--quick` takes an eighth of the time; `--scoped` makes
//! the subscriber that of the thread, under which asking for the current span takes longer; the name of one of [`STACKS`]
//! runs that alone.
//!
//! Figures: 2-core VM (AMD EPYC, one thread per core), Linux, rustc 1.95.0, `--quick`, others compiling meanwhile. Captured,
//! polled and dropped in one place; "goal" is that of the issue: 1.10 times the peer, 5 ns over the bare future.
//!
//! | ns | bare | `.instrument(Span::current())` | `.with_current_context()` | both | ours | goal |
//! |---|--:|--:|--:|--:|--:|---|
//! | no subscriber, nothing in force | 2 | 16 | 41 | 51 | 35 | 7: missed |
//! | registry, nothing in force | 2 | 18 | 42 | 52 | 38 | 7: missed |
//! | registry, a span | 2 | 123 | 42 | 149 | 118 | 136 |
//! | registry, a span that carries 5 fields | 3 | 136 | 48 | 178 | 134 | 150 |
//! | registry, a span, and 5 fields set since | 3 | 282 | 48 | 358 | 134 | 358 |
//! | registry, 5 fields, no span | 2 | 18 | 48 | 59 | 55 | 53: just missed |
//! | OpenTelemetry, a span that carries 5 fields | 3 | 549 | 58 | 601 | 145 | 604 |
//!
//! One poll, where nothing is in force, as on a worker thread:
//!
//! | ns | `.instrument` | `.with_current_context()` | both | ours | ours, without the span |
//! |---|--:|--:|--:|--:|--:|
//! | registry, a span that carries 5 fields | 235 | 32 | 268 | 98 | 79 |
//! | registry, a span | 32 | 30 | 50 | 51 | 16 |
//! | OpenTelemetry, a span that carries 5 fields | 353 | 37 | 392 | 476 | 82 |

use std::{cell::RefCell, env, future::poll_fn, hint::black_box, pin::Pin, task::Poll};

use ctx_benches::{
    measure::{Arm, Effort, Place, interleaved},
    request::{fields, schema},
    stack,
};
use ctx_layer::task::{Propagate, Snapshot};
use opentelemetry::context::FutureExt;
use tracing::{Dispatch, Instrument, Span, info_span};

/// Polls a future once, and drops it.
fn once<F: Future>(future: F) {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = black_box(std::pin::pin!(future).poll(&mut task));
}

/// Ready at once, and not to be left out by the compiler.
#[inline(never)]
async fn ready() -> u64 {
    black_box(7)
}

/// What is in force while a batch runs.
type InForce = (Option<tracing::span::EnteredSpan>, Option<ctx_layer::FieldsGuard>);

fn nothing() -> InForce {
    (None, None)
}

fn span() -> InForce {
    (Some(info_span!("request", path = "/orders").entered()), None)
}

fn span_after_fields() -> InForce {
    let guard = fields().attach();
    (Some(info_span!("request", path = "/orders").entered()), Some(guard))
}

fn fields_after_span() -> InForce {
    let span = info_span!("request", path = "/orders").entered();
    (Some(span), Some(fields().attach()))
}

fn only_fields() -> InForce {
    (None, Some(fields().attach()))
}

fn captured_and_polled(place: &Place, in_force: fn() -> InForce) -> Vec<Arm> {
    let arm = |name: &str, once: fn()| Arm::prepared(name, place.clone(), in_force, move |_: &InForce| once());
    vec![
        arm("bare", || once(ready())),
        arm(".instrument(Span::current())", || once(ready().instrument(Span::current()))),
        arm(".with_current_context()", || once(ready().with_current_context())),
        arm("both", || once(ready().with_current_context().instrument(Span::current()))),
        arm("ours: .propagate()", || once(ready().propagate())),
        arm("ours: without the span", || once(ready().in_context(Snapshot::capture_context()))),
    ]
}

type Pending = RefCell<Pin<Box<dyn Future<Output = ()>>>>;

fn pending(wrap: impl FnOnce(Pin<Box<dyn Future<Output = ()>>>) -> Pin<Box<dyn Future<Output = ()>>>) -> Pending {
    RefCell::new(wrap(Box::pin(poll_fn(|_| {
        black_box(7);
        Poll::Pending
    }))))
}

fn polled_elsewhere(place: &Place, in_force: fn() -> InForce) -> Vec<Arm> {
    let arm = |name: &str, make: fn() -> Pending| {
        let prepare = move || {
            let (span, guard) = in_force();
            let future = make();
            // Left in the order in which they were entered in reverse.
            drop((guard, span));
            future
        };
        Arm::prepared(name, place.clone(), prepare, |future: &Pending| {
            let mut task = std::task::Context::from_waker(std::task::Waker::noop());
            let _ = black_box(future.borrow_mut().as_mut().poll(&mut task));
        })
    };
    vec![
        arm("bare", || pending(|future| future)),
        arm(".instrument(Span::current())", || pending(|future| Box::pin(future.instrument(Span::current())))),
        arm(".with_current_context()", || pending(|future| Box::pin(future.with_current_context()))),
        arm("both", || pending(|future| Box::pin(future.with_current_context().instrument(Span::current())))),
        arm("ours: .propagate()", || pending(|future| Box::pin(future.propagate()))),
        arm("ours: without the span", || pending(|future| Box::pin(future.in_context(Snapshot::capture_context())))),
    ]
}

fn no_more() -> Option<Dispatch> {
    None
}

fn registry() -> Option<Dispatch> {
    Some(stack::bare_with(schema()))
}

fn opentelemetry() -> Option<Dispatch> {
    Some(stack::opentelemetry_with(schema()))
}

type Named<T> = (&'static str, fn() -> T);

const STACKS: [Named<Option<Dispatch>>; 3] =
    [("no subscriber", no_more), ("registry, under us", registry), ("with OpenTelemetry, under us", opentelemetry)];

const PLACES: [Named<InForce>; 5] = [
    ("nothing in force", nothing),
    ("a span", span),
    ("a span that carries 5 fields", span_after_fields),
    ("a span, and 5 fields set since", fields_after_span),
    ("5 fields, no span", only_fields),
];

fn measure(stack: &str, place: &Place, effort: Effort) {
    for (in_force_name, in_force) in PLACES {
        for (title, arms) in [
            ("captured, polled, dropped", captured_and_polled(place, in_force)),
            ("one poll where nothing is in force", polled_elsewhere(place, in_force)),
        ] {
            let times = interleaved(&arms, effort);
            println!("\n{stack}: {in_force_name}: {title}");
            for (arm, time) in arms.iter().zip(&times) {
                let (more, ratio) = (time - times[0], time / times[1]);
                println!("  {:<30} {time:>7.1} ns {more:>+7.1}   x{ratio:.2} of instrument", arm.name());
            }
        }
    }
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let effort = if has("--quick") { Effort::QUICK } else { Effort::FULL };
    let Some(at) = STACKS.iter().position(|(name, _)| has(name)) else {
        // A process for each, so that the subscriber can be global, as it is in nearly all programs.
        let this = env::current_exe().expect("this program has a path");
        for (name, _) in STACKS {
            let status = std::process::Command::new(&this).args(&arguments[1..]).arg(name).status();
            assert!(status.is_ok_and(|status| status.success()), "{name}");
        }
        return;
    };
    let (name, stack) = STACKS[at];
    let place = match stack() {
        Some(dispatch) if has("--scoped") => Place::new(dispatch),
        Some(dispatch) => {
            tracing::dispatcher::set_global_default(dispatch).expect("it is the first");
            Place::anywhere()
        }
        None => Place::anywhere(),
    };
    measure(name, &place, effort);
}
