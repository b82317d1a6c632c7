//! `log_args`

use ctx_layer::with_observability;
use serde_json::json;

use crate::setup::{messages, with_and_without_context};

struct Opaque;

#[derive(Debug)]
struct Point {
    #[allow(dead_code, reason = "`Debug` reads it")]
    x: i32,
}

#[with_observability]
fn draw(at: Point, colour: &str, width: f64, layers: u8, fill: bool, opaque: Opaque, label: Option<&str>) -> Point {
    let _ = (colour, width, layers, fill, opaque, label);
    at
}

#[test]
fn the_call_is_an_event_with_typed_arguments_in_their_order() {
    with_and_without_context(|out| {
        out.run(|| draw(Point { x: 1 }, "red", 0.5, 2, true, Opaque, None));
        let called = out.event("called");
        assert_eq!(
            called["fields"],
            json!({
                "message": "called",
                "at": "Point { x: 1 }",
                "colour": "red",
                "width": 0.5,
                "layers": 2,
                "fill": true,
                "opaque": std::any::type_name::<Opaque>(),
            })
        );
        assert_eq!(called["level"], "DEBUG");
        assert_eq!(called["target"], module_path!());
        assert_eq!(called["span"]["name"], "draw");
    });
}

#[with_observability(log_args = false)]
fn quiet(_x: u8) {}

#[test]
fn without_log_args_there_is_no_event_of_the_call() {
    with_and_without_context(|out| {
        out.run(|| quiet(1));
        assert_eq!(messages(out), ["returned"]);
    });
}

#[with_observability(skip(body))]
fn skipping(id: u8, body: &str) {
    let _ = (id, body);
}

#[with_observability(skip_all)]
fn skipping_all(id: u8, body: &str) {
    let _ = (id, body);
}

#[test]
fn skipped_arguments_are_not_on_the_event() {
    with_and_without_context(|out| {
        out.run(|| skipping(1, "long"));
        assert_eq!(out.fields("called"), json!({ "message": "called", "id": 1 }));
    });
    with_and_without_context(|out| {
        out.run(|| skipping_all(1, "long"));
        assert_eq!(out.fields("called"), json!({ "message": "called" }));
    });
}

#[with_observability]
fn speaking(message: &str) {}

#[test]
fn an_argument_called_message_does_not_replace_the_events_message() {
    with_and_without_context(|out| {
        out.run(|| speaking("hello"));
        assert_eq!(out.fields("called"), json!({ "message": "called", "args.message": "hello" }));
    });
}

#[with_observability]
async fn later(id: u8) -> u8 {
    tokio::task::yield_now().await;
    id
}

#[test]
fn the_call_of_an_async_function_is_logged_in_its_span_at_the_first_poll() {
    with_and_without_context(|out| {
        let future = out.run(|| later(3));
        assert_eq!(messages(out), [""; 0]);
        out.block_on(future);
        let called = out.event("called");
        assert_eq!(called["fields"]["id"], 3);
        assert_eq!(called["span"]["name"], "later");
        assert_eq!(messages(out), ["called", "returned"]);
    });
}

#[test]
fn the_call_is_an_event_of_the_exported_span() {
    with_and_without_context(|out| {
        out.run(|| skipping(1, "long"));
        let span = out.span("skipping");
        let names: Vec<_> = span.events.events.iter().map(|event| event.name.to_string()).collect();
        assert_eq!(names, ["called", "returned"]);
    });
}
