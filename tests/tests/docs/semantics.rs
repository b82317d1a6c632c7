//! The examples of `docs/semantics.md`, word for word.

use std::{collections::HashMap, thread};

use ctx_layer::{
    Fields, FutureFieldsExt, InContextExt, Schema, SubscriberFieldsExt, declare_request,
    field::well_known::{ROLE, TENANT_ID, USER_ID},
    propagation::{Trust, extract},
    task::{self, Snapshot},
};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tokio::{runtime, task::LocalSet};
use tracing::{info_span, subscriber::DefaultGuard};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

fn stack() -> DefaultGuard {
    tracing::subscriber::set_default(tracing_subscriber::registry().with_context_fields(Schema::well_known()))
}

/// Returns the current values: `tenant_id=acme user_id=ada`.
fn current() -> String {
    let values: Vec<_> = Fields::current().iter().map(|(field, value)| format!("{}={value}", field.name())).collect();
    values.join(" ")
}

#[test]
fn another_request_of_the_same_tenant_is_another_request() {
    let _stack = stack();
    let request = TENANT_ID.in_scope("acme", || info_span!("request"));
    let _other = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "grace").attach();
    assert_eq!(request.in_scope(current), "tenant_id=acme"); // Grace is the other request's user.
}

#[test]
fn the_innermost_frame_has_the_current_fields() {
    let _stack = stack();
    let request = TENANT_ID.in_scope("acme", || info_span!("request"));
    let _other = TENANT_ID.attach("globex");
    assert_eq!(current(), "tenant_id=globex");
    assert_eq!(request.in_scope(current), "tenant_id=acme");

    let child = info_span!(parent: &request, "child"); // has what is current inside `request`
    assert_eq!(child.in_scope(current), "tenant_id=acme");
    let root = info_span!(parent: None, "root"); // has what is current here
    assert_eq!(root.in_scope(current), "tenant_id=globex");
}

#[test]
fn setting_keeps_the_other_values_and_replacing_hides_them() {
    let _stack = stack();
    let _tenant = TENANT_ID.attach("acme");
    let _user = Fields::new().with(&USER_ID, "ada").attach();
    assert_eq!(current(), "tenant_id=acme user_id=ada");

    let _job = Fields::new().with(&USER_ID, "grace").replace();
    assert_eq!(current(), "user_id=grace");
    assert_eq!(task::isolated(current)(), "");
}

#[tokio::test]
async fn a_future_that_sets_belongs_to_where_it_was_written() {
    let _stack = stack();
    let work = || async { current() }.with_field(&USER_ID, "ada");
    let (inside, outside) = TENANT_ID.in_scope("acme", || (work().with_field(&ROLE, "admin"), work()));
    assert_eq!(inside.await, "tenant_id=acme user_id=ada role=admin");
    // Polled in another request, it has what was current where it was written.
    assert_eq!(outside.with_field(&TENANT_ID, "globex").await, "tenant_id=acme user_id=ada");
}

#[tokio::test]
async fn a_future_written_without_context_joins_unless_it_replaces() {
    let _stack = stack();
    let ada = Fields::new().with(&USER_ID, "ada");
    let joins = async { current() }.with_fields(ada.clone());
    assert_eq!(joins.with_field(&TENANT_ID, "globex").await, "tenant_id=globex user_id=ada");
    let replaces = async { current() }.replace_fields(ada);
    assert_eq!(replaces.with_field(&TENANT_ID, "globex").await, "user_id=ada");
}

#[tokio::test]
async fn a_replacing_wrapper_counts_for_its_future() {
    let _stack = stack();
    let job = || async { current() }.with_field(&USER_ID, "ada").isolated();
    assert_eq!(TENANT_ID.in_scope("acme", job).await, "user_id=ada");
}

#[test]
fn a_span_brings_its_fields_unless_it_is_entered_in_its_request() {
    let _stack = stack();
    let pool = info_span!("pool"); // (a) created where nothing was current
    let tenant = TENANT_ID.attach("acme");
    let request = info_span!("request");
    let user = USER_ID.attach("ada");
    assert_eq!(pool.in_scope(current), "tenant_id=acme user_id=ada");
    assert_eq!(request.in_scope(current), "tenant_id=acme user_id=ada"); // (b) the same request
    drop((user, tenant));
    let _other = USER_ID.attach("grace");
    assert_eq!(request.in_scope(current), "tenant_id=acme"); // (c) another one
}

#[test]
fn a_span_without_fields_belongs_to_the_request_of_its_first_record() {
    let _stack = stack();
    let request = info_span!("request");
    request.in_scope(|| assert!(TENANT_ID.record("acme")));
    let _other = USER_ID.attach("grace");
    assert_eq!(request.in_scope(current), "tenant_id=acme"); // and not Grace
}

#[test]
fn record_sets_the_current_span_and_everything_inside_it() {
    let _stack = stack();
    let request = info_span!("request").entered();
    assert!(TENANT_ID.record("acme"));
    let authenticate = info_span!("authenticate").entered();
    assert!(USER_ID.record("ada"));
    assert_eq!(current(), "tenant_id=acme user_id=ada");
    drop(authenticate);
    assert_eq!(current(), "tenant_id=acme"); // the user was recorded on `authenticate`
    let request = request.exit();
    assert_eq!(thread::spawn(move || request.in_scope(current)).join().unwrap(), "tenant_id=acme");
}

#[test]
fn a_value_recorded_for_a_message_is_not_the_receivers() {
    let _stack = stack();
    let _receiver = info_span!("receiver").entered();
    let message = HashMap::from([("baggage".to_owned(), "tenant_id=acme".to_owned())]);
    extract(&message, Trust::internal()).in_scope(|| {
        assert!(!USER_ID.record("ada")); // no span was set
        assert_eq!(current(), "tenant_id=acme user_id=ada");
    });
    assert_eq!(current(), "");
}

#[test]
fn record_does_nothing_in_isolation_and_in_foreign_contexts() {
    let _stack = stack();
    let _request = TENANT_ID.in_scope("acme", || info_span!("request")).entered();
    let records = || (USER_ID.record("ada"), current());
    assert_eq!(task::isolated(records)(), (false, String::new()));
    let _foreign = Context::new().attach();
    assert_eq!(records(), (false, String::new()));
}

#[test]
fn a_value_can_be_recorded_on_a_given_span_and_on_the_request() {
    let _stack = stack();
    let request = info_span!("request");
    assert!(declare_request(&request));
    let _request = request.enter();
    info_span!("authenticate").in_scope(|| assert!(USER_ID.record_on_request("ada")));
    info_span!("route").in_scope(|| assert!(TENANT_ID.record_on(&request, "acme")));
    assert_eq!(current(), "tenant_id=acme user_id=ada");
}

#[test]
fn a_snapshot_has_what_is_recorded_on_its_span_afterwards() {
    let _stack = stack();
    let request = TENANT_ID.in_scope("acme", || info_span!("request"));
    let snapshot = request.in_scope(Snapshot::capture);
    request.in_scope(|| assert!(USER_ID.record("ada")));
    let elsewhere = thread::spawn(move || snapshot.in_scope(current));
    assert_eq!(elsewhere.join().unwrap(), "tenant_id=acme user_id=ada");
}

#[test]
fn guards_and_spans_end_in_any_order() {
    let _stack = stack();
    let tenant = TENANT_ID.attach("acme");
    let request = info_span!("request").entered();
    let user = USER_ID.attach("ada");
    drop(tenant);
    drop(request);
    assert_eq!(current(), "tenant_id=acme user_id=ada"); // `user` was set over the tenant
    drop(user);
    assert_eq!(current(), "");
}

#[test]
fn baggage_counts_where_the_program_neither_set_nor_unset_the_field() {
    let _stack = stack();
    let baggage = [KeyValue::new("tenant_id", "acme"), KeyValue::new("user_id", "ada")];
    let _baggage = Context::current_with_baggage(baggage).attach();
    assert_eq!(current(), "tenant_id=acme user_id=ada");
    assert_eq!(TENANT_ID.in_scope("globex", current), "tenant_id=globex user_id=ada");
    let _user = USER_ID.unset();
    assert_eq!(current(), "tenant_id=acme");
    let _job = Fields::new().replace();
    assert_eq!(current(), "");
}

#[test]
fn a_foreign_context_replaces_what_is_current() {
    let _stack = stack();
    let context = TENANT_ID.in_scope("acme", Context::current);
    let _other = Fields::new().with(&TENANT_ID, "globex").with(&USER_ID, "grace").attach();
    let foreign = context.attach();
    assert_eq!(current(), "tenant_id=acme");
    drop(foreign);
    let _foreign = Context::new().attach();
    assert_eq!(current(), "");
}

#[test]
fn current_context_includes_recorded_values_for_another_thread() {
    let _stack = stack();
    let _tenant = TENANT_ID.attach("acme");
    let _request = info_span!("request").entered();
    assert!(USER_ID.record("ada"));
    let context = task::current_context().unwrap(); // `Context::current()` may be without the user
    let elsewhere = thread::spawn(move || {
        let _context = context.attach();
        current()
    });
    assert_eq!(elsewhere.join().unwrap(), "tenant_id=acme user_id=ada");
}

#[test]
fn a_span_that_a_filter_switches_off_carries_fields() {
    let warnings = tracing_subscriber::registry().with(LevelFilter::WARN);
    let stack = warnings.with_context_fields(Schema::well_known()).keep_spans(LevelFilter::DEBUG);
    let _stack = tracing::subscriber::set_default(stack);
    let request = TENANT_ID.in_scope("acme", || tracing::debug_span!("request"));
    request.in_scope(|| assert!(USER_ID.record("ada")));
    assert_eq!(request.in_scope(current), "tenant_id=acme user_id=ada");
}

#[test]
fn a_panic_leaves_nothing_behind() {
    let _stack = stack();
    let panicked = thread::spawn(|| {
        let caught = std::panic::catch_unwind(|| TENANT_ID.in_scope("acme", || panic!("it failed")));
        (caught.is_err(), current())
    });
    assert_eq!(panicked.join().unwrap(), (true, String::new()));
}

#[tokio::test]
async fn bare_work_has_the_fields_of_the_scope_that_drives_it() {
    let _stack = stack();
    let local = LocalSet::new();
    let bare = local.spawn_local(async { current() });
    let isolated = local.spawn_local(async { current() }.isolated());
    let propagated = TENANT_ID.in_scope("globex", || local.spawn_local(async { current() }.in_current_context()));
    local.run_until(tokio::task::yield_now()).with_field(&TENANT_ID, "acme").await; // polls all three
    assert_eq!(local.run_until(bare).await.unwrap(), "tenant_id=acme");
    assert_eq!(local.run_until(isolated).await.unwrap(), "");
    assert_eq!(local.run_until(propagated).await.unwrap(), "tenant_id=globex");
}

#[test]
fn a_runtime_that_is_driven_in_isolation_gives_bare_work_nothing() {
    let _stack = stack();
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let bare = runtime.spawn(async { current() });
    let _tenant = TENANT_ID.attach("acme");
    let work = async { (current(), bare.await.unwrap()) }.in_current_context();
    let (work, bare) = task::isolated(|| runtime.block_on(work))();
    assert_eq!((work.as_str(), bare.as_str()), ("tenant_id=acme", ""));
}

#[test]
fn a_span_of_a_shared_target_remembers_nothing() {
    let stack = tracing_subscriber::registry().with_context_fields(Schema::well_known());
    let _stack = tracing::subscriber::set_default(stack.shared_targets(["my_pool::connection"]));
    let connect = || info_span!(target: "my_pool::connection", "connection");
    let connection = TENANT_ID.in_scope("acme", connect);
    let _other = TENANT_ID.attach("globex");
    assert_eq!(connection.in_scope(current), "tenant_id=globex");
}
