//! Environment variables: OpenTelemetry's specification of environment variables as context propagation carriers.

use std::process::Command;

use ctx_layer::{
    field::well_known::*,
    propagation::{
        self, Trust,
        carriers::{Environment, normalized_name},
        from_environment,
    },
};

use crate::shared::{PARENT, TRACE, extract, headers, schema};

#[test]
fn names_are_normalized() {
    for (key, name) in [
        ("", "_"),
        ("traceparent", "TRACEPARENT"),
        ("tracestate", "TRACESTATE"),
        ("baggage", "BAGGAGE"),
        ("x-b3-traceid", "X_B3_TRACEID"),
        ("uber.trace id", "UBER_TRACE_ID"),
        ("3d", "_3D"),
        ("_3d", "_3D"),
        ("a=b\0c", "A_B_C"),
        ("zürich", "Z_RICH"),
        ("ß", "_"),
        ("-", "_"),
    ] {
        assert_eq!(normalized_name(key), name, "{key:?}");
        assert_eq!(normalized_name(name), name, "it is normalized already");
    }
}

#[test]
fn get_and_set_normalize_and_keys_are_normalized() {
    let mut variables: Environment =
        [("PATH", "/bin"), ("Path", "x"), ("lower", "y"), ("3D", "z")].into_iter().collect();
    variables.set("trace-parent", "opaque, whatever it is");
    assert_eq!(variables.keys().collect::<Vec<_>>(), ["PATH", "TRACE_PARENT"]);
    assert_eq!(variables.get("Trace.Parent"), Some("opaque, whatever it is"));
    assert_eq!((variables.get("lower"), variables.get("path")), (None, Some("/bin")));
    assert!(!format!("{variables:?}").contains("opaque"), "values may be secrets");
}

/// Runs a test of this program in a process of its own that is started with the current context.
fn in_a_child(test: &str, prepare: impl FnOnce(&mut Command)) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this is a program"));
    command.args(["--exact", "--ignored", "--nocapture", test]);
    prepare(&mut command);
    let output = command.output().expect("it can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
#[ignore = "it is run as a child process"]
fn child() {
    propagation::register(&schema());
    let _context = from_environment(Trust::internal()).attach();
    println!("tenant {:?}", TENANT_ID.get());
    println!("trace {:?}", TRACE_ID.get().map(|id| id.to_string()));
    println!("baggage {:?}", std::env::var("BAGGAGE").ok());
    println!("again {:?}", propagation::capture().get("baggage"));
}

#[test]
fn a_child_process_restores_its_context_with_one_call() {
    let out = in_a_child("env::child", |command| {
        let incoming = [("traceparent", PARENT), ("baggage", "tenant_id=acme,role=admin")];
        extract(&headers(incoming), Trust::internal()).in_scope(|| propagation::inject(command));
    });
    assert!(out.contains("tenant Some(\"acme\")") && out.contains(&format!("trace Some({TRACE:?})")), "{out}");
    assert!(
        out.contains("baggage Some(\"tenant_id=acme\")") && out.contains("again Some(\"tenant_id=acme\")"),
        "{out}"
    );
}

#[test]
fn a_child_does_not_inherit_the_baggage_that_its_parent_was_started_with() {
    let out = in_a_child("env::parent_of_a_child", |command| {
        command.env("BAGGAGE", "tenant_id=of%20the%20parent").env("TRACEPARENT", PARENT);
    });
    assert!(out.contains("grandchild: tenant None"), "{out}");
}

#[test]
#[ignore = "it is run as a child process"]
fn parent_of_a_child() {
    assert!(std::env::var("BAGGAGE").is_ok());
    let out = in_a_child("env::child", propagation::inject);
    println!("grandchild: {}", out.lines().find(|line| line.starts_with("tenant")).unwrap_or_default());
}

#[tokio::test]
async fn tokios_command_is_a_carrier() {
    let mut command = tokio::process::Command::new(std::env::current_exe().expect("this is a program"));
    command.args(["--exact", "--ignored", "--nocapture", "env::child"]);
    TENANT_ID.in_scope("acme", || propagation::inject(&mut command));
    let output = command.output().await.expect("it can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("tenant Some(\"acme\")"), "{text}");
}
