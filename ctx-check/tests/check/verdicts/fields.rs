//! Required fields.

use ctx_check::{
    FindingKind::{BrokenEdge, MissingField},
    finding::{Cause, Consequence},
};

use crate::{
    scenario::{CLIENT, INTERNAL, SERVER, assert_healthy, only},
    verdicts::{REQUIRED, consequence, shop, with_tenants},
};

#[test]
fn a_field_that_is_lost_is_one_finding_however_far_it_is_missing() {
    let mut system = with_tenants(shop(2));
    for span in system.below(2) {
        system.spans[span].attributes.retain(|(key, _)| key != "tenant_id");
        system.log(span, &[]);
    }
    let finding = only(&system.judge_with(REQUIRED), MissingField, Cause::NotPropagated);
    // Three spans and the three log records in them.
    assert_eq!((finding.count, finding.field.as_deref()), (6, Some("tenant_id")));
    assert_eq!(finding.edge.map(|edge| (edge.from, edge.to)), Some(("web".into(), "orders".into())));
    assert_eq!(system.judge_with(REQUIRED).summary.missing_fields, 6);
}

#[test]
fn where_a_field_was_lost_names_the_cause() {
    let mut system = with_tenants(shop(1));
    system.add(Some(0), "web", "spawned", INTERNAL);
    only(&system.judge_with(REQUIRED), MissingField, Cause::NotCarried);

    let mut system = shop(1);
    assert_eq!(only(&system.judge_with(REQUIRED), MissingField, Cause::NotSetAtEntry).count, 5);
    system = with_tenants(system);
    system.log(0, &[("tenant_id", "acme")]);
    assert_healthy(&system.judge_with(REQUIRED));
    system.log(0, &[]);
    only(&system.judge_with(REQUIRED), MissingField, Cause::OutsideOfContext);
}

#[test]
fn fields_that_a_broken_edge_loses_are_its_consequence() {
    let mut system = with_tenants(shop(3));
    for span in system.below(2) {
        system.spans[span].attributes.retain(|(key, _)| key != "tenant_id");
    }
    system.tear_off(2);
    let finding = only(&system.judge_with(REQUIRED), BrokenEdge, Cause::HeaderStripped);
    assert_eq!(consequence(&finding, Consequence::MissingFields), 3);

    let mut system = with_tenants(shop(2));
    for span in system.below(2) {
        system.spans[span].attributes.retain(|(key, _)| key != "tenant_id");
    }
    system.spans[2].parent = 999;
    let finding = only(&system.judge_with(REQUIRED), BrokenEdge, Cause::HopBetween);
    assert_eq!(consequence(&finding, Consequence::MissingFields), 3);
}

#[test]
fn health_checks_pollers_and_exempt_services_need_no_fields() {
    let mut system = with_tenants(shop(1));
    let health = system.add(None, "web", "GET /healthz", SERVER);
    system.add(Some(health), "web", "ask the database", INTERNAL);
    let by_route = system.add(None, "web", "GET", SERVER);
    system.set(by_route, "http.route", "/ready");
    let poll = system.add(None, "mailer", "poll", CLIENT);
    system.of_queue(poll, "mails");
    system.set(poll, "messaging.operation.type", "receive");
    assert_healthy(&system.judge_with(REQUIRED));
    let job = system.add(None, "cron", "nightly", INTERNAL);
    system.log(job, &[]);
    only(&system.judge_with(REQUIRED), MissingField, Cause::NotSetAtEntry);
    assert_healthy(&system.judge_with(&format!("{REQUIRED}\n[services]\nexempt = [\"cron\"]")));
    assert_healthy(
        &system.judge_with(&format!("{REQUIRED}\n[exempt]\nspans = [\"nightly\", \"*/healthz\", \"/ready\"]")),
    );
}

#[test]
fn services_below_an_exempt_one_need_their_fields() {
    let mut system = with_tenants(shop(1));
    for span in [0, 1, 2, 3, 4] {
        system.spans[span].attributes.retain(|(key, _)| key != "tenant_id");
    }
    let finding = only(
        &system.judge_with(&format!("{REQUIRED}\n[services]\nexempt = [\"web\"]")),
        MissingField,
        Cause::NotPropagated,
    );
    assert_eq!(finding.count, 3);
}

#[test]
fn a_field_may_be_on_the_resource_and_be_an_integer() {
    let mut system = shop(1);
    for service in ["web", "orders"] {
        system.resources.insert(service.to_owned(), vec![("tenant_id".to_owned(), "7".to_owned())]);
    }
    for span in 0..system.spans.len() {
        if system.spans[span].service == "stock" {
            system.set(span, "tenant_id", "7");
        }
    }
    assert_healthy(&system.judge_with(REQUIRED));
    // The string and the integer are one value.
    let file = system.lines().join("\n").replace(r#""intValue":"7""#, r#""stringValue":"7""#);
    assert_healthy(&crate::scenario::judge(format!("{file}\n{}", system.lines()[0]), REQUIRED));
}

#[test]
fn a_task_without_the_context_of_its_request_is_named_as_that() {
    let mut system = with_tenants(shop(2));
    let task = system.add(None, "orders", "warm the cache", INTERNAL);
    system.add(Some(task), "orders", "load", INTERNAL);
    let finding = only(&system.judge_with(REQUIRED), MissingField, Cause::NotCarried);
    assert_eq!((&*finding.service, finding.count), ("orders", 2));
    // A service that serves nothing has jobs of its own, which set the field where they start.
    system.spans[task].service = "cron".to_owned();
    system.spans[task + 1].service = "cron".to_owned();
    only(&system.judge_with(REQUIRED), MissingField, Cause::NotSetAtEntry);
}
