//! `log_level`, and `level` beside it

use ctx_layer::with_observability;
use tracing::Level;

use crate::setup::{Outputs, messages, with_and_without_context};

const LEVEL: Level = Level::WARN;

#[with_observability(log_level = info)]
fn by_word() {}

#[with_observability(log_level = "trace")]
fn by_text() {}

#[with_observability(log_level = Level::ERROR)]
fn by_path() {}

#[with_observability(log_level = LEVEL)]
async fn by_constant() {}

#[with_observability(log_level = 3)]
fn by_number() {}

#[test]
fn call_and_result_have_the_given_level() {
    with_and_without_context(|out| {
        for (call, level) in [(by_word as fn(), "INFO"), (by_text, "TRACE"), (by_path, "ERROR"), (by_number, "INFO")] {
            let before = out.events().len();
            out.run(call);
            let levels: Vec<_> = out.events()[before..].iter().map(|event| event["level"].clone()).collect();
            assert_eq!(levels, [level, level]);
        }
        out.block_on(by_constant());
        assert_eq!(out.events().last().unwrap()["level"], "WARN");
    });
}

#[with_observability(level = "trace", log_level = info)]
fn span_below_its_events() -> Result<(), &'static str> {
    Err("no")
}

#[with_observability]
fn by_default() -> Result<u8, String> {
    Ok(1)
}

#[test]
fn the_spans_level_is_independent() {
    let out = Outputs::filtered("debug");
    assert_eq!(out.run(span_below_its_events), Err("no"));
    assert_eq!(messages(&out), ["called", "failed"]);
    assert!(out.spans().is_empty());
}

#[test]
fn an_error_has_its_own_level() {
    with_and_without_context(|out| {
        let _ = out.run(span_below_its_events);
        assert_eq!(out.event("called")["level"], "INFO");
        assert_eq!(out.event("failed")["level"], "ERROR");
    });
}

#[test]
fn at_info_only_the_span_is_left() {
    let out = Outputs::filtered("info");
    let _ = out.run(by_default);
    assert_eq!(messages(&out), [""; 0]);
    assert_eq!(out.spans().len(), 1);
}

#[with_observability(ret(level = "warn", Display), log_args = false)]
fn ret_goes_over_it() -> u8 {
    7
}

#[test]
fn the_level_of_ret_overrides_it_for_the_result() {
    with_and_without_context(|out| {
        out.run(ret_goes_over_it);
        let returned = out.event("returned");
        assert_eq!(returned["level"], "WARN");
        assert_eq!(returned["fields"]["return"], "7");
    });
}
