//! The cost of an annotated function, compared with `#[tracing::instrument]` and with no attribute.
//!
//! Repeat with `cargo bench -p ctx-benches --bench with_observability`; `-- --quick` takes an eighth of the time, and
//! `-- --run <family> <arm> <count>` runs one arm alone, by its number, for `valgrind`.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running. "The same" has no events, but sets the span's
//! status, for which alone a subscriber is asked whether it exports spans (4 ns); `#[instrument(ret, err)]` is called with a
//! `debug!` in the body. The row without a subscriber holds for a span that is disabled, too. From run to run the ratios of
//! what is enabled differ by 0.03.
//!
//! | ns | `fn`: instrument | ours, the same | ours, with events | instrument(ret, err) | `async`: instrument | ours, the same | ours, with events |
//! |---|--:|--:|--:|--:|--:|--:|--:|
//! | no subscriber | 8.4 | 5.3 | 6.7 | 11.7 | 13.4 | 12.5 | 12.5 |
//! | the registry, events below the level | 103 | 102 | 104 | 105 | 120 | 118 | 118 |
//! | a layer that visits, events below the level | 110 | 109 | 110 | 116 | 126 | 125 | 127 |
//! | a layer that visits, events too | 108 | 107 | 190 | 129 | 125 | 125 | 308 |

use std::{env, hint::black_box};

use ctx_benches::{
    measure::{Arm, Effort, Place, interleaved},
    stack,
};
use ctx_layer::with_observability;
use tracing::{Dispatch, instrument, subscriber::NoSubscriber};

/// The called function: enough that the call is not removed, and little enough that it does not count.
fn work(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
    black_box(name);
    black_box(Ok(id))
}

mod plain {
    use super::*;

    #[inline(never)]
    pub(super) fn call(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }

    #[inline(never)]
    pub(super) async fn call_async(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }
}

mod theirs {
    use super::*;

    #[instrument]
    #[inline(never)]
    pub(super) fn call(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }

    #[instrument]
    #[inline(never)]
    pub(super) async fn call_async(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }

    #[instrument(ret(level = "debug"), err)]
    #[inline(never)]
    pub(super) fn logged(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        tracing::debug!(id, name, "called");
        work(id, name)
    }
}

mod ours {
    use super::*;

    #[with_observability(attributes_from_args = all, log_args = false, log_result = false, log_errors = false)]
    #[inline(never)]
    pub(super) fn call(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }

    #[with_observability(attributes_from_args = all, log_args = false, log_result = false, log_errors = false)]
    #[inline(never)]
    pub(super) async fn call_async(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }

    #[with_observability(attributes_from_args = all)]
    #[inline(never)]
    pub(super) fn logged(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }

    #[with_observability(attributes_from_args = all)]
    #[inline(never)]
    pub(super) async fn logged_async(id: u64, name: &str) -> Result<u64, std::fmt::Error> {
        work(id, name)
    }
}

/// Polls a future that is ready at once.
fn ready<F: Future>(future: F) {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = black_box(std::pin::pin!(future).poll(&mut task));
}

fn arms(place: &Place) -> Vec<Arm> {
    let arm = |name: &str, once: fn()| Arm::new(name, place.clone(), once);
    vec![
        arm("fn: instrument", || {
            let _ = black_box(theirs::call(black_box(7), black_box("ada")));
        }),
        arm("fn: ours, the same", || {
            let _ = black_box(ours::call(black_box(7), black_box("ada")));
        }),
        arm("fn: ours, with its events", || {
            let _ = black_box(ours::logged(black_box(7), black_box("ada")));
        }),
        arm("fn: instrument(ret, err) and `debug!`", || {
            let _ = black_box(theirs::logged(black_box(7), black_box("ada")));
        }),
        arm("fn: no attribute", || {
            let _ = black_box(plain::call(black_box(7), black_box("ada")));
        }),
        arm("async: instrument", || ready(theirs::call_async(black_box(7), black_box("ada")))),
        arm("async: ours, the same", || ready(ours::call_async(black_box(7), black_box("ada")))),
        arm("async: ours, with its events", || ready(ours::logged_async(black_box(7), black_box("ada")))),
        arm("async: no attribute", || ready(plain::call_async(black_box(7), black_box("ada")))),
    ]
}

/// Creates a stack.
type Stack = fn() -> Dispatch;

const FAMILIES: [(&str, Stack); 5] = [
    ("no subscriber", || Dispatch::new(NoSubscriber::default())),
    ("disabled: the span by a filter that is known", stack::refusing),
    ("enabled: the registry, events below the level", stack::bare_at_info),
    ("enabled: a layer that visits, events below the level", || stack::levelled(None)),
    ("enabled: a layer that visits, events too", stack::visiting),
];

/// Runs one arm alone: its family, its number, and its count.
fn run(arguments: &[String]) -> Option<()> {
    let [family, arm, count] = arguments else { return None };
    let (_, stack) = FAMILIES.get(family.parse::<usize>().ok()?)?;
    arms(&Place::new(stack())).get(arm.parse::<usize>().ok()?)?.run(count.parse().ok()?);
    Some(())
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--run") {
        return run(&arguments[at + 1..]).unwrap_or_else(|| eprintln!("--run <family> <arm> <count>"));
    }
    let effort = if env::args().any(|argument| argument == "--quick") { Effort::QUICK } else { Effort::FULL };
    for (title, stack) in FAMILIES {
        let place = Place::new(stack());
        let arms = arms(&place);
        let times = interleaved(&arms, effort);
        println!("\n{title}");
        for (at, (arm, time)) in arms.iter().zip(&times).enumerate() {
            let first = times[if at < 5 { 0 } else { 5 }];
            println!("  {:<42} {time:>8.1} ns  {:>+8.1}  x{:.2}", arm.name(), time - first, time / first);
        }
    }
}
