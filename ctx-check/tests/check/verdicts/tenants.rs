//! Tenants.

use ctx_check::{
    FindingKind::{MixedTenants, TenantChange},
    finding::{Cause, Consequence},
};

use crate::{
    scenario::{CONSUMER, INTERNAL, SERVER, assert_healthy, found, only},
    verdicts::{consequence, shop, with_tenants},
};

#[test]
fn a_tenant_that_changes_is_one_finding_also_where_it_changes_back() {
    let mut system = with_tenants(shop(2));
    system.set(2, "tenant_id", "globex");
    system.set(3, "tenant_id", "globex");
    let finding = only(&system.judge(), TenantChange, Cause::Replaced);
    assert_eq!((finding.count, consequence(&finding, Consequence::MixedTraces)), (1, 1));
    assert_eq!(finding.edge.map(|edge| (edge.from, edge.to)), Some(("web".into(), "orders".into())));
    assert_eq!(system.judge().summary.mixed_traces, 1);
}

#[test]
fn two_tenants_side_by_side_are_found_without_a_change() {
    let mut system = shop(1);
    for (span, tenant) in [(1, "acme"), (3, "globex")] {
        system.spans[span].parent = system.spans[0].id;
        system.set(span, "tenant_id", tenant);
    }
    system.spans.truncate(4);
    system.spans.remove(2);
    system.spans[1].kind = INTERNAL;
    system.spans[2].kind = INTERNAL;
    let report = system.judge();
    only(&report, MixedTenants, Cause::SharedWork);
    assert_healthy(&system.judge_with("[services]\nmany_tenants = [\"orders\"]"));
}

#[test]
fn a_record_or_an_event_with_another_tenant_is_found() {
    let mut system = with_tenants(shop(1));
    system.log(0, &[("tenant_id", "globex")]);
    only(&system.judge(), MixedTenants, Cause::Replaced);

    let system = with_tenants(shop(1));
    let event = r#""events":[{"timeUnixNano":"1","name":"e","attributes":[{"key":"tenant_id","value":{"stringValue":"globex"}}]}],"kind""#;
    let file = system.lines().join("\n").replacen(r#""kind""#, event, 1);
    only(&crate::scenario::judge(file, ""), MixedTenants, Cause::Replaced);
}

#[test]
fn a_linked_consumer_belongs_to_the_tenant_of_its_message() {
    let mut system = with_tenants(shop(1));
    let message = system.send(0, "mails");
    system.set(message, "tenant_id", "acme");
    let consumer = system.add(None, "mailer", "process", CONSUMER);
    system.of_queue(consumer, "mails");
    system.set(consumer, "tenant_id", "globex");
    let (trace, id) = (system.spans[message].trace, system.spans[message].id);
    system.spans[consumer].links.push((trace, id));
    let finding = only(&system.judge(), TenantChange, Cause::Replaced);
    assert_eq!(finding.edge.map(|edge| (edge.from, edge.to)), Some(("web".into(), "mailer".into())));
}

#[test]
fn a_link_in_the_place_of_a_parent_hides_no_change_of_the_tenant() {
    let mut system = with_tenants(shop(3));
    let server =
        system.spans.iter().position(|span| span.service == "orders" && span.kind == SERVER).expect("it is there");
    let call = system.spans.iter().find(|span| span.id == system.spans[server].parent).expect("it is there");
    let link = (call.trace, call.id);
    system.tear_off(server);
    system.spans[server].links.push(link);
    let changed =
        system.spans.iter().rposition(|span| span.service == "orders" && span.kind == SERVER).expect("it is there");
    for span in system.below(changed) {
        system.set(span, "tenant_id", "globex");
    }
    assert_eq!(
        found(&system.judge()),
        ["ctx/broken-edge | web -> orders | link_instead_of_parent", "ctx/tenant-change | web -> orders | replaced"]
    );
}

#[test]
fn another_field_can_be_the_tenant() {
    let mut system = with_tenants(shop(1));
    system.set(2, "tenant_id", "globex");
    system.set(0, "org", "a");
    system.set(2, "org", "b");
    let finding = only(&system.judge_with("tenant = \"org\""), TenantChange, Cause::Replaced);
    assert_eq!(finding.count, 1);
}
