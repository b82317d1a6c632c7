//! Broken edges, their causes, and calls that need no server.

use ctx_check::{
    FindingKind::BrokenEdge,
    finding::{Cause, Consequence},
};

use crate::{
    scenario::{INTERNAL, SERVER, Scenario, assert_healthy, found, only},
    verdicts::{consequence, shop},
};

#[test]
fn a_lost_server_span_is_one_finding_with_its_orphans() {
    let mut system = shop(2);
    system.remove(2);
    let finding = only(&system.judge(), BrokenEdge, Cause::SpanLost);
    assert_eq!(finding.edge.as_ref().map(|edge| (&*edge.from, &*edge.to)), Some(("web", "orders")));
    assert_eq!(consequence(&finding, Consequence::Orphans), 1);
}

#[test]
fn a_header_that_is_stripped_is_one_finding_with_its_new_traces() {
    let mut system = shop(3);
    system.tear_off(2);
    let report = system.judge_with("[services]\nentry = [\"web\"]");
    let finding = only(&report, BrokenEdge, Cause::HeaderStripped);
    assert_eq!((finding.count, finding.of), (1, 3));
    assert_eq!(consequence(&finding, Consequence::Roots), 1);
}

#[test]
fn callers_and_callees_without_a_propagator_are_different_causes() {
    // Everything that `web` sends is lost, and `orders` reads what `admin` sends.
    let mut system = Scenario::default();
    for _ in 0..3 {
        let web = system.add(None, "web", "GET /", SERVER);
        let (_, orders) = system.reach(web, "orders");
        system.tear_off(orders);
        let admin = system.add(None, "admin", "GET /", SERVER);
        system.reach(admin, "orders");
    }
    let finding = only(&system.judge(), BrokenEdge, Cause::NoPropagatorInCaller);
    assert_eq!(finding.edge.map(|edge| edge.from).as_deref(), Some("web"));

    // What `web` sends arrives at `stock`, and nothing arrives at `orders`.
    let mut system = Scenario::default();
    for _ in 0..3 {
        let web = system.add(None, "web", "GET /", SERVER);
        let (_, orders) = system.reach(web, "orders");
        system.tear_off(orders);
        system.reach(web, "stock");
    }
    only(&system.judge(), BrokenEdge, Cause::NoPropagatorInCallee);

    // Nothing tells.
    let mut system = Scenario::default();
    let web = system.add(None, "web", "GET /", SERVER);
    let (_, orders) = system.reach(web, "orders");
    system.tear_off(orders);
    only(&system.judge(), BrokenEdge, Cause::NoPropagator);
}

#[test]
fn another_version_of_opentelemetry_is_named_as_the_cause() {
    let mut system = shop(1);
    system.tear_off(2);
    let mut lines = system.lines();
    // `stock` is the last span: the second version is that of another instance of `orders`.
    let old = system.spans[2].line(&[("telemetry.sdk.version".to_owned(), "0.27.0".to_owned())]);
    let new = system.spans[3].line(&[("telemetry.sdk.version".to_owned(), "0.33.0".to_owned())]);
    (lines[2], lines[3]) = (old, new);
    let report = crate::scenario::judge(lines.join("\n"), "");
    only(&report, BrokenEdge, Cause::AnotherVersion);
}

#[test]
fn a_link_in_the_place_of_a_parent_is_one_finding() {
    let mut system = shop(2);
    let (trace, id) = (system.spans[1].trace, system.spans[1].id);
    system.tear_off(2);
    system.spans[2].links.push((trace, id));
    let finding = only(&system.judge_with("[services]\nentry = \"web\""), BrokenEdge, Cause::LinkInsteadOfParent);
    assert_eq!((finding.count, finding.of), (1, 2));
}

#[test]
fn a_hop_with_spans_of_its_own_is_one_finding_with_its_orphan() {
    let mut system = shop(2);
    system.spans[2].parent = 999;
    let finding = only(&system.judge(), BrokenEdge, Cause::HopBetween);
    assert_eq!(consequence(&finding, Consequence::Orphans), 1);
    assert_eq!(finding.span_ids.len(), 2);
}

#[test]
fn a_second_root_that_a_call_explains_is_part_of_the_broken_edge() {
    let mut system = shop(2);
    system.spans[2].parent = 0;
    let finding = only(&system.judge(), BrokenEdge, Cause::ParentDropped);
    assert_eq!(consequence(&finding, Consequence::Roots), 1);
}

#[test]
fn a_service_without_server_spans_is_not_instrumented() {
    let mut system = shop(1);
    system.call(0, "legacy.internal");
    assert_healthy(&system.judge());
    assert_eq!(
        system.judge().edges.iter().find(|edge| edge.to == "legacy.internal").map(|edge| edge.state),
        Some("external")
    );
    let finding = only(&system.judge_with("[addresses]\nown = [\"*.internal\"]"), BrokenEdge, Cause::NotInstrumented);
    assert_eq!(finding.edge.map(|edge| edge.to).as_deref(), Some("legacy.internal"));
}

#[test]
fn third_parties_databases_and_brokers_need_no_server_span() {
    let mut system = shop(1);
    system.call(0, "api.stripe.com");
    let query = system.call(0, "orders");
    system.set(query, "db.system.name", "postgresql");
    let publish = system.call(0, "orders");
    system.set(publish, "messaging.system", "rabbitmq");
    assert_healthy(&system.judge());
    // Also if the address is the name of a service.
    system.call(0, "stock");
    assert_healthy(&system.judge_with("[addresses]\nthird_party = [\"stock\", \"*.stripe.com\"]"));
}

#[test]
fn calls_that_failed_on_their_way_need_no_server_span() {
    let mut system = shop(1);
    // Refused.
    let refused = system.call(0, "orders");
    system.spans[refused].attributes.retain(|(key, _)| key != "http.response.status_code");
    system.spans[refused].is_error = true;
    // Answered by a gateway, under the names of the old conventions and the new ones.
    for (key, status) in
        [("http.response.status_code", "503"), ("http.status_code", "502"), ("rpc.grpc.status_code", "14")]
    {
        let answered = system.call(0, "orders");
        system.spans[answered].attributes.retain(|(key, _)| key != "http.response.status_code");
        system.set(answered, key, status);
        system.spans[answered].is_error = true;
    }
    // A retry that succeeds reaches its server.
    system.reach(0, "orders");
    assert_healthy(&system.judge());
    // What a server answered needs its span, errors included.
    let error = system.call(0, "orders");
    system.set(error, "http.response.status_code", "500");
    system.spans[error].is_error = true;
    only(&system.judge(), BrokenEdge, Cause::SampledAway);
}

#[test]
fn a_service_may_call_itself() {
    let mut system = Scenario::default();
    let root = system.add(None, "web", "GET /", SERVER);
    system.reach(root, "web");
    assert_healthy(&system.judge());
    // And if it loses its context on that way, it is found like any other.
    let mut broken = Scenario::default();
    for number in 0..2 {
        let root = broken.add(None, "web", "GET /", SERVER);
        let (_, server) = broken.reach(root, "web");
        if number == 0 {
            broken.tear_off(server);
        }
    }
    only(&broken.judge(), BrokenEdge, Cause::HeaderStripped);
}

#[test]
fn the_old_conventions_name_the_other_side_too() {
    for key in ["peer.service", "net.peer.name", "http.url", "server.address", "url.full"] {
        let mut system = shop(1);
        let value = if key.ends_with("url") || key == "url.full" { "http://orders:8080/x?y" } else { "orders" };
        let call = system.call(0, "");
        system.spans[call].attributes.retain(|(key, _)| key != "server.address");
        system.set(call, key, value);
        let finding = only(&system.judge(), BrokenEdge, Cause::SampledAway);
        assert_eq!(finding.edge.map(|edge| edge.to).as_deref(), Some("orders"), "{key}");
    }
}

#[test]
fn two_client_spans_one_around_the_other_are_one_call() {
    // A library's span around that of its transport. Whichever of the two was injected, the call arrived.
    for outer_is_injected in [false, true] {
        let mut system = shop(2);
        let (outer, server) = system.reach(2, "stock");
        let inner = system.call(outer, "stock");
        system.spans[server].parent = system.spans[if outer_is_injected { outer } else { inner }].id;
        let report = system.judge();
        assert_healthy(&report);
        let edge = report.edges.iter().find(|edge| edge.from == "orders" && edge.to == "stock").expect("it is there");
        assert_eq!(edge.connected, 4, "the shop's two, and the two spans of this call");
        // Neither of them: then it is one call that is broken, and not two.
        system.tear_off(server);
        let finding = only(&system.judge(), BrokenEdge, Cause::HeaderStripped);
        assert_eq!(finding.count, 1);
    }
}

#[test]
fn an_edge_tells_the_cause_of_another_one_that_tells_nothing() {
    // `stock` reads nothing: `orders` shows it, whose calls to others arrive. `cron` calls nothing else.
    let mut system = shop(3);
    for place in (0..system.spans.len()).rev() {
        if system.spans[place].service == "stock" {
            system.tear_off(place);
        }
    }
    for _ in 0..3 {
        let orders = system.spans.iter().position(|span| span.service == "orders").expect("it is there");
        system.reach(orders, "billing");
        let cron = system.add(None, "cron", "job", INTERNAL);
        let (_, server) = system.reach(cron, "stock");
        system.tear_off(server);
    }
    let report = system.judge();
    assert_eq!(
        found(&report),
        [
            "ctx/broken-edge | cron -> stock | no_propagator_in_callee",
            "ctx/broken-edge | orders -> stock | no_propagator_in_callee"
        ]
    );
}
