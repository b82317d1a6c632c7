//! Work for disabled spans and events is skipped.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use ctx_layer::with_observability;

use crate::setup::{Outputs, messages};

/// A value that counts how often it is formatted.
#[derive(Default)]
struct Watched {
    asked: AtomicUsize,
    shown: AtomicUsize,
    cloned: AtomicUsize,
}

impl Watched {
    fn ask(&self) -> usize {
        self.asked.fetch_add(1, Relaxed)
    }

    fn counts(&self) -> [usize; 3] {
        [&self.asked, &self.shown, &self.cloned].map(|count| count.load(Relaxed))
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fetch_add(1, Relaxed);
        f.write_str("Watched")
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        self.cloned.fetch_add(1, Relaxed);
        Watched::default()
    }
}

#[with_observability(
    name = format!("number {}", watched.ask()),
    attributes_from_args = { watched.ask(): "asked", watched: "shown", watched.clone(): "cloned" },
)]
fn sync(watched: &Watched) -> Option<&Watched> {
    Some(watched)
}

#[with_observability(
    name = format!("number {}", watched.ask()),
    attributes_from_args = { watched.ask(): "asked", watched: "shown", watched.clone(): "cloned" },
)]
async fn later(watched: &Watched) -> Option<&Watched> {
    tokio::task::yield_now().await;
    Some(watched)
}

#[test]
fn if_all_is_disabled_arguments_and_results_are_not_touched() {
    let all = [Outputs::filtered("off"), Outputs::filtered("other_target=trace")];
    for out in &all {
        let watched = Watched::default();
        out.run(|| sync(&watched));
        out.block_on(later(&watched));
        assert_eq!(watched.counts(), [0, 0, 0]);
        assert_eq!(messages(out), [""; 0]);
        assert_eq!(out.spans().len(), 0);
    }
    // Other tests' subscribers alone enable everything: then `tracing` skips the check whether this thread has a
    // subscriber.
    let watched = Watched::default();
    sync(&watched);
    assert_eq!(watched.counts(), [0, 0, 0], "without a subscriber");
}

#[test]
fn if_only_the_span_is_enabled_no_event_formats_the_arguments() {
    let out = Outputs::filtered("info");
    let watched = Watched::default();
    out.run(|| sync(&watched));
    // Both outputs show it: once in the line's fields, once as an attribute.
    let [asked, shown, cloned] = watched.counts();
    assert_eq!((asked, cloned), (2, 1));
    assert!(shown > 0);
    assert_eq!(messages(&out), [""; 0]);
}

#[with_observability(level = "trace")]
fn only_events(value: u8) -> u8 {
    value
}

#[test]
fn if_only_the_events_are_enabled_they_are_emitted_without_a_span() {
    let out = Outputs::filtered("debug");
    out.run(|| only_events(3));
    assert_eq!(messages(&out), ["called", "returned"]);
    assert_eq!(out.event("returned")["fields"]["return"], 3);
    assert_eq!(out.event("returned").get("span"), None);
    assert_eq!(out.spans().len(), 0);
}

#[with_observability]
fn fails() -> Result<(), &'static str> {
    Err("no")
}

#[with_observability]
async fn fails_later() -> Result<(), &'static str> {
    tokio::task::yield_now().await;
    Err("no")
}

#[test]
fn an_error_is_logged_if_the_span_is_disabled_and_errors_are_not() {
    let out = Outputs::filtered("error");
    assert!(out.run(fails).is_err());
    assert!(out.block_on(fails_later()).is_err());
    assert_eq!(messages(&out), ["failed", "failed"]);
    for event in out.events() {
        assert_eq!(event["fields"]["error"], "no");
        assert_eq!(event.get("span"), None);
    }
    assert_eq!(out.spans().len(), 0);
}

#[test]
fn a_disabled_function_returns_its_values() {
    let out = Outputs::filtered("off");
    assert_eq!(out.run(|| only_events(3)), 3);
    assert_eq!(out.block_on(fails_later()), Err("no"));
}
