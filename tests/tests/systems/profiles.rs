//! A service whose methods are observed, as in `examples/profile_service.rs`, with work that is spawned and logs.

use ctx_layer::{field::well_known::TENANT_ID, prelude::*};

use crate::system::{System, found};

/// The part that is taken out of the service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Removed {
    Nothing,
    /// The spawned task has no context.
    Task,
    /// The request has no tenant.
    Tenant,
}

#[with_observability(kind = server, context = { tenant: TENANT_ID }, skip(removed))]
async fn get(tenant: &str, id: u64, removed: Removed) -> u64 {
    let _ = tenant;
    load_elsewhere(id, removed).await
}

#[with_observability(kind = server, skip(removed))]
async fn get_without_tenant(id: u64, removed: Removed) -> u64 {
    load_elsewhere(id, removed).await
}

async fn load_elsewhere(id: u64, removed: Removed) -> u64 {
    let task = match removed {
        Removed::Task => tokio::spawn(load(id)),
        _ => tokio::spawn(load(id).in_current_context()),
    };
    task.await.expect("it has no panic")
}

#[with_observability]
async fn load(id: u64) -> u64 {
    tracing::info!(id, "loaded");
    id
}

fn run(removed: Removed) -> ctx_check::Report {
    let mut system = System::new(&["http/protobuf"]);
    system.start("profiles", move || async move {
        for tenant in ["acme", "globex"] {
            match removed {
                Removed::Tenant => get_without_tenant(7, removed).await,
                _ => get(tenant, 7, removed).await,
            };
        }
    });
    system.judge("require = [\"tenant_id\"]\n[services]\nentry = [\"profiles\"]")
}

#[test]
fn a_service_that_carries_its_context_into_tasks_is_healthy() {
    let report = run(Removed::Nothing);
    assert_eq!(found(&report), [""; 0]);
    assert_eq!((report.summary.traces, report.summary.spans), (2, 4));
    assert!(report.summary.logs >= 2);
}

#[test]
fn a_task_without_its_context_is_found() {
    let report = run(Removed::Task);
    assert_eq!(found(&report), ["ctx/missing-field | profiles | not_carried"]);
}

#[test]
fn a_request_without_its_tenant_is_found() {
    let report = run(Removed::Tenant);
    assert_eq!(found(&report), ["ctx/missing-field | profiles | not_set_at_entry"]);
}
