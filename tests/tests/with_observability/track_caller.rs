//! `#[track_caller]` works on synchronous functions.

use std::{panic::Location, task::Poll};

use ctx_layer::with_observability;
use opentelemetry::trace::Status;

use crate::setup::{Outputs, messages, with_and_without_context};

#[track_caller]
#[with_observability]
fn line() -> u32 {
    Location::caller().line()
}

#[with_observability]
#[track_caller]
fn generic<T: std::fmt::Debug>(value: T, fails: bool) -> Result<(T, u32), String> {
    if fails {
        return Err(format!("at {}", Location::caller().line()));
    }
    Ok((value, Location::caller().line()))
}

struct Own(#[allow(dead_code, reason = "only converted")] std::num::ParseIntError);

impl From<std::num::ParseIntError> for Own {
    fn from(error: std::num::ParseIntError) -> Self {
        Own(error)
    }
}

impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no number")
    }
}

#[track_caller]
#[with_observability]
fn parses(text: &str) -> Result<u32, Own> {
    let found: u32 = text.parse()?;
    let sum: Option<u32> = (|| Some(found + text.chars().next()?.to_digit(10)?))();
    Ok(sum.map_or(0, |sum| sum))
}

#[track_caller]
#[with_observability]
fn first(list: &[u8]) -> Option<u8> {
    for one in list {
        if *one > 3 {
            return Some(*list.first()? + *one);
        }
    }
    None
}

#[track_caller]
#[with_observability]
fn polls(polled: Poll<Result<u8, Own>>) -> Poll<Result<u32, Own>> {
    let ready = polled?;
    ready.map(|ready| Ok(u32::from(ready)))
}

#[track_caller]
#[with_observability]
#[allow(clippy::needless_return, reason = "it is an exit")]
fn gives(list: &[u8]) -> impl Iterator<Item = u8> {
    if list.is_empty() {
        list.iter().copied()
    } else {
        return list[1..].iter().copied();
    }
}

#[track_caller]
#[with_observability]
fn never(value: Option<u8>) -> ! {
    value.unwrap();
    panic!("there is one")
}

#[track_caller]
#[with_observability]
fn made() -> impl Future<Output = u32> {
    std::future::ready(Location::caller().line())
}

struct Store(Vec<u8>);

#[with_observability]
impl Store {
    #[track_caller]
    fn get(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap()
    }
}

trait Get {
    #[track_caller]
    fn get_there(&mut self, at: usize) -> u32;
}

impl Get for Store {
    #[cfg_attr(all(), track_caller)]
    #[with_observability]
    fn get_there(&mut self, at: usize) -> u32 {
        self.0[at] += 1;
        Location::caller().line()
    }
}

/// Returns the line of a panic.
fn panics_at(f: impl FnOnce()) -> u32 {
    thread_local!(static LINE: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            LINE.set(info.location().map_or(0, |location| location.line()));
            before(info);
        }));
    });
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).expect_err("it panics");
    LINE.get()
}

#[test]
fn every_synchronous_function_sees_its_callers_location() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(line(), line!());
            assert_eq!(generic("x", false).unwrap(), ("x", line!()));
            assert_eq!(generic("x", true).unwrap_err(), format!("at {}", line!()));
            let mut store = Store(vec![1]);
            assert_eq!(store.get_there(0), line!());
            assert_eq!((store.get(0), line!()), (2, line!()));
        });
        assert_eq!(out.block_on(async { (made().await, line!()) }), (line!(), line!()));
    });
}

#[test]
fn a_panic_is_at_the_callers_location_and_sets_the_spans_status() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(panics_at(|| assert_eq!(Store(vec![]).get(1), 0)), line!());
            assert_eq!(panics_at(|| never(None)), line!());
        });
        assert_eq!(out.span("Store::get").status, Status::error("panic"));
        assert_eq!(out.span("never").status, Status::error("panic"));
        assert_eq!(messages(out), ["called", "panicked", "called", "panicked"]);
    });
}

#[test]
fn an_early_return_is_logged() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(parses("12").ok(), Some(13));
            assert!(parses("x").is_err());
            assert_eq!(first(&[1, 5]), Some(6));
            assert_eq!(first(&[1]), None);
            assert!(polls(Poll::Ready("x".parse::<u8>().map_err(Own))).is_ready_and_err());
            assert_eq!(gives(&[1, 2]).collect::<Vec<_>>(), [2]);
        });
        let ends: Vec<_> = out
            .events()
            .iter()
            .filter_map(|event| {
                let (name, fields) = (event["span"]["name"].as_str()?, &event["fields"]);
                match fields["message"].as_str()? {
                    "returned" => Some(format!("{name} returned {}", fields["return"])),
                    "failed" => Some(format!("{name} failed {}", fields["error"])),
                    _ => None,
                }
            })
            .collect();
        assert_eq!(
            ends[..4],
            [
                "parses returned 13",
                "parses failed \"no number\"",
                "first returned \"Some(6)\"",
                "first returned \"None\""
            ]
        );
        assert!(ends[4].starts_with("polls returned"), "{ends:?}");
        assert!(ends[5].starts_with("gives returned"), "{ends:?}");
    });
}

trait IsErr {
    fn is_ready_and_err(&self) -> bool;
}

impl<T, E> IsErr for Poll<Result<T, E>> {
    fn is_ready_and_err(&self) -> bool {
        matches!(self, Poll::Ready(Err(_)))
    }
}

#[test]
fn track_caller_works_on_a_disabled_function() {
    let out = Outputs::filtered("off");
    out.run(|| {
        assert_eq!(line(), line!());
        assert_eq!(panics_at(|| assert_eq!(Store(vec![]).get(1), 0)), line!());
    });
    assert_eq!(messages(&out), [""; 0]);
}
