//! The score of each service: which rules are kept, and what the formula makes of it.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use serde::Serialize;

use super::{
    metric::{contains_unit, is_attribute_key, is_unit},
    specification::Rule,
};
use crate::{
    intake::{MetricFacts, ServiceFacts},
    judge::ServiceTally,
    store::Name,
};

/// How a rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Kept.
    Passed,
    /// Broken.
    Failed,
    /// Not computed: the score might not be complete.
    NotComputed,
    /// There is no telemetry that the rule is about.
    NotApplicable,
}

/// A rule of the specification for one service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleResult {
    /// The id of the rule.
    pub rule_id: &'static str,
    /// The outcome.
    pub outcome: Outcome,
    /// Why.
    pub why: String,
}

/// The score of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceScore {
    /// The service.
    pub service: String,
    /// The score, from 0 to 100; none if no rule could be computed.
    pub score: Option<f64>,
    /// The category of the specification.
    pub category: &'static str,
    /// `false` if there are rules that were not computed: the score might then be another one with them.
    pub is_complete: bool,
    /// The rules.
    pub rules: Vec<RuleResult>,
}

const DAY: u64 = 86_400_000_000_000;
const HOUR: u64 = 3_600_000_000_000;

/// Returns the scores of services.
pub(crate) fn scores(
    services: &[(Name, &str)],
    facts: &HashMap<Name, ServiceFacts, FixedState>,
    tallies: &HashMap<Name, ServiceTally, FixedState>,
    metrics: &BTreeMap<String, MetricFacts>,
) -> Vec<ServiceScore> {
    let (no_facts, no_tally) = (ServiceFacts::default(), ServiceTally::default());
    let first = facts.values().filter(|facts| facts.spans > 0).map(|facts| facts.first).min().unwrap_or_default();
    let last = facts.values().map(|facts| facts.last).max().unwrap_or_default();
    let of_service = |(name, service): &(Name, &str)| {
        let subject = Subject {
            facts: facts.get(name).unwrap_or(&no_facts),
            tally: tallies.get(name).unwrap_or(&no_tally),
            metrics: metrics.iter().filter(|(_, facts)| facts.services.contains(name)).collect(),
            length: last.saturating_sub(first),
        };
        let rules: Vec<RuleResult> = Rule::ALL
            .into_iter()
            .map(|rule| {
                let (outcome, why) = subject.judge(rule);
                RuleResult { rule_id: rule.id(), outcome, why }
            })
            .collect();
        let score = formula(&rules);
        ServiceScore {
            service: (*service).to_owned(),
            score,
            category: category(score),
            is_complete: rules.iter().all(|rule| rule.outcome != Outcome::NotComputed),
            rules,
        }
    };
    services.iter().map(of_service).collect()
}

/// The formula of the specification: the weights of the rules that are kept, of those of all that were computed.
fn formula(rules: &[RuleResult]) -> Option<f64> {
    let weight = |outcomes: &[Outcome]| -> u64 {
        let counted = Rule::ALL.iter().zip(rules).filter(|(_, result)| outcomes.contains(&result.outcome));
        counted.map(|(rule, _)| rule.impact().weight()).sum()
    };
    let all = weight(&[Outcome::Passed, Outcome::Failed]);
    (all > 0).then(|| weight(&[Outcome::Passed]) as f64 / all as f64 * 100.0)
}

/// The category of a score. The specification's ranges are of whole numbers.
fn category(score: Option<f64>) -> &'static str {
    match score {
        None => "not computed",
        Some(score) if score >= 90.0 => "Excellent",
        Some(score) if score >= 75.0 => "Good",
        Some(score) if score >= 50.0 => "Needs Improvement",
        Some(_) => "Poor",
    }
}

struct Subject<'a> {
    facts: &'a ServiceFacts,
    tally: &'a ServiceTally,
    metrics: Vec<(&'a String, &'a MetricFacts)>,
    /// How long the capture is, in nanoseconds.
    length: u64,
}

impl Subject<'_> {
    fn judge(&self, rule: Rule) -> (Outcome, String) {
        let Self { facts, tally, .. } = self;
        let has_spans = facts.spans > 0;
        let of = |applies: bool, faults: u64, what: &str| match (applies, faults) {
            (false, _) => (Outcome::NotApplicable, String::new()),
            (true, 0) => (Outcome::Passed, String::new()),
            (true, faults) => (Outcome::Failed, format!("{faults} {what}")),
        };
        match rule {
            Rule::Log001 => match facts.debug {
                _ if facts.logs == 0 => (Outcome::NotApplicable, String::new()),
                None => (Outcome::Passed, String::new()),
                Some((first, last)) if last.saturating_sub(first) > 14 * DAY => {
                    (Outcome::Failed, "DEBUG records in production over more than 14 days".to_owned())
                }
                Some(_) => (
                    Outcome::NotComputed,
                    "there are DEBUG records in production, and the capture is too short to tell for how long"
                        .to_owned(),
                ),
            },
            Rule::Log002 => of(facts.logs > 0, facts.without_severity, "log records without a severity"),
            Rule::Met001 => {
                let most = self.metrics.iter().map(|(_, metric)| metric.most_values()).max().unwrap_or_default();
                match most {
                    10_000.. if self.length > HOUR => {
                        (Outcome::NotComputed, format!("an attribute has about {most} values, in more than an hour"))
                    }
                    10_000.. => (Outcome::Failed, format!("an attribute has about {most} values")),
                    _ => of(!self.metrics.is_empty(), 0, ""),
                }
            }
            Rule::Met002 => {
                self.of_metrics("have no unit of the UCUM", |_, metric| metric.units.iter().any(|unit| !is_unit(unit)))
            }
            Rule::Met003 => self.of_metrics("have several units", |_, metric| metric.units.len() > 1),
            Rule::Met004 => self.of_metrics("have several bounds", |_, metric| metric.bounds.len() > 1),
            Rule::Met005 => self.of_metrics("have the unit in the name", |name, metric| {
                metric.units.iter().any(|unit| contains_unit(name, unit))
            }),
            Rule::Met006 => self.of_metrics("have the name of an attribute", |name, _| is_attribute_key(name)),
            Rule::Res001 => of(facts.resources > 0, facts.without_instance, "resources without it"),
            Rule::Res002 => {
                let applies = facts.resources > facts.without_instance;
                of(
                    applies,
                    facts.shared_instances.strings.len() as u64,
                    "ids that several pods, containers or hosts share",
                )
            }
            Rule::Res003 => of(facts.in_kubernetes > 0, facts.without_pod_uid, "resources in Kubernetes without it"),
            Rule::Res004 => {
                let (outcome, why) = of(true, facts.misplaced.count, "attributes at another level: ");
                let keys: Vec<&str> = facts.misplaced.strings.iter().map(String::as_str).collect();
                (outcome, why + &keys.join(", "))
            }
            Rule::Res005 => of(true, u64::from(!facts.has_name), "resources without it"),
            Rule::Sdk001 => (Outcome::NotComputed, "which versions an SDK supports is not in telemetry".to_owned()),
            Rule::Spa001 => of(has_spans, tally.many_internal, "traces with more than 10"),
            Rule::Spa002 => of(has_spans, tally.all_orphans, "orphan spans"),
            Rule::Spa003 => (Outcome::NotComputed, "the specification has no criterion for it yet".to_owned()),
            Rule::Spa004 => of(has_spans, tally.root_clients, "root spans of kind CLIENT"),
            Rule::Spa005 => of(has_spans, tally.many_short, "traces with more than 20"),
        }
    }

    fn of_metrics(&self, what: &str, is_fault: impl Fn(&str, &MetricFacts) -> bool) -> (Outcome, String) {
        let faults: Vec<&str> = self
            .metrics
            .iter()
            .filter(|(name, metric)| is_fault(name, metric))
            .map(|(name, _)| name.as_str())
            .collect();
        match (self.metrics.is_empty(), faults.first()) {
            (true, _) => (Outcome::NotApplicable, String::new()),
            (false, None) => (Outcome::Passed, String::new()),
            (false, Some(first)) => (Outcome::Failed, format!("{} metrics {what}: {first}", faults.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_is_that_of_the_specification() {
        // All critical and important rules kept, and all others broken: 40 + 12 * 30 of 40 + 12 * 30 + 5 * 20 + 10.
        let rules: Vec<RuleResult> = Rule::ALL
            .iter()
            .map(|rule| RuleResult {
                rule_id: rule.id(),
                outcome: if rule.impact().weight() >= 30 { Outcome::Passed } else { Outcome::Failed },
                why: String::new(),
            })
            .collect();
        let expected = f64::from(40 + 12 * 30) / f64::from(40 + 12 * 30 + 5 * 20 + 10) * 100.0;
        assert!((formula(&rules).expect("there are rules") - expected).abs() < 1e-9);
        assert_eq!(formula(&[]), None);
        assert_eq!((category(Some(89.9)), category(Some(90.0)), category(Some(49.9))), ("Good", "Excellent", "Poor"));
    }
}
