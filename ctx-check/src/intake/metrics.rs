//! Facts about metrics.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::BuildHasher,
};

use foldhash::quality::FixedState;

use super::distinct::Distinct;
use crate::{
    model::{Metric, MetricKind},
    store::Name,
};

/// The facts of a metric.
#[derive(Debug, Default)]
pub(crate) struct MetricFacts {
    pub(crate) services: BTreeSet<Name>,
    pub(crate) units: BTreeSet<String>,
    pub(crate) bounds: BTreeSet<String>,
    values: HashMap<String, Distinct>,
}

/// Metrics that are compared, and the most units, bounds and keys of one.
const METRICS: usize = 20_000;
const MOST: usize = 64;

/// The metrics by their names.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) by_name: BTreeMap<String, MetricFacts>,
    hasher: FixedState,
}

impl Metrics {
    pub(super) fn add(&mut self, service: Name, metric: &Metric<'_>) {
        if self.by_name.len() >= METRICS && !self.by_name.contains_key(&*metric.name) {
            return;
        }
        let facts = self.by_name.entry(metric.name.clone().into_owned()).or_default();
        facts.services.insert(service);
        if facts.units.len() < MOST {
            facts.units.insert(metric.unit.clone().into_owned());
        }
        if metric.kind == MetricKind::Histogram {
            for bounds in &metric.bounds {
                if facts.bounds.len() < MOST {
                    facts.bounds.insert(bounds.clone());
                }
            }
        }
        for attribute in &metric.attributes {
            let hash = self.hasher.hash_one(&*attribute.value);
            if let Some(distinct) = facts.values.get_mut(&*attribute.key) {
                distinct.add(hash);
            } else if facts.values.len() < MOST {
                facts.values.entry(attribute.key.clone().into_owned()).or_default().add(hash);
            }
        }
    }
}

impl MetricFacts {
    /// Returns the largest number of values of an attribute.
    pub(crate) fn most_values(&self) -> u64 {
        self.values.values().map(Distinct::count).max().unwrap_or_default()
    }
}
