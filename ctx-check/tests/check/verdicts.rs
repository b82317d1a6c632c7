//! The decisions of the judge, as docs/ctx-check.md says it: each sentence there is a test here.

use ctx_check::{
    FindingKind::*,
    finding::{Cause, Consequence},
};

use crate::scenario::{CLIENT, CONSUMER, INTERNAL, SERVER, Scenario, assert_healthy, found, only};

/// Three services in a row, several times, with a call of another service that shows that `orders` reads what it gets.
fn shop(times: usize) -> Scenario {
    let mut shop = Scenario::default();
    for _ in 0..times {
        let web = shop.add(None, "web", "GET /", SERVER);
        let (_, orders) = shop.reach(web, "orders");
        shop.reach(orders, "stock");
    }
    shop
}

fn consequence(finding: &ctx_check::Finding, of: Consequence) -> u64 {
    finding.consequences.iter().find(|(consequence, _)| *consequence == of).map_or(0, |(_, count)| *count)
}

#[test]
fn a_connected_system_is_healthy() {
    let report = shop(3).judge();
    assert_healthy(&report);
    assert!(report.summary.is_healthy);
    assert_eq!((report.summary.traces, report.summary.spans), (3, 15));
    assert_eq!(
        report.edges.iter().map(|edge| (&*edge.from, &*edge.to, edge.state)).collect::<Vec<_>>(),
        [("orders", "stock", "connected"), ("web", "orders", "connected")]
    );
}

#[test]
fn a_trace_without_a_root_is_found_by_its_orphans_alone() {
    let mut system = shop(2);
    system.remove(0);
    let report = system.judge();
    let finding = only(&report, Orphan, Cause::SpanLost);
    assert_eq!((&*finding.service, finding.count), ("web", 1));
    assert_eq!(report.summary.traces_without_root, 1);
}

#[test]
fn orphans_of_an_unknown_caller_are_named_as_that() {
    let mut system = shop(1);
    system.spans.remove(0);
    system.spans.remove(0);
    let finding = only(&system.judge(), Orphan, Cause::UnknownCaller);
    assert_eq!((&*finding.service, finding.count), ("orders", 1));
}

#[test]
fn an_entry_service_may_continue_traces_of_external_callers() {
    let mut system = shop(1);
    system.spans[0].parent = 77;
    assert_healthy(&system.judge_with("[services]\nentry = \"web\""));
    only(&system.judge(), Orphan, Cause::UnknownCaller);
}

#[test]
fn the_parent_s_place_in_the_flags_decides_which_process_lost_it() {
    let mut system = shop(1);
    system.remove(0);
    system.spans[0].flags = Some(0x301);
    only(&system.judge(), Orphan, Cause::UnknownCaller);
    system.spans[0].flags = Some(0x101);
    only(&system.judge(), Orphan, Cause::SpanLost);
}

#[test]
fn two_versions_of_opentelemetry_explain_orphans_inside_a_service() {
    let mut system = Scenario::default();
    let root = system.add(None, "web", "GET /", SERVER);
    let inner = system.add(Some(root), "web", "inner", INTERNAL);
    system.add(Some(inner), "web", "library", INTERNAL);
    system.remove(inner);
    let mut lines = system.lines();
    for (line, version) in lines.iter_mut().zip(["0.33.0", "0.27.1"]) {
        let marked = format!(
            r#"{{"key":"telemetry.sdk.version","value":{{"stringValue":"{version}"}}}},{{"key":"service.name""#
        );
        *line = line.replacen(r#"{"key":"service.name""#, &marked, 1);
    }
    let report = crate::scenario::judge(lines.join("\n"), "");
    let finding = only(&report, Orphan, Cause::AnotherVersion);
    assert!(
        finding.cause_words.contains("0.27.1") && finding.cause_words.contains("0.33.0"),
        "{}",
        finding.cause_words
    );
}

#[test]
fn an_unsampled_parent_excuses_only_services_that_are_declared_to_sample() {
    let mut system = shop(2);
    let orders = 2;
    let below = system.below(orders);
    system.spans = system
        .spans
        .iter()
        .enumerate()
        .filter(|(place, _)| !below.contains(place))
        .map(|(_, span)| span.clone())
        .collect();
    // The spans of `orders` and below are gone for one of the calls.
    let finding = only(&system.judge(), BrokenEdge, Cause::SampledAway);
    assert_eq!((finding.count, finding.of), (1, 2));
    assert_healthy(&system.judge_with("[services]\nsampled = [\"orders\"]"));
}

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
fn a_second_root_without_a_call_is_a_finding_of_its_own() {
    let mut system = shop(1);
    let span = system.add(Some(0), "web", "job", INTERNAL);
    system.spans[span].parent = 0;
    only(&system.judge(), SeveralRoots, Cause::ParentDropped);
}

#[test]
fn a_trace_that_starts_in_the_middle_is_found_if_entries_are_declared() {
    let mut system = shop(1);
    system.add(None, "stock", "GET /x", SERVER);
    assert_healthy(&system.judge());
    let finding = only(&system.judge_with("[services]\nentry = [\"web\"]"), UnexpectedRoot, Cause::UnknownCaller);
    assert_eq!(finding.service, "stock");
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
fn consumers_may_be_children_or_linked() {
    let mut system = shop(1);
    let message = system.send(0, "mails");
    let child = system.add(Some(message), "mailer", "process", CONSUMER);
    system.of_queue(child, "mails");
    let other = system.send(0, "mails");
    let linked = system.add(None, "mailer", "process", CONSUMER);
    system.of_queue(linked, "mails");
    let (trace, id) = (system.spans[other].trace, system.spans[other].id);
    system.spans[linked].links.push((trace, id));
    assert_healthy(&system.judge());
    only(&system.judge_with("[[queue]]\nname = \"mails\"\nmode = \"parent\""), QueueMode, Cause::NotAsDeclared);
    only(&system.judge_with("[[queue]]\nname = \"m*\"\nmode = \"link\""), QueueMode, Cause::NotAsDeclared);
}

#[test]
fn a_consumer_that_starts_anew_is_a_broken_edge() {
    let mut system = shop(1);
    for is_lost in [false, true] {
        let message = system.send(0, "mails");
        let consumer = system.add(Some(message), "mailer", "process", CONSUMER);
        system.of_queue(consumer, "mails");
        if is_lost {
            system.tear_off(consumer);
        }
    }
    let finding = only(&system.judge(), BrokenEdge, Cause::HeaderStripped);
    assert_eq!(
        finding.edge.map(|edge| (edge.from, edge.to, edge.via)),
        Some(("web".into(), "mailer".into(), "mails".into()))
    );
}

#[test]
fn a_message_that_nobody_consumed_yet_is_a_note() {
    let mut system = shop(1);
    system.send(0, "audit");
    assert_healthy(&system.judge());
    let report = system.judge_with("[[queue]]\nname = \"audit\"\nown = true");
    only(&report, Unconsumed, Cause::StillQueued);
    assert!(report.summary.is_healthy);
}

#[test]
fn an_inferred_window_has_a_margin_if_it_is_long() {
    // Near the end of 200 seconds a root is still open, and its child is there.
    let mut system = Scenario::default();
    for second in 0..=200 {
        let root = system.add(None, "web", "GET /", SERVER);
        (system.spans[root].start, system.spans[root].end) = (second * 1000, second * 1000 + 50);
    }
    let child = system.add(Some(200), "web", "inner", INTERNAL);
    system.spans[child].parent = 12345;
    system.spans[child].trace = 77;
    assert_healthy(&system.judge());
    assert_eq!(system.judge().summary.excused_orphans, 1);
    // In the middle it is an orphan.
    (system.spans[child].start, system.spans[child].end) = (100_000, 100_010);
    only(&system.judge(), Orphan, Cause::SpanLost);
    // A short capture is taken as whole: its last second is no margin.
    let mut short = system.clone();
    short.spans.retain(|span| span.start < 5000 || span.trace == 77);
    let last = short.spans.len() - 1;
    (short.spans[last].start, short.spans[last].end) = (4990, 5000);
    only(&short.judge(), Orphan, Cause::SpanLost);
    // A given window has its margin.
    let to = "[capture]\nto = \"2026-09-21T13:33:25Z\"\ngrace = \"2s\"";
    assert_eq!(short.judge_with(to).summary.excused_orphans, 1, "{:?}", found(&short.judge_with(to)));
}

#[test]
fn a_host_whose_clock_is_off_does_not_move_the_window() {
    let mut system = Scenario::default();
    for second in 0..=200 {
        let root = system.add(None, "web", "GET /", SERVER);
        (system.spans[root].start, system.spans[root].end) = (second * 1000, second * 1000 + 50);
        let (_, server) = system.reach(root, "orders");
        system.spans[server].start += 3_600_000;
        system.spans[server].end += 3_600_000;
    }
    // A root of `web` that is still open at the end, by the clock of `web`.
    let child = system.add(None, "web", "inner", INTERNAL);
    (system.spans[child].start, system.spans[child].end, system.spans[child].parent) = (199_000, 199_010, 4711);
    let report = system.judge();
    let finding = only(&report, ClockSkew, Cause::ClockSkew);
    assert_eq!(finding.service, "orders");
    assert!(finding.message.contains("60 min ahead"), "{}", finding.message);
    assert_eq!(report.summary.excused_orphans, 1);
}

#[test]
fn skew_is_one_finding_for_the_host_that_is_off() {
    let mut system = Scenario::default();
    for _ in 0..5 {
        let web = system.add(None, "web", "GET /", SERVER);
        let (_, orders) = system.reach(web, "orders");
        let (_, stock) = system.reach(orders, "stock");
        system.add(Some(stock), "stock", "inner", INTERNAL);
    }
    for span in system.spans.iter_mut().filter(|span| span.service == "orders") {
        span.start -= 2000;
        span.end -= 2000;
    }
    let finding = only(&system.judge(), ClockSkew, Cause::ClockSkew);
    assert_eq!(finding.service, "orders");
    assert!(finding.message.contains("2.0 s behind"), "{}", finding.message);
    assert_healthy(&system.judge_with("tolerance = \"3s\""));
}

#[test]
fn asynchronous_children_and_slow_servers_are_no_skew() {
    let mut system = shop(1);
    let spawned = system.add(Some(0), "web", "spawned", INTERNAL);
    system.spans[spawned].end += 60_000;
    let message = system.send(0, "mails");
    let consumer = system.add(Some(message), "mailer", "process", CONSUMER);
    system.of_queue(consumer, "mails");
    system.spans[consumer].start += 5_000;
    system.spans[consumer].end += 9_000;
    // The client gave up, and the server went on.
    let (_, server) = system.reach(0, "orders");
    system.spans[server].end += 30_000;
    assert_healthy(&system.judge());
}

#[test]
fn an_end_before_the_start_and_a_child_before_its_parent_are_found() {
    let mut system = shop(1);
    let span = system.add(Some(0), "web", "inner", INTERNAL);
    system.spans[span].end = system.spans[span].start - 5;
    only(&system.judge(), ImpossibleTime, Cause::ClockSkew);
    system.spans[span].start -= 1000;
    system.spans[span].end = system.spans[span].start + 5;
    only(&system.judge(), ImpossibleTime, Cause::ClockSkew);
}

const REQUIRED: &str = "require = [\"tenant_id\"]";

fn with_tenants(mut system: Scenario) -> Scenario {
    for span in 0..system.spans.len() {
        system.set(span, "tenant_id", "acme");
    }
    system
}

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
fn another_field_can_be_the_tenant() {
    let mut system = with_tenants(shop(1));
    system.set(2, "tenant_id", "globex");
    system.set(0, "org", "a");
    system.set(2, "org", "b");
    let finding = only(&system.judge_with("tenant = \"org\""), TenantChange, Cause::Replaced);
    assert_eq!(finding.count, 1);
}

#[test]
fn the_same_delivery_twice_is_one_span() {
    let system = shop(2);
    let mut lines = system.lines();
    lines.extend(system.lines());
    let report = crate::scenario::judge(lines.join("\n"), "");
    assert_healthy(&report);
    assert_eq!((report.summary.spans, report.summary.repeated_spans), (10, 10));
    // Another span with the same id is not.
    let mut other = system.spans[3].clone();
    other.name = "another".to_owned();
    lines.push(other.line(&[]));
    only(&crate::scenario::judge(lines.join("\n"), ""), InvalidTree, Cause::RepeatedId);
}

#[test]
fn spans_that_are_their_own_ancestors_are_found() {
    let mut system = shop(1);
    let a = system.add(Some(0), "web", "a", INTERNAL);
    let b = system.add(Some(a), "web", "b", INTERNAL);
    system.spans[a].parent = system.spans[b].id;
    only(&system.judge(), InvalidTree, Cause::RepeatedId);
    system.spans[a].parent = system.spans[a].id;
    system.spans.truncate(6);
    only(&system.judge(), InvalidTree, Cause::RepeatedId);
}

#[test]
fn sensitive_values_are_found_where_they_are() {
    let mut system = shop(1);
    system.set(0, "user.email", "ada@example.com");
    system.set(2, "db.password", "hunter2");
    system.log(0, &[("card", "4111 1111 1111 1111x")]);
    let file = system.lines().join("\n");
    let found_here = found(&crate::scenario::judge(&file, ""));
    assert_eq!(found_here, ["ctx/sensitive-value | orders | recorded", "ctx/sensitive-value | web | recorded"]);
    let allowed = "[sensitive]\nallow = [\"user.email\", \"*password\"]";
    assert_healthy(&crate::scenario::judge(&file, allowed));
    assert_healthy(&crate::scenario::judge(&file, "[sensitive]\nbuiltin = false"));
    // Own patterns and hashes: the SHA-256 of `hunter2`.
    let own = "[sensitive]\nbuiltin = false\npatterns = { order = \"^hunter[0-9]$\" }";
    only(&crate::scenario::judge(&file, own), SensitiveValue, Cause::Recorded);
    let hashes =
        "[sensitive]\nbuiltin = false\nhashes = [\"f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7\"]";
    only(&crate::scenario::judge(&file, hashes), SensitiveValue, Cause::Recorded);
}

#[test]
fn headers_that_need_not_be_passed_on_are_found() {
    let mut system = shop(1);
    system.set(0, "http.request.header.baggage", &"k=v,".repeat(2048));
    assert_healthy(&system.judge());
    system.set(0, "http.request.header.baggage", &"k=v,".repeat(2049));
    only(&system.judge(), HeaderSize, Cause::Unbounded);
    assert_healthy(&system.judge_with("[limits]\nbaggage = 10000"));

    let state = |members: usize| (0..members).map(|number| format!("v{number}=1")).collect::<Vec<_>>().join(",");
    for (members, is_found) in [(32, false), (33, true)] {
        let line = shop(1).lines().join("\n").replacen(
            r#""kind""#,
            &format!(r#""traceState":"{}","kind""#, state(members)),
            1,
        );
        assert_eq!(!crate::scenario::judge(line, "").findings.is_empty(), is_found, "{members}");
    }
}

#[test]
fn too_many_values_are_found() {
    let mut system = shop(1);
    for number in 0..20 {
        let span = system.add(Some(0), "web", &format!("GET /orders/{number}"), INTERNAL);
        system.set(span, "plan", &format!("plan {number}"));
    }
    let finding = only(&system.judge_with("[limits]\nspan_names = 20"), Cardinality, Cause::Unbounded);
    assert_eq!((finding.field.as_deref(), finding.count), (Some("span name"), 22));
    let finding =
        only(&system.judge_with("[[field]]\nname = \"plan\"\nmax_distinct = 19"), Cardinality, Cause::Unbounded);
    assert_eq!((finding.field.as_deref(), finding.count), (Some("plan"), 20));
    assert_healthy(&system.judge_with("[[field]]\nname = \"plan\"\nmax_distinct = 20"));
}

#[test]
fn own_rules_are_reported_beside_the_score() {
    let mut system = shop(2);
    let rule = "[[rule]]\nid = \"SHOP-1\"\ndescription = \"orders have a region\"\non = \"span\"\nservice = \"orders\"\nname = \"GET*\"\nrequire = [\"region\"]\nmatches = { region = \"eu-*\" }\n";
    let report = system.judge_with(rule);
    let finding = only(&report, OwnRule, Cause::Rule);
    assert_eq!((&*finding.rule_id, finding.count), ("SHOP-1", 4));
    let scores: Vec<_> = report.scores.iter().map(|score| score.score).collect();
    for span in 0..system.spans.len() {
        system.set(span, "region", "eu-1");
    }
    let healthy = system.judge_with(rule);
    assert_healthy(&healthy);
    assert_eq!(scores, healthy.scores.iter().map(|score| score.score).collect::<Vec<_>>());
}

#[test]
fn a_trace_over_the_limit_is_judged_in_part_and_named() {
    let mut system = Scenario::default();
    let root = system.add(None, "web", "loop", INTERNAL);
    for _ in 0..50 {
        system.add(Some(root), "web", "step", INTERNAL);
    }
    assert_healthy(&system.judge());
    let report = system.judge_with("[limits]\nspans_per_trace = 20");
    assert!(report.findings.iter().any(|finding| finding.kind == LargeTrace), "{:?}", found(&report));
    assert_eq!(report.summary.spans, 20);
}

#[test]
fn the_rules_of_the_specification_are_scored_by_its_formula() {
    let report = shop(1).judge();
    let score = report.scores.iter().find(|score| score.service == "web").expect("it is scored");
    let outcome =
        |id: &str| score.rules.iter().find(|rule| rule.rule_id == id).map(|rule| format!("{:?}", rule.outcome));
    // No `service.instance.id`: RES-001 (20) of RES-001, RES-004, RES-005, SPA-001, SPA-002, SPA-004, SPA-005 is broken.
    assert_eq!(outcome("RES-001").as_deref(), Some("Failed"));
    assert_eq!(outcome("SPA-002").as_deref(), Some("Passed"));
    assert_eq!(outcome("MET-001").as_deref(), Some("NotApplicable"));
    assert_eq!(outcome("SPA-003").as_deref(), Some("NotComputed"));
    let expected = f64::from(30 + 40 + 20 + 20 + 30 + 30) / f64::from(20 + 30 + 40 + 20 + 20 + 30 + 30) * 100.0;
    assert!((score.score.expect("it has a score") - expected).abs() < 1e-9, "{score:?}");
    assert!(!score.is_complete);
}

#[test]
fn each_rule_of_the_specification_can_fail() {
    let line = |resource: &str, scope: &str| {
        format!(
            r#"{{"resource{0}":[{{"resource":{{"attributes":[{resource}]}},"scope{0}":[{{{scope}}}]}}]}}"#,
            "Metrics"
        )
    };
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let service = text("service.name", "web");
    let metric = |name: &str, unit: &str, bounds: &str| {
        format!(
            r#""metrics":[{{"name":"{name}","unit":"{unit}","histogram":{{"dataPoints":[{{"explicitBounds":[{bounds}]}}]}}}}]"#
        )
    };
    let metrics = [
        line(&service, &metric("duration", "s", "1,2")),
        line(&service, &metric("duration", "ms", "1,3")),
        line(&service, &metric("sent_bytes", "By", "1")),
        line(&service, &metric("http.route", "", "1")),
    ]
    .join("\n");
    let debug = |time: &str| {
        let resource = format!("{service},{}", text("deployment.environment.name", "production"));
        line(
            &resource,
            &format!(r#""logRecords":[{{"timeUnixNano":"{time}","severityNumber":5}},{{"timeUnixNano":"{time}"}}]"#),
        )
        .replace("Metrics", "Logs")
    };
    let logs = [debug("1790000000000000000"), debug("1799999999999999999")].join("\n");
    let pods = ["a", "b"].map(|pod| {
        let resource = format!(
            "{service},{},{},{}",
            text("service.instance.id", "1"),
            text("k8s.pod.name", pod),
            text("http.route", "/")
        );
        line(&resource, r#""spans":[]"#).replace("Metrics", "Spans")
    });
    let mut system = Scenario::default();
    let call = system.add(None, "web", "GET", CLIENT);
    system.spans[call].end = system.spans[call].start + 100;
    for _ in 0..21 {
        let inner = system.add(Some(call), "web", "inner", INTERNAL);
        system.spans[inner].end = system.spans[inner].start + 1;
    }
    system.spans[5].parent = 4711;
    system.set(1, "service.name", "web");
    let file = format!("{metrics}\n{logs}\n{}\n{}", pods.join("\n"), system.lines().join("\n"));
    let report = crate::scenario::judge(file, "");
    let score = report.scores.iter().find(|score| score.service == "web").expect("it is scored");
    let failed: Vec<&str> =
        score.rules.iter().filter(|rule| format!("{:?}", rule.outcome) == "Failed").map(|rule| rule.rule_id).collect();
    assert_eq!(
        failed,
        [
            "LOG-001", "LOG-002", "MET-002", "MET-003", "MET-004", "MET-005", "MET-006", "RES-001", "RES-002",
            "RES-003", "RES-004", "SPA-001", "SPA-002", "SPA-004", "SPA-005"
        ]
    );
    let unnamed = crate::scenario::judge(system.lines().join("\n").replace("service.name", "service.nam"), "");
    let failed = unnamed.scores[0]
        .rules
        .iter()
        .any(|rule| rule.rule_id == "RES-005" && format!("{:?}", rule.outcome) == "Failed");
    assert!(failed, "{:?}", unnamed.scores[0]);
}
