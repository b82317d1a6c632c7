//! Compares what is current with a model: random programs run on the library and on the rules of `docs/semantics.md`.
//!
//! The model is slow and obvious: `set`, `span`, `frame` and `thread` have the rules, `model` runs programs on them.
//! The `runner` runs the same programs on the library, and the two are compared after each operation. A program that
//! differs is shrunk and shown. `inert` inserts operations that must change nothing.
//!
//! | variable | default | |
//! |---|---|---|
//! | `CTX_MODEL_PROGRAMS` | 100 000 | the number of programs; 10 million with `--release` |
//! | `CTX_MODEL_SEED` | 0 | other programs |
//! | `CTX_MODEL_ONLY` | | one program, by the number that was shown, or those from one number to another, as in `100..200` |
//! | `CTX_MODEL_FINDINGS` | 1 | how many failing programs of different kinds are shown |

mod faults;
mod frame;
mod generator;
mod inert;
mod model;
mod observation;
mod operation;
mod program;
mod random;
mod recorder;
mod rules;
mod runner;
mod set;
mod shrink;
mod span;
mod stack;
mod thread;
mod value;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use generator::program;
use inert::{count, seen_outside, with_inert, without_inert};
use model::expected;
use observation::{agree, leaves_something};
use operation::{Body, Lines};
use runner::Threads;
use shrink::shrink;
use stack::Stack;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("it is a number"))
}

/// Returns the numbers of the programs to run, if not all are.
fn only() -> Option<Range<u64>> {
    let text = std::env::var("CTX_MODEL_ONLY").ok()?;
    let number = |text: &str| text.parse::<u64>().expect("it is a number");
    Some(match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&text)..number(&text) + 1,
    })
}

/// Returns the difference between the library and the model, or the effect of operations that must have none.
fn differs(stack: Stack, threads: &Threads, program: &Body) -> bool {
    let expected = |program: &Body| expected(program, stack.is_filtered());
    let seen = threads.run(program);
    if !agree(&seen, &expected(program)) || leaves_something(&seen) {
        return true;
    }
    let without = without_inert(program);
    count(&without) != count(program) && !agree(&seen_outside(seen), &expected(&without))
}

/// Runs programs. Fails with the smallest ones on which the model and the library differ, one of each shape.
fn compare(stack: Stack, programs: u64, make: impl Fn(u64) -> Body) {
    let seed = setting("CTX_MODEL_SEED", 0);
    let most_found = setting("CTX_MODEL_FINDINGS", 1) as usize;
    let mut threads = Threads::new(stack.dispatches());
    let mut found = BTreeMap::new();
    let make = |number: u64| make(seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(number * 4 + stack as u64));
    for number in only().unwrap_or(0..programs) {
        let program = make(number);
        if !differs(stack, &threads, &program) {
            continue;
        }
        // It may need what the program before has left.
        let is_alone = differs(stack, &Threads::new(stack.dispatches()), &program);
        let before = if is_alone { None } else { number.checked_sub(1).map(make) };
        let fresh = || {
            let threads = Threads::new(stack.dispatches());
            before.iter().for_each(|before| drop(threads.run(before)));
            threads
        };
        let smallest = shrink(&program, |program| differs(stack, &fresh(), program));
        let (times, _) = found
            .entry(shape(&smallest))
            .or_insert_with(|| (0, difference(stack, &fresh(), number, before.as_ref(), &smallest)));
        *times += 1;
        // A failure may have left something on the threads.
        threads = Threads::new(stack.dispatches());
        if found.len() >= most_found {
            break;
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|(times, shown)| (std::cmp::Reverse(*times), shown.len()));
    let found: Vec<_> = found.into_iter().map(|(times, shown)| format!("{times} times: {shown}")).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Returns the kinds of operations in a program.
fn shape(program: &Body) -> String {
    let lines = format!("{}", Lines(program));
    let words = lines.lines().flat_map(|line| line.split(|char: char| !char.is_alphabetic()));
    let kinds: BTreeSet<_> = words.filter(|word| word.len() > 2 && !word.ends_with("_id") && *word != "role").collect();
    kinds.into_iter().collect::<Vec<_>>().join(" ")
}

/// Shows a failing program.
fn difference(stack: Stack, threads: &Threads, number: u64, before: Option<&Body>, smallest: &Body) -> String {
    let expected = |program: &Body| expected(program, stack.is_filtered());
    let seen = threads.run(smallest);
    let mut wanted = expected(smallest);
    let mut shown = seen.clone();
    if agree(&shown, &wanted) {
        (shown, wanted) = (seen_outside(seen), expected(&without_inert(smallest)));
    }
    if agree(&shown, &wanted) {
        // From where on the rules leave open what is seen makes no difference for what is left.
        shown.retain(|one| leaves_something(std::slice::from_ref(one)));
        wanted.clear();
    }
    let at = shown.iter().zip(&wanted).position(|(seen, wanted)| seen != wanted);
    let at = at.unwrap_or(shown.len().min(wanted.len()));
    let before = before.map(|before| format!("after this one:\n{}then:\n", Lines(before)));
    format!(
        "program {number} with {stack:?}, made smaller:\n{}{}first difference: seen {:?}, by the rules {:?}\n",
        before.unwrap_or_default(),
        Lines(smallest),
        shown.get(at),
        wanted.get(at),
    )
}

/// Returns the number of programs on each stack, and of each kind.
fn programs() -> u64 {
    setting("CTX_MODEL_PROGRAMS", 100_000) / 6
}

#[test]
fn random_programs_follow_the_rules() {
    compare(Stack::Plain, programs(), program);
}

#[test]
fn random_programs_follow_the_rules_under_opentelemetry() {
    compare(Stack::OpenTelemetry, programs(), program);
}

#[test]
fn inert_operations_change_nothing() {
    compare(Stack::Plain, programs(), |seed| with_inert(&program(!seed), seed));
}

#[test]
fn inert_operations_change_nothing_under_opentelemetry() {
    compare(Stack::OpenTelemetry, programs(), |seed| with_inert(&program(!seed), seed));
}

#[test]
fn inert_operations_change_nothing_in_the_model() {
    for seed in 0..programs() / 10 {
        let with = with_inert(&program(seed), seed);
        let seen = seen_outside(expected(&with, true));
        assert!(agree(&seen, &expected(&without_inert(&with), true)), "{seed}:\n{}", Lines(&with));
    }
}

#[test]
fn random_programs_follow_the_rules_under_a_filter() {
    compare(Stack::Filtered, programs(), |seed| with_inert(&program(seed), seed));
}

#[test]
fn random_programs_follow_the_rules_under_both() {
    compare(Stack::FilteredOpenTelemetry, programs(), program);
}
