//! `log_result`

use std::{fmt, time::Duration};

use ctx_layer::with_observability;

use crate::setup::{messages, with_and_without_context};

struct Opaque;

struct OnlyDisplay;

impl fmt::Display for OnlyDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")
    }
}

#[with_observability]
fn number() -> u64 {
    7
}

#[with_observability]
fn text() -> &'static str {
    "text"
}

#[with_observability]
fn owned() -> String {
    "owned".to_owned()
}

#[with_observability]
fn list() -> Vec<u8> {
    vec![1, 2]
}

#[with_observability]
fn tuple() -> (u8, bool) {
    (1, true)
}

#[with_observability]
fn array() -> [u8; 2] {
    [1, 2]
}

#[with_observability]
fn displayed() -> OnlyDisplay {
    OnlyDisplay
}

#[with_observability]
fn opaque() -> Opaque {
    Opaque
}

#[with_observability]
fn some() -> Option<u8> {
    Some(1)
}

#[with_observability]
fn none() -> Option<u8> {
    Option::None
}

#[with_observability]
fn opaque_option() -> Option<Opaque> {
    Some(Opaque)
}

#[with_observability]
fn ok() -> Result<u8, Opaque> {
    Ok(3)
}

#[with_observability]
fn ok_text() -> std::io::Result<String> {
    Ok("text".into())
}

#[with_observability]
fn ok_opaque() -> Result<Opaque, Opaque> {
    Ok(Opaque)
}

#[with_observability]
fn hidden() -> impl fmt::Debug {
    3
}

#[test]
fn the_result_is_an_event_with_the_value_in_its_best_form() {
    with_and_without_context(|out| {
        out.run(|| {
            number();
            text();
            owned();
            list();
            tuple();
            array();
            displayed();
            opaque();
            some();
            none();
            opaque_option();
            let _ = ok();
            ok_text().unwrap();
            let _ = ok_opaque();
            let _ = hidden();
        });
        let name = std::any::type_name::<Opaque>();
        let expected: [(&str, serde_json::Value); 15] = [
            ("number", 7.into()),
            ("text", "text".into()),
            ("owned", "owned".into()),
            ("list", "[1, 2]".into()),
            ("tuple", "(1, true)".into()),
            ("array", "[1, 2]".into()),
            ("displayed", "shown".into()),
            ("opaque", name.into()),
            ("some", "Some(1)".into()),
            ("none", "None".into()),
            ("opaque_option", format!("core::option::Option<{name}>").into()),
            ("ok", 3.into()),
            ("ok_text", "text".into()),
            ("ok_opaque", name.into()),
            ("hidden", 3.into()),
        ];
        let returned = out.events_named("returned");
        assert_eq!(returned.len(), expected.len());
        for (event, (span, value)) in returned.iter().zip(expected) {
            assert_eq!(event["span"]["name"], span);
            assert_eq!(event["fields"]["return"], value, "{span}");
            assert_eq!(event["level"], "DEBUG");
        }
    });
}

#[with_observability]
fn unit() {}

#[with_observability]
fn ok_unit() -> Result<(), Opaque> {
    Ok(())
}

#[test]
fn a_unit_result_is_left_out_of_its_event() {
    with_and_without_context(|out| {
        out.run(|| {
            unit();
            let _ = ok_unit();
        });
        let returned = out.events_named("returned");
        assert_eq!(returned.len(), 2);
        for event in returned {
            assert_eq!(event["fields"].get("return"), None);
            assert!(event["fields"]["elapsed_ms"].is_f64());
        }
    });
}

#[with_observability]
async fn later() -> u8 {
    tokio::time::sleep(Duration::from_millis(1)).await;
    4
}

#[test]
fn the_event_has_the_elapsed_time_and_for_async_functions_the_busy_time() {
    with_and_without_context(|out| {
        out.run(number);
        let sync = out.fields("returned");
        assert!(sync["elapsed_ms"].as_f64().unwrap() >= 0.0);
        assert_eq!(sync.get("busy_ms"), None);
    });
    with_and_without_context(|out| {
        out.block_on(later());
        let later = out.fields("returned");
        assert_eq!(later["return"], 4);
        assert!(later["elapsed_ms"].as_f64().unwrap() >= 1.0);
        assert!(later["busy_ms"].as_f64().unwrap() >= 0.0);
    });
}

#[with_observability(log_result = false, log_args = false)]
fn quiet() -> u8 {
    1
}

#[with_observability(log_result = false)]
async fn quiet_later() -> u8 {
    1
}

#[test]
fn without_log_result_there_is_no_event_of_it() {
    with_and_without_context(|out| {
        out.run(quiet);
        out.block_on(quiet_later());
        assert_eq!(messages(out), ["called"]);
        assert_eq!(out.spans().len(), 2);
    });
}

#[with_observability]
fn fails() -> Result<u8, String> {
    Err("no".to_owned())
}

#[test]
fn a_failure_is_not_logged_as_a_result() {
    with_and_without_context(|out| {
        let _ = out.run(fails);
        assert_eq!(messages(out), ["called", "failed"]);
    });
}

#[with_observability(ret(Display))]
fn as_display() -> &'static str {
    "text"
}

#[with_observability(ret(Debug))]
fn as_debug() -> &'static str {
    "text"
}

#[test]
fn ret_chooses_the_form_of_the_value() {
    with_and_without_context(|out| {
        out.run(|| (as_display(), as_debug()));
        let values: Vec<_> =
            out.events_named("returned").iter().map(|event| event["fields"]["return"].clone()).collect();
        assert_eq!(values, ["text", "\"text\""]);
    });
}
