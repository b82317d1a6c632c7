//! `context`

use std::fmt;

use ctx_layer::{
    field::well_known::{REQUEST_ID, TENANT_ID, USER_ID},
    with_observability,
};
use ctx_tests::{ATTEMPT, PLAN, Plan, SHARD, Yield, attribute, runtime};
use futures_util::{Stream, StreamExt, future::BoxFuture, stream};
use opentelemetry::Value;
use tracing::info;

use crate::setup::Outputs;

#[with_observability]
fn callee() {
    info!("inside");
}

#[with_observability]
async fn callee_later() {
    Yield::default().await;
    info!("inside");
}

#[with_observability(context = { tenant: TENANT_ID })]
fn sync(tenant: &str) {
    callee();
}

#[with_observability(context = { tenant: TENANT_ID })]
async fn later(tenant: String) -> usize {
    Yield::default().await;
    callee_later().await;
    drop(tenant);
    Yield::default().await;
    info!("at the end");
    0
}

fn assert_everywhere(out: &Outputs) {
    let events = out.events();
    assert!(events.len() >= 5, "{events:#?}");
    for event in events {
        assert_eq!(event["fields"]["tenant_id"], "acme", "{event}");
    }
    for span in out.spans() {
        assert_eq!(attribute(&span.attributes, "tenant_id"), Some("acme".into()), "{}", span.name);
        for event in &span.events.events {
            assert_eq!(attribute(&event.attributes, "tenant_id"), Some("acme".into()), "{}", event.name);
        }
    }
}

#[test]
fn the_field_is_on_the_span_its_events_and_those_of_called_functions() {
    let out = Outputs::with_context();
    out.run(|| sync("acme"));
    assert_eq!(out.spans().len(), 2);
    assert_everywhere(&out);
}

#[test]
fn the_field_is_current_in_async_functions_across_awaits() {
    let out = Outputs::with_context();
    out.block_on(later("acme".into()));
    assert_eq!(out.spans().len(), 2);
    assert_everywhere(&out);
    let out = Outputs::with_context();
    ctx_tests::each_poll_on_a_new_thread(&out.dispatch, later("acme".into()));
    assert_everywhere(&out);
}

#[with_observability(context = { tenant: TENANT_ID })]
fn boxed(tenant: &'static str) -> BoxFuture<'static, ()> {
    info!("made");
    Box::pin(callee_later())
}

#[with_observability(context = { tenant: TENANT_ID })]
fn streamed(tenant: &'static str) -> impl Stream<Item = u8> {
    stream::iter([1, 2]).inspect(|_| callee())
}

#[test]
fn the_field_is_current_in_returned_futures_and_streams() {
    let out = Outputs::with_context();
    out.block_on(async { boxed("acme").await });
    out.block_on(async { streamed("acme").collect::<Vec<_>>().await });
    assert_everywhere(&out);
}

#[test]
fn the_field_is_gone_after_the_call() {
    let out = Outputs::with_context();
    out.run(|| {
        sync("acme");
        info!("afterwards");
    });
    out.block_on(async {
        later("acme".into()).await;
        info!("later");
        assert_eq!(TENANT_ID.get(), None);
    });
    for message in ["afterwards", "later"] {
        assert_eq!(out.fields(message).get("tenant_id"), None);
    }
}

#[test]
fn the_field_is_gone_after_a_panic() {
    #[with_observability(context = { tenant: TENANT_ID })]
    fn panics(tenant: &str) {
        panic!("out of range")
    }
    let out = Outputs::with_context();
    out.run(|| {
        assert!(std::panic::catch_unwind(|| panics("acme")).is_err());
        assert_eq!(TENANT_ID.get(), None);
    });
    assert_eq!(out.fields("panicked")["tenant_id"], "acme");
}

#[test]
fn the_field_does_not_leak_to_other_tasks_or_branches() {
    let out = Outputs::with_context();
    let runtime = runtime(&out.dispatch);
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            runtime.spawn(async move {
                let both = async {
                    tokio::join!(later(format!("tenant-{number}")), async {
                        Yield::default().await;
                        assert_eq!(TENANT_ID.get(), None);
                        info!("beside");
                    })
                };
                both.await;
                assert_eq!(TENANT_ID.get(), None);
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    for event in out.events_named("beside") {
        assert_eq!(event["fields"].get("tenant_id"), None);
    }
    let mut tenants: Vec<_> = out
        .events_named("at the end")
        .iter()
        .map(|event| event["fields"]["tenant_id"].as_str().unwrap().to_owned())
        .collect();
    tenants.sort();
    let mut expected: Vec<_> = (0..20).map(|number| format!("tenant-{number}")).collect();
    expected.sort();
    assert_eq!(tenants, expected);
}

#[with_observability(context = { tenant: TENANT_ID, shard: SHARD })]
fn optional(tenant: Option<&str>, shard: Option<u64>) {
    info!("inside");
}

#[test]
fn an_option_sets_its_value_and_none_keeps_the_current_one() {
    let out = Outputs::with_context();
    out.run(|| {
        optional(Some("acme"), Some(3));
        optional(None, None);
        TENANT_ID.in_scope("globex", || optional(None, Some(4)));
    });
    let inside: Vec<_> = out
        .events_named("inside")
        .iter()
        .map(|event| (event["fields"]["tenant_id"].clone(), event["fields"]["shard"].clone()))
        .collect();
    assert_eq!(inside, [("acme".into(), 3.into()), (().into(), ().into()), ("globex".into(), 4.into())]);
}

#[derive(Clone, Copy, Debug)]
struct Id(u32);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "id-{}", self.0)
    }
}

/// A type with `Display` that is neither cloned nor converted.
struct Request(u8);

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request-{}", self.0)
    }
}

#[with_observability(context = { attempt: ATTEMPT, shard: SHARD, plan: PLAN, id: USER_ID, request: REQUEST_ID })]
fn converted(attempt: i32, shard: u8, plan: &Plan, id: Option<Id>, request: Request) -> Request {
    info!("inside");
    request
}

#[test]
fn a_value_is_converted_to_the_fields_type_or_else_displayed() {
    let out = Outputs::with_context();
    out.run(|| converted(2, 7, &Plan(3), Some(Id(9)), Request(1)));
    let fields = out.fields("inside");
    assert_eq!(fields["attempt"], 2);
    assert_eq!(fields["shard"], 7);
    assert_eq!(fields["plan"], "plan-3");
    assert_eq!(fields["user_id"], "id-9");
    assert_eq!(fields["request_id"], "request-1");
    assert_eq!(out.attribute("converted", "attempt"), Some(Value::I64(2)));
}

struct Session {
    tenant: String,
    user: Id,
}

mod fields {
    pub(super) use ctx_layer::field::well_known::REQUEST_ID as OF_MODULE;
}

impl Session {
    #[with_observability(context = { self.tenant: TENANT_ID, self.user: USER_ID, request.trim(): fields::OF_MODULE })]
    fn run(&self, request: &str) {
        info!("inside");
    }
}

#[test]
fn fields_may_be_paths_and_values_expressions_of_the_arguments() {
    let out = Outputs::with_context();
    out.run(|| Session { tenant: "acme".into(), user: Id(1) }.run(" 17 "));
    let fields = out.fields("inside");
    assert_eq!(fields["tenant_id"], "acme");
    assert_eq!(fields["user_id"], "id-1");
    assert_eq!(fields["request_id"], "17");
}

#[test]
fn the_fields_are_current_without_the_layer_and_if_all_is_disabled() {
    #[with_observability(context = { tenant: TENANT_ID })]
    fn read(tenant: &str) -> Option<String> {
        TENANT_ID.get().map(String::from)
    }
    #[with_observability(context = { tenant: TENANT_ID })]
    async fn read_later(tenant: &str) -> Option<String> {
        Yield::default().await;
        TENANT_ID.get().map(String::from)
    }
    for out in [Outputs::without_context(), Outputs::filtered("off")] {
        assert_eq!(out.run(|| read("acme")).as_deref(), Some("acme"));
        assert_eq!(out.block_on(read_later("acme")).as_deref(), Some("acme"));
    }
}
