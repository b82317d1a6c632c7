//! Generated systems with planted faults: exactly these are found, whatever the order, repetition and place of the others.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::Index};

use crate::scenario::{CONSUMER, INTERNAL, PRODUCER, SERVER, Scenario, found, judge};

/// A fault that is planted into one trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    HeaderStripped,
    LinkInsteadOfParent,
    HopBetween,
    ParentDropped,
    ServerSpanLost,
    SampledAway,
    InnerSpanLost,
    RootLost,
    SecondRoot,
    TenantChanged,
    TenantLost,
    LogWithoutField,
    LogOfAnotherTenant,
    EndBeforeStart,
    RepeatedId,
    Sensitive,
    MessageContextLost,
}

const FAULTS: [Fault; 17] = [
    Fault::HeaderStripped,
    Fault::LinkInsteadOfParent,
    Fault::HopBetween,
    Fault::ParentDropped,
    Fault::ServerSpanLost,
    Fault::SampledAway,
    Fault::InnerSpanLost,
    Fault::RootLost,
    Fault::SecondRoot,
    Fault::TenantChanged,
    Fault::TenantLost,
    Fault::LogWithoutField,
    Fault::LogOfAnotherTenant,
    Fault::EndBeforeStart,
    Fault::RepeatedId,
    Fault::Sensitive,
    Fault::MessageContextLost,
];

/// The finding of a fault.
pub(crate) fn finding(fault: Fault) -> &'static str {
    match fault {
        Fault::HeaderStripped => "ctx/broken-edge | orders -> stock | header_stripped",
        Fault::LinkInsteadOfParent => "ctx/broken-edge | orders -> stock | link_instead_of_parent",
        Fault::HopBetween => "ctx/broken-edge | orders -> stock | hop_between",
        Fault::ParentDropped => "ctx/broken-edge | orders -> stock | parent_dropped",
        Fault::ServerSpanLost => "ctx/broken-edge | orders -> stock | span_lost",
        Fault::SampledAway => "ctx/broken-edge | orders -> billing | sampled_away",
        Fault::InnerSpanLost => "ctx/orphan | stock | span_lost",
        Fault::RootLost => "ctx/orphan | web | span_lost",
        Fault::SecondRoot => "ctx/several-roots | orders | parent_dropped",
        Fault::TenantChanged => "ctx/tenant-change | web -> orders | replaced",
        Fault::TenantLost => "ctx/missing-field | stock | not_carried",
        Fault::LogWithoutField => "ctx/missing-field | orders | outside_of_context",
        Fault::LogOfAnotherTenant => "ctx/mixed-tenants | orders | replaced",
        Fault::EndBeforeStart => "ctx/impossible-time | stock | clock_skew",
        Fault::RepeatedId => "ctx/invalid-tree | stock | repeated_id",
        Fault::Sensitive => "ctx/sensitive-value | web | recorded",
        Fault::MessageContextLost => "ctx/broken-edge | orders -> mailer | header_stripped",
    }
}

/// Adds a request: `web` calls `orders`, which calls `stock` and `billing` and sends a message; with a fault, if there is one.
pub(crate) fn request(system: &mut Scenario, tenant: &str, is_linked: bool, fault: Option<Fault>) {
    let first = system.spans.len();
    let web = system.add(None, "web", "POST /orders", SERVER);
    let (_, orders) = system.reach(web, "orders");
    let (stock_call, stock) = system.reach(orders, "stock");
    let inner = system.add(Some(stock), "stock", "count", INTERNAL);
    let innermost = system.add(Some(inner), "stock", "read", INTERNAL);
    let (_, billing) = system.reach(orders, "billing");
    let refused = system.call(orders, "stock");
    system.spans[refused].attributes.retain(|(key, _)| key != "http.response.status_code");
    system.spans[refused].is_error = true;
    system.call(orders, "api.stripe.com");
    let message = system.add(Some(orders), "orders", "send", PRODUCER);
    system.of_queue(message, "mails");
    let consumer = if is_linked && fault != Some(Fault::MessageContextLost) {
        let consumer = system.add(None, "mailer", "process", CONSUMER);
        let (trace, id) = (system.spans[message].trace, system.spans[message].id);
        system.spans[consumer].links.push((trace, id));
        consumer
    } else {
        system.add(Some(message), "mailer", "process", CONSUMER)
    };
    system.of_queue(consumer, "mails");
    for span in first..system.spans.len() {
        system.set(span, "tenant_id", tenant);
    }
    system.log(orders, &[("tenant_id", tenant)]);
    let Some(fault) = fault else { return };
    match fault {
        Fault::HeaderStripped => system.tear_off(stock),
        Fault::LinkInsteadOfParent => {
            let (trace, id) = (system.spans[stock_call].trace, system.spans[stock_call].id);
            system.tear_off(stock);
            system.spans[stock].links.push((trace, id));
        }
        Fault::HopBetween => system.spans[stock].parent = 0xdead,
        Fault::ParentDropped => system.spans[stock].parent = 0,
        Fault::ServerSpanLost => drop(system.remove(stock)),
        Fault::SampledAway => drop(system.remove(billing)),
        Fault::InnerSpanLost => drop(system.remove(inner)),
        Fault::RootLost => drop(system.remove(web)),
        Fault::SecondRoot => {
            let job = system.add(Some(orders), "orders", "job", INTERNAL);
            system.set(job, "tenant_id", tenant);
            system.spans[job].parent = 0;
        }
        Fault::TenantChanged => {
            for span in system.below(orders) {
                system.set(span, "tenant_id", "other");
            }
            if is_linked {
                system.set(consumer, "tenant_id", "other");
            }
            if let Some(log) = system.logs.last_mut() {
                log.attributes = vec![("tenant_id".to_owned(), "other".to_owned())];
            }
        }
        Fault::TenantLost => {
            for span in [inner, innermost] {
                system.spans[span].attributes.retain(|(key, _)| key != "tenant_id");
            }
        }
        Fault::LogWithoutField => system.log(orders, &[]),
        Fault::LogOfAnotherTenant => system.log(orders, &[("tenant_id", "other")]),
        Fault::EndBeforeStart => system.spans[innermost].end = system.spans[innermost].start - 3,
        Fault::RepeatedId => {
            let id = system.spans[innermost].id;
            let twin = system.add(Some(inner), "stock", "twin", INTERNAL);
            system.set(twin, "tenant_id", tenant);
            system.spans[twin].id = id;
            system.spans[twin].start = system.spans[innermost].start + 7;
        }
        Fault::Sensitive => system.set(web, "customer", "ada@example.com"),
        Fault::MessageContextLost => system.tear_off(consumer),
    }
}

pub(crate) const SETTINGS: &str = "require = [\"tenant_id\"]\n[services]\nentry = [\"web\"]";

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_planted_faults_are_found(
        healthy in 2_usize..8,
        faults in vec(0..FAULTS.len(), 0..4),
        tenants in vec(prop_oneof![Just("acme"), Just("globex"), Just("7")], 12),
        links in vec(any::<bool>(), 12),
        order in vec(any::<Index>(), 400),
        repeated in vec(any::<Index>(), 0..30),
        memory in prop_oneof![Just(""), Just("\n[limits]\nmemory = 1")],
    ) {
        let planted: BTreeSet<Fault> = faults.iter().map(|fault| FAULTS[*fault]).collect();
        let mut system = Scenario::default();
        let requests: Vec<Option<Fault>> = (0..healthy).map(|_| None).chain(planted.iter().copied().map(Some)).collect();
        for (number, fault) in requests.iter().enumerate() {
            request(&mut system, tenants[number], links[number], *fault);
        }
        let mut lines = system.lines();
        for index in &repeated {
            lines.push(index.get(&lines).clone());
        }
        for (at, index) in order.iter().enumerate().take(lines.len()) {
            let other = index.index(lines.len());
            lines.swap(at, other);
        }
        let report = judge(lines.join("\n"), &format!("{SETTINGS}{memory}"));
        let expected: BTreeSet<String> = planted.iter().map(|fault| finding(*fault).to_owned()).collect();
        prop_assert_eq!(found(&report).into_iter().collect::<BTreeSet<_>>(), expected);
        prop_assert_eq!(report.findings.len(), planted.len());
        prop_assert!(report.problems.is_empty(), "{:?}", report.problems);
    }

    #[test]
    fn a_cut_file_is_judged_without_a_panic(
        faults in vec(0..FAULTS.len(), 0..4),
        cut in any::<Index>(),
        changed in vec((any::<Index>(), any::<u8>()), 0..6),
    ) {
        let mut system = Scenario::default();
        for fault in &faults {
            request(&mut system, "acme", false, Some(FAULTS[*fault]));
        }
        request(&mut system, "acme", true, None);
        let mut file = system.lines().join("\n").into_bytes();
        for (index, byte) in &changed {
            let at = index.index(file.len());
            file[at] = *byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        let report = judge(&file, SETTINGS);
        prop_assert!(report.json().is_ok());
        prop_assert!(ctx_check::report::html(&report).len() > 100);
    }
}

#[test]
fn each_fault_is_found_alone() {
    for fault in FAULTS {
        for is_linked in [false, true] {
            let mut system = Scenario::default();
            (0..3).for_each(|_| request(&mut system, "acme", is_linked, None));
            request(&mut system, "acme", is_linked, Some(fault));
            let report = judge(system.lines().join("\n"), SETTINGS);
            assert_eq!(found(&report), [finding(fault)], "{fault:?} {is_linked}");
        }
    }
}
