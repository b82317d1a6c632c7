//! Facts about the input and about each service.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    model::{LogRecord, Resource},
    reader::{Deviation, Place, Problem},
};

/// The facts of the input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) files: Vec<String>,
    pub(crate) bytes: u64,
    pub(crate) spans: u64,
    pub(crate) logs: u64,
    pub(crate) metrics: u64,
    /// The first problems, and how many there are.
    pub(crate) problems: Vec<Problem>,
    pub(crate) problem_count: u64,
    pub(crate) deviations: BTreeMap<Deviation, (u64, Place)>,
}

/// Problems that are kept.
const PROBLEMS: usize = 200;

impl Reading {
    pub(super) fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// A few strings of many, and how many there were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Few {
    pub(crate) count: u64,
    pub(crate) strings: BTreeSet<String>,
}

impl Few {
    pub(crate) fn note(&mut self, text: &str) {
        self.count += 1;
        if self.strings.len() < 8 && !self.strings.contains(text) {
            self.strings.insert(text.to_owned());
        }
    }
}

/// The facts of a service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceFacts {
    pub(crate) spans: u64,
    /// Spans of requests and messages.
    pub(crate) entries: u64,
    pub(crate) logs: u64,
    /// The first start and the last end of its spans, by its own clock.
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) resources: u64,
    pub(crate) has_name: bool,
    pub(crate) without_instance: u64,
    pub(crate) in_kubernetes: u64,
    pub(crate) without_pod_uid: u64,
    /// Instances, with the pod or host that each is in.
    instances: HashMap<String, String>,
    pub(crate) shared_instances: Few,
    /// `telemetry.sdk.language version`.
    pub(crate) sdks: Few,
    /// Attributes at another level than that of the semantic conventions.
    pub(crate) misplaced: Few,
    pub(crate) without_severity: u64,
    /// The first and the last DEBUG record in production.
    pub(crate) debug: Option<(u64, u64)>,
}

impl Default for ServiceFacts {
    fn default() -> Self {
        Self {
            spans: 0,
            entries: 0,
            logs: 0,
            first: u64::MAX,
            last: 0,
            resources: 0,
            has_name: true,
            without_instance: 0,
            in_kubernetes: 0,
            without_pod_uid: 0,
            instances: HashMap::new(),
            shared_instances: Few::default(),
            sdks: Few::default(),
            misplaced: Few::default(),
            without_severity: 0,
            debug: None,
        }
    }
}

/// Instances of a service that are compared.
const INSTANCES: usize = 10_000;

impl ServiceFacts {
    pub(super) fn resource(&mut self, resource: &Resource<'_>) {
        self.resources += 1;
        self.has_name = resource.service().is_some();
        if let Some(version) = resource.get("telemetry.sdk.version") {
            let language = resource.get("telemetry.sdk.language").unwrap_or_default();
            self.sdks.note(&format!("{language} {version}"));
        }
        if resource.attributes.iter().any(|attribute| attribute.key.starts_with("k8s.")) {
            self.in_kubernetes += 1;
            self.without_pod_uid += u64::from(resource.get("k8s.pod.uid").is_none());
        }
        let Some(instance) = resource.get("service.instance.id") else {
            self.without_instance += 1;
            return;
        };
        let home = ["k8s.pod.uid", "k8s.pod.name", "container.id", "host.id", "host.name"];
        let Some(home) = home.iter().find_map(|key| resource.get(key)) else { return };
        match self.instances.get(instance) {
            Some(known) if known != home => self.shared_instances.note(instance),
            Some(_) => {}
            None if self.instances.len() < INSTANCES => {
                self.instances.insert(instance.to_owned(), home.to_owned());
            }
            None => {}
        }
    }

    #[inline]
    pub(super) fn span(&mut self, is_entry: bool, start: u64, end: u64) {
        self.spans += 1;
        self.entries += u64::from(is_entry);
        // Zero is no time.
        self.first = self.first.min(if start == 0 { u64::MAX } else { start });
        self.last = self.last.max(end);
    }

    pub(super) fn log(&mut self, record: &LogRecord<'_>, is_production: bool) {
        self.logs += 1;
        self.without_severity += u64::from(record.severity == 0);
        if is_production && (5..=8).contains(&record.severity) {
            let (first, last) = self.debug.unwrap_or((record.time, record.time));
            self.debug = Some((first.min(record.time), last.max(record.time)));
        }
    }
}
