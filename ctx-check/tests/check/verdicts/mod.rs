//! The decisions of the judge, as docs/ctx-check.md says it: each sentence there is a test here.

mod edges;
mod fields;
mod messages;
mod orphans;
mod scores;
mod tenants;
mod times;
mod trees;
mod values;

use ctx_check::finding::Consequence;

use crate::scenario::{SERVER, Scenario, assert_healthy};

/// Three services in a row, several times, with a call of another service that shows that `orders` reads what it gets.
pub(super) fn shop(times: usize) -> Scenario {
    let mut shop = Scenario::default();
    for _ in 0..times {
        let web = shop.add(None, "web", "GET /", SERVER);
        let (_, orders) = shop.reach(web, "orders");
        shop.reach(orders, "stock");
    }
    shop
}

pub(super) fn consequence(finding: &ctx_check::Finding, of: Consequence) -> u64 {
    finding.consequences.iter().find(|(consequence, _)| *consequence == of).map_or(0, |(_, count)| *count)
}

pub(super) const REQUIRED: &str = "require = [\"tenant_id\"]";

pub(super) fn with_tenants(mut system: Scenario) -> Scenario {
    for span in 0..system.spans.len() {
        system.set(span, "tenant_id", "acme");
    }
    system
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
