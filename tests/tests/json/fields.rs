//! The fields of a line, once each, in order.

use ctx_layer::{
    Fields,
    field::well_known::*,
    output::json::{Format, Group, Member},
};
use serde_json::json;
use tracing::{field::Empty, info, info_span, warn};

use super::{line_of, lines_of, lines_under, strict};

fn two() -> Fields {
    Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada")
}

#[test]
fn a_line_has_the_message_then_own_fields_then_context_fields() {
    let run = || {
        let _guard = two().attach();
        warn!(order = 1042, "placed");
        info!("stored");
    };
    assert_eq!(
        lines_of(|layer| layer, run),
        [
            r#"{"level":"WARN","message":"placed","order":1042,"tenant_id":"acme","user_id":"ada"}"#,
            r#"{"level":"INFO","message":"stored","tenant_id":"acme","user_id":"ada"}"#,
        ]
    );
}

#[test]
fn an_events_own_value_wins_over_the_contexts() {
    let run = || {
        let _guard = two().attach();
        // Twice: the second time, the set is encoded already.
        info!(tenant_id = "globex", "placed");
        info!("stored");
        info!(tenant_id = 7, "placed");
    };
    assert_eq!(
        lines_of(|layer| layer, run),
        [
            r#"{"level":"INFO","message":"placed","tenant_id":"globex","user_id":"ada"}"#,
            r#"{"level":"INFO","message":"stored","tenant_id":"acme","user_id":"ada"}"#,
            r#"{"level":"INFO","message":"placed","tenant_id":7,"user_id":"ada"}"#,
        ]
    );
}

#[test]
fn a_registered_field_that_an_event_leaves_empty_has_the_contexts_value() {
    let line = line_of(|| two().in_scope(|| info!(tenant_id = Empty, note = None::<&str>, "placed")));
    assert_eq!(line, json!({"level": "INFO", "message": "placed", "tenant_id": "acme", "user_id": "ada"}));
}

#[test]
fn the_last_of_two_own_fields_with_one_name_counts() {
    let line = line_of(|| info!(count = 1, count = 2, "counted"));
    assert_eq!(line, json!({"level": "INFO", "message": "counted", "count": 2}));
    let line = line_of(|| info!(count = 1, count = None::<u8>, "counted"));
    assert_eq!(line["count"], 1);
}

#[test]
fn an_own_field_named_like_a_member_is_written_under_fields() {
    let line = line_of(|| info!(level = 3, span = "x", fields.level = 4, line = 9, "named"));
    // `line` is not shown here, and so is free.
    let expected = json!({"level": "INFO", "message": "named", "fields.level": 4, "fields.span": "x", "line": 9});
    assert_eq!(line, expected);
}

#[test]
fn names_of_every_kind_are_keys() {
    let line = line_of(|| info!(r#type = "a", "quo\"ted\n" = 1, "" = 2, http.method = "GET", "named"));
    let expected = json!({
        "level": "INFO", "message": "named", "type": "a", "quo\"ted\n": 1, "": 2, "http.method": "GET",
    });
    assert_eq!(line, expected);
}

#[test]
fn an_event_without_message_has_none() {
    assert_eq!(line_of(|| info!(a = 1)), json!({"level": "INFO", "a": 1}));
}

#[test]
fn constants_are_on_every_line_and_an_own_value_wins_over_them() {
    let layer = |layer: ctx_layer::output::json::JsonLayer| {
        layer.with_constant("service.name", "shop").with_constant("tenant_id", "fixed").with_constant("level", "x")
    };
    let run = || {
        two().in_scope(|| info!("placed"));
        info!(service.name = "other", "placed");
    };
    assert_eq!(
        lines_of(layer, run),
        [
            r#"{"level":"INFO","message":"placed","user_id":"ada","service.name":"shop","tenant_id":"fixed","level_":"x"}"#,
            r#"{"level":"INFO","message":"placed","service.name":"other","tenant_id":"fixed","level_":"x"}"#,
        ]
    );
}

#[test]
fn fields_can_be_nested_and_renamed() {
    let format = || {
        let format = Format::plain().nest(Group::Fields, "fields").nest(Group::Constants, "fields");
        format.name(Member::Message, "msg").rename_field("user_id", "user").rename_field("order", "tenant_id")
    };
    let run = || {
        let _guard = two().attach();
        info!(order = 1042, level = 1, "placed");
        info!("stored");
    };
    let lines = lines_of(|layer| layer.with_format(format()).with_constant("a", "b"), run);
    assert_eq!(
        lines,
        [
            r#"{"level":"INFO","msg":"placed","fields":{"tenant_id":1042,"level":1,"user":"ada"},"fields_":{"a":"b"}}"#,
            r#"{"level":"INFO","msg":"stored","fields":{"tenant_id":"acme","user":"ada"},"fields_":{"a":"b"}}"#,
        ]
    );
    let lines = lines_of(|layer| layer.with_format(format()), || info!("alone"));
    assert_eq!(lines, [r#"{"level":"INFO","msg":"alone"}"#]);
}

#[test]
fn of_two_context_fields_with_one_key_the_first_is_written() {
    let format = || Format::plain().rename_field("user_id", "who").rename_field("role", "who");
    let both = two().with(&ROLE, "admin");
    let run = || {
        // In either order of what the output gets to know first.
        two().in_scope(|| info!("one"));
        both.clone().in_scope(|| info!("both"));
        Fields::new().with(&ROLE, "admin").in_scope(|| info!("other"));
        both.clone().in_scope(|| info!("both again"));
    };
    assert_eq!(
        lines_of(|layer| layer.with_format(format()), run),
        [
            r#"{"level":"INFO","message":"one","tenant_id":"acme","who":"ada"}"#,
            r#"{"level":"INFO","message":"both","tenant_id":"acme","who":"ada"}"#,
            r#"{"level":"INFO","message":"other","who":"admin"}"#,
            r#"{"level":"INFO","message":"both again","tenant_id":"acme","who":"ada"}"#,
        ]
    );
}

#[test]
fn a_line_may_have_nothing_but_fields() {
    let nothing = |layer: ctx_layer::output::json::JsonLayer| {
        layer.with_level(false).with_format(Format::plain().without(Member::Message))
    };
    assert_eq!(lines_of(nothing, || info!("hidden")), ["{}"]);
    assert_eq!(lines_of(nothing, || info!(a = 1, "hidden")), [r#"{"a":1}"#]);
}

#[test]
fn a_message_that_is_not_the_first_field_is_written_first() {
    // As `tracing`'s macros do if the message is given as a field.
    let run = || two().in_scope(|| info!(order = 1, message = "placed", rows = 2));
    let lines = lines_of(|layer| layer, run);
    assert_eq!(lines, [r#"{"level":"INFO","message":"placed","order":1,"rows":2,"tenant_id":"acme","user_id":"ada"}"#]);
}

#[test]
fn recorded_values_are_on_the_lines_that_follow() {
    let run = || {
        let _request = info_span!("request").entered();
        info!("before");
        assert!(USER_ID.record("ada"));
        info!("after");
    };
    let lines = lines_under(|layer| layer.with_current_span(false), run);
    assert_eq!(
        lines.iter().map(|line| strict::parse(line)["user_id"].clone()).collect::<Vec<_>>(),
        [json!(null), json!("ada")]
    );
}

#[test]
fn an_event_with_an_explicit_parent_has_that_parents_fields() {
    let run = || {
        let request = two().in_scope(|| info_span!("request"));
        let _other = TENANT_ID.attach("globex");
        info!(parent: &request, "of the request");
        info!(parent: None, "of none");
        info!("here");
    };
    let values: Vec<_> = lines_under(|layer| layer, run)
        .iter()
        .map(|line| strict::parse(line))
        .map(|line| (line["tenant_id"].clone(), line["user_id"].clone(), line["span"]["name"].clone()))
        .collect();
    let nothing = json!(null);
    assert_eq!(
        values,
        [
            (json!("acme"), json!("ada"), json!("request")),
            (json!("globex"), nothing.clone(), nothing.clone()),
            (json!("globex"), nothing.clone(), nothing),
        ]
    );
}

#[test]
fn baggage_counts_as_for_other_outputs() {
    use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
    let run = || {
        let _baggage = Context::current_with_baggage([KeyValue::new("tenant_id", "acme")]).attach();
        USER_ID.in_scope("ada", || info!("placed"));
    };
    // Registered by the subscriber: alone, no schema has the field.
    let lines = lines_under(|layer| layer, run);
    assert_eq!(lines, [r#"{"level":"INFO","message":"placed","tenant_id":"acme","user_id":"ada"}"#]);
}

#[test]
fn file_line_and_thread_are_shown_on_request() {
    let run = || info!("placed");
    let named = || {
        std::thread::Builder::new().name("wor\"ker".into()).spawn(move || {
            let all = |layer: ctx_layer::output::json::JsonLayer| {
                layer.with_file(true).with_line_number(true).with_thread_names(true).with_thread_ids(true)
            };
            lines_of(all, run)
        })
    };
    let line = strict::parse(&named().unwrap().join().unwrap()[0]);
    assert_eq!(line["file"], file!());
    assert!(line["line"].as_u64().is_some_and(|line| line < u64::from(line!())), "{line}");
    assert_eq!(line["thread_name"], "wor\"ker");
    assert!(line["thread_id"].as_u64().is_some_and(|id| id > 1), "{line}");
}

#[test]
fn records_of_the_log_crate_have_their_own_target_and_source() {
    // As `tracing-log` passes them on.
    let run = || {
        tracing::event!(
            name: "log event",
            target: "log",
            tracing::Level::INFO,
            message = "from log",
            log.target = "old::module",
            log.module_path = "old::module",
            log.file = "src/old.rs",
            log.line = 7_u64,
        );
    };
    let lines = lines_of(|layer| layer.with_target(true).with_file(true).with_line_number(true), run);
    let expected = r#"{"level":"INFO","target":"old::module","message":"from log","file":"src/old.rs","line":7}"#;
    assert_eq!(lines, [expected]);
}
