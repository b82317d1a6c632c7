//! The cost of carrying context over a task, compared with `tracing` and OpenTelemetry.
//!
//! Capture, one poll of a future that is ready, and drop; then one poll alone, of a future that stays pending, on a thread
//! without context such as the worker thread of a runtime.
//!
//! Repeat with `cargo bench -p ctx-benches --bench task`. After `--`: `--quick` takes an eighth of the time; `--scoped` makes
//! the subscriber that of the thread, under which asking for the current span takes longer; the name of one of [`STACKS`]
//! runs that alone. `--run <stack> <place> <group> <arm> <count>` runs one arm alone, each by its number, for `perf` and `valgrind`.
//!
//! "Floor" is the least possible: to look for context where a future is created and where it is polled, and to check that an
//! attached context is current. OpenTelemetry refuses more than 65 534 contexts on a thread, and leaves another request's
//! current. Looking at the context takes longer than it seems: it is borrowed through a counter that the next look waits for;
//! a value in it is found by hash and by a call through a table; and the two locked instructions that clone and drop a
//! context do not overlap with anything.
//!
//! Figures in instructions per future (`valgrind --tool=callgrind`, two runs of `--run` with different counts), because nanoseconds
//! differed by a factor of three with what else the machine did: rustc 1.95.0, x86-64, without LTO. Captured, polled and dropped in
//! one place:
//!
//! | instructions | `.instrument(Span::current())` | `.with_current_context()` | both | ours | floor: two looks |
//! |---|--:|--:|--:|--:|--:|
//! | no subscriber, no context | 170 | 287 | 438 | 352 | 209 |
//! | no subscriber, 5 fields | 170 | 295 | 447 | 1295 | 351 |
//! | registry, no context | 202 | 287 | 470 | 563 | 380 |
//! | registry, a span | 1739 | 287 | 2016 | 2104 | 654 |
//! | registry, a span that carries 5 fields | 1926 | 295 | 2211 | 2299 | 796 |
//! | registry, a span, and 5 fields set since | 5276 | 295 | 5560 | 2266 | 796 |
//! | registry, 5 fields, no span | 202 | 295 | 479 | 1495 | 522 |
//! | OpenTelemetry, a span | 4376 | 295 | 4661 | 2182 | 196 |
//! | OpenTelemetry, a span that carries 5 fields | 4720 | 304 | 5014 | 2378 | 339 |
//! | OpenTelemetry, a span, and 5 fields set since | 10695 | 304 | 10988 | 2345 | 339 |
//!
//! One poll on a thread without context, such as a worker thread; the floor is that of the context, or of both:
//!
//! | instructions | `.instrument` | `.with_current_context()` | both | ours | floor |
//! |---|--:|--:|--:|--:|--:|
//! | no subscriber, 5 fields | 57 | 241 | 264 | 1350 | 526 |
//! | registry, a span | 583 | 237 | 781 | 1555 | 1011 |
//! | registry, a span that carries 5 fields | 3245 | 241 | 3447 | 1890 | 3820 |
//! | registry, a span, and 5 fields set since | 583 | 241 | 785 | 1848 | 1086 |
//! | registry, 5 fields, no span | 51 | 241 | 258 | 1438 | 526 |
//! | OpenTelemetry, a span | 2934 | 241 | 3136 | 2870 | 3366 |
//! | OpenTelemetry, a span that carries 5 fields | 3194 | 245 | 3400 | 3268 | 3773 |
//! | OpenTelemetry, a span, and 5 fields set since | 2934 | 245 | 3140 | 3221 | 3442 |
//!
//! The goal for a ready future with five fields and no span, that of `.with_current_context()`, is missed. Its 1295 instructions
//! are spent on: looking at the context where it is captured and where it is polled, each time two lookups by hash (280); the rest
//! of capturing (150); comparing what is current with what was captured, and building the frame (300); pushing it (190); removing
//! it, with the guard's checks (170); the future itself and the drop of the snapshot (200). Without a frame, a guard that
//! outlives the poll, and `record` in it, could not know which request they belong to.

use std::{
    cell::RefCell,
    env,
    future::poll_fn,
    hint::black_box,
    pin::Pin,
    task::{self, Poll},
};

use ctx_benches::{
    measure::{Arm, Effort, Place, interleaved},
    request::{fields, schema},
    stack,
};
use ctx_layer::{
    context::ContextFieldsExt,
    task::{InContextExt, Snapshot},
};
use opentelemetry::{Context, baggage::BaggageExt, context::FutureExt, trace::TraceContextExt};
use tracing::{Dispatch, Instrument, Span, dispatcher, info_span, level_filters::LevelFilter};

/// Polls a future once, and drops it.
fn once<F: Future>(future: F) {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = black_box(std::pin::pin!(future).poll(&mut task));
}

/// A future that is ready at once, and that the compiler does not remove.
#[inline(never)]
async fn ready() -> u64 {
    black_box(7)
}

/// Returns the address of the current fields, and whether there is an OpenTelemetry span and baggage.
fn current_context() -> (usize, bool, bool) {
    // Not inlined, so that the code that borrows the thread's context is small.
    #[inline(never)]
    fn look(cx: &Context) -> (usize, bool, bool) {
        (std::ptr::from_ref(cx.fields()).addr(), cx.has_active_span(), !cx.baggage().is_empty())
    }
    Context::map_current(look)
}

/// Returns `true` if there is any context, the current span included.
fn has_any_context() -> bool {
    let (_, has_span, has_baggage) = current_context();
    has_span
        || has_baggage
        || LevelFilter::current() != LevelFilter::OFF
            && dispatcher::get_default(|subscriber| subscriber.current_span().id().is_some())
}

/// A future that reads the current context at every poll, and nothing more.
struct Looking<F>(F);

impl<F: Future + Unpin> Future for Looking<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        black_box(current_context());
        Pin::new(&mut self.0).poll(task)
    }
}

/// The guards that a batch holds while it runs.
type Guards = (Option<tracing::span::EnteredSpan>, Option<ctx_layer::FieldsGuard>);

fn nothing() -> Guards {
    (None, None)
}

fn span() -> Guards {
    (Some(info_span!("request", path = "/orders").entered()), None)
}

fn span_after_fields() -> Guards {
    let guard = fields().attach();
    (Some(info_span!("request", path = "/orders").entered()), Some(guard))
}

fn fields_after_span() -> Guards {
    let span = info_span!("request", path = "/orders").entered();
    (Some(span), Some(fields().attach()))
}

fn only_fields() -> Guards {
    (None, Some(fields().attach()))
}

fn captured_and_polled(place: &Place, guards: fn() -> Guards) -> Vec<Arm> {
    let arm = |name: &str, once: fn()| Arm::prepared(name, place.clone(), guards, move |_: &Guards| once());
    vec![
        arm("bare", || once(ready())),
        arm(".instrument(Span::current())", || once(ready().instrument(Span::current()))),
        arm(".with_current_context()", || once(ready().with_current_context())),
        arm("both", || once(ready().with_current_context().instrument(Span::current()))),
        arm("ours: .in_current_context()", || once(ready().in_current_context())),
        arm("ours: without the span", || once(ready().in_context(Snapshot::capture_context()))),
        // The least possible: to find that there is no context, once at each end.
        arm("floor: two looks", || {
            black_box((has_any_context(), has_any_context()));
            once(ready());
        }),
    ]
}

type Pending = RefCell<Pin<Box<dyn Future<Output = ()>>>>;

fn pending(wrap: impl FnOnce(Pin<Box<dyn Future<Output = ()>>>) -> Pin<Box<dyn Future<Output = ()>>>) -> Pending {
    RefCell::new(wrap(Box::pin(poll_fn(|_| {
        black_box(7);
        Poll::Pending
    }))))
}

fn polled_elsewhere(place: &Place, guards: fn() -> Guards) -> Vec<Arm> {
    let arm = |name: &str, make: fn() -> Pending| {
        let prepare = move || {
            let (span, guard) = guards();
            let future = make();
            // Dropped in reverse order.
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
        arm("ours: .in_current_context()", || pending(|future| Box::pin(future.in_current_context()))),
        arm("ours: without the span", || pending(|future| Box::pin(future.in_context(Snapshot::capture_context())))),
        // One look finds whether the context is current already, one whether OpenTelemetry attached it: it refuses more
        // than 65 534 contexts, and then another request's stays current.
        arm("floor: context, two looks", || {
            pending(|future| Box::pin(Looking(Looking(future).with_current_context())))
        }),
        arm("floor: both, two looks", || {
            pending(|future| Box::pin(Looking(Looking(future).with_current_context()).instrument(Span::current())))
        }),
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

const PLACES: [Named<Guards>; 5] = [
    ("no context", nothing),
    ("a span", span),
    ("a span that carries 5 fields", span_after_fields),
    ("a span, and 5 fields set since", fields_after_span),
    ("5 fields, no span", only_fields),
];

fn measure(stack: &str, place: &Place, effort: Effort) {
    for (guards_name, guards) in PLACES {
        for (title, arms) in [
            ("captured, polled, dropped", captured_and_polled(place, guards)),
            ("one poll without context", polled_elsewhere(place, guards)),
        ] {
            let times = interleaved(&arms, effort);
            println!("\n{stack}: {guards_name}: {title}");
            for (arm, time) in arms.iter().zip(&times) {
                let (more, ratio) = (time - times[0], time / times[1]);
                println!("  {:<30} {time:>7.1} ns {more:>+7.1}   x{ratio:.2} of instrument", arm.name());
            }
        }
    }
}

fn run_alone(stack: usize, guards: usize, group: usize, arm: usize, count: usize) {
    if let Some(dispatch) = STACKS[stack].1() {
        tracing::dispatcher::set_global_default(dispatch).expect("it is the first");
    }
    let arms = [captured_and_polled, polled_elsewhere][group](&Place::anywhere(), PLACES[guards].1);
    println!("{}: {:?}", arms[arm].name(), arms[arm].run(count as u64));
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if let Some(at) = arguments.iter().position(|argument| argument == "--run") {
        let number = |behind: usize| arguments.get(at + behind).and_then(|word| word.parse().ok()).unwrap_or(0);
        return run_alone(number(1), number(2), number(3), number(4), number(5));
    }
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
