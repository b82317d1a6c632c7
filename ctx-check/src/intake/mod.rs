//! The part of judging that is done while reading, span by span: facts of services, sensitive values, sizes, cardinality, own rules. What needs a whole
//! trace goes to the store.

mod cardinality;
mod distinct;
mod exemptions;
mod facts;
mod keys;
mod metrics;
mod peer;
mod rules;
mod sensitive;
mod sizes;

pub(crate) use cardinality::Cardinality;
pub(crate) use facts::{Reading, ServiceFacts};
pub(crate) use metrics::MetricFacts;

use std::{collections::HashMap, io};

use foldhash::fast::FixedState;

use self::{
    exemptions::Exemptions,
    keys::{Keys, Level, Role},
    metrics::Metrics,
    peer::Peer,
    rules::Rules,
    sensitive::Detector,
    sizes::Sizes,
};
use crate::{
    finding::{Evidence, Groups, Key},
    model::{Attribute, LogRecord, Metric, Resource, Span, SpanId, TraceId},
    reader::{Deviation, Place, Problem, Sink},
    settings::{Settings, Subject},
    store::{Flags, Name, Names, Partitions, StoredLink, StoredLog, StoredSpan},
};

/// The strings of all records.
#[derive(Debug)]
pub(crate) struct Strings {
    pub(crate) services: Names,
    pub(crate) names: Names,
    pub(crate) tenants: Names,
    /// Addresses, and queues.
    pub(crate) peers: Names,
}

/// The name of what has no `service.name`.
pub(crate) const NO_SERVICE: &str = "(no service.name)";

/// Takes what the readers find.
pub(crate) struct Intake<'s> {
    settings: &'s Settings,
    pub(crate) strings: Strings,
    pub(crate) partitions: Partitions,
    pub(crate) groups: Groups,
    pub(crate) reading: Reading,
    pub(crate) services: HashMap<Name, ServiceFacts, FixedState>,
    pub(crate) cardinality: Cardinality,
    pub(crate) metrics: Metrics,
    keys: Keys,
    exemptions: Exemptions,
    detector: Detector,
    sizes: Sizes,
    rules: Rules<'s>,
    current: Current,
    /// The first error of the temporary files: nothing is right after it.
    failed: Option<io::Error>,
}

/// The resource of what is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Current {
    service: Name,
    tenant: Name,
    fields: u16,
    is_exempt: bool,
    is_production: bool,
}

/// The values of a span or a log record that are needed later.
#[derive(Default)]
struct Said {
    tenant: Name,
    fields: u16,
    is_exempt: bool,
}

impl<'s> Intake<'s> {
    pub(crate) fn new(settings: &'s Settings) -> Result<Self, regex::Error> {
        Ok(Self {
            strings: Strings {
                services: Names::new(16 << 20),
                names: Names::new(48 << 20),
                tenants: Names::new(48 << 20),
                peers: Names::new(16 << 20),
            },
            partitions: Partitions::new(settings.limits.memory << 20),
            groups: Groups::default(),
            reading: Reading::default(),
            services: HashMap::default(),
            cardinality: Cardinality::default(),
            metrics: Metrics::default(),
            keys: Keys::new(settings),
            exemptions: Exemptions::new(&settings.exempt.spans),
            detector: Detector::new(&settings.sensitive)?,
            sizes: Sizes::new(settings.limits),
            rules: Rules::new(&settings.rules),
            current: Current::default(),
            failed: None,
            settings,
        })
    }

    /// Returns the error of the temporary files, if there was one.
    pub(crate) fn failed(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Looks at the attributes of a record.
    #[inline]
    fn attributes(&mut self, attributes: &[Attribute<'_>], evidence: Evidence, peer: Option<&mut Peer>) -> Said {
        let mut said = Said { tenant: self.current.tenant, fields: self.current.fields, is_exempt: false };
        let service = self.current.service;
        let mut peer = peer;
        for attribute in attributes {
            let key = self.keys.get(&attribute.key);
            if !attribute.value.is_empty() {
                said.fields |= key.required;
            }
            match key.role {
                Role::None => {}
                Role::Tenant => said.tenant = self.strings.tenants.add(&attribute.value),
                Role::Path => said.is_exempt |= self.exemptions.matches(&attribute.value),
                role => {
                    if let Some(peer) = &mut peer {
                        peer.add(role, &attribute.value, &mut self.strings.peers);
                    }
                }
            }
            if key.level == Level::Resource {
                self.services.entry(service).or_default().misplaced.note(&attribute.key);
            }
            if self.cardinality.is_known(service, key.id, &attribute.value) {
                continue;
            }
            if let Some(what) = self.detector.find(key, &attribute.value) {
                let field = self.strings.names.add(&attribute.key);
                let what = self.strings.names.add(what);
                self.groups.add(Key::Sensitive { service, field, what }, evidence);
            } else if let Some(limit) = self.sizes.too_large(key, &attribute.value) {
                let field = self.strings.names.add(&attribute.key);
                self.groups.add(Key::Size { service, field, limit }, evidence);
            } else {
                self.cardinality.add(service, key.id, &attribute.key, &attribute.value);
            }
        }
        said
    }

    fn store(&mut self, trace: TraceId, write: impl FnOnce(&mut Vec<u8>)) {
        if let Err(error) = self.partitions.add(trace, write) {
            self.failed.get_or_insert(error);
        }
    }
}

impl Sink for Intake<'_> {
    fn resource(&mut self, resource: &Resource<'_>) {
        let name = resource.service().unwrap_or(NO_SERVICE);
        let service = self.strings.services.add(name);
        let mut current =
            Current { service, is_exempt: self.settings.services.exempt.matches(name), ..Current::default() };
        let facts = self.services.entry(service).or_default();
        facts.resource(resource);
        for attribute in &resource.attributes {
            let key = self.keys.get(&attribute.key);
            if !attribute.value.is_empty() {
                current.fields |= key.required;
            }
            if key.role == Role::Tenant {
                current.tenant = self.strings.tenants.add(&attribute.value);
            }
            if key.level == Level::Item {
                facts.misplaced.note(&attribute.key);
            }
            let evidence = Evidence::default();
            if !self.cardinality.is_known(service, key.id, &attribute.value) {
                if let Some(what) = self.detector.find(key, &attribute.value) {
                    let field = self.strings.names.add(&attribute.key);
                    let what = self.strings.names.add(what);
                    self.groups.add(Key::Sensitive { service, field, what }, evidence);
                } else {
                    self.cardinality.remember(service, key.id, &attribute.value);
                }
            }
        }
        let environment =
            resource.get("deployment.environment.name").or_else(|| resource.get("deployment.environment"));
        current.is_production = environment.is_some_and(|name| name.to_ascii_lowercase().starts_with("prod"));
        self.rules.check(Subject::Resource, name, "", &resource.attributes, |rule| {
            self.groups.add(Key::OwnRule { rule, service }, Evidence::default());
        });
        self.current = current;
    }

    fn span(&mut self, span: &Span<'_>, place: Place) {
        self.reading.spans += 1;
        let current = self.current;
        let evidence =
            Evidence { trace_id: span.trace_id, spans: [span.span_id, SpanId::NONE], place, time: span.start };
        let mut peer = Peer::default();
        let mut said = self.attributes(&span.attributes, evidence, Some(&mut peer));
        said.is_exempt |= self.exemptions.matches(&span.name);
        let name = self.strings.names.add(&span.name);
        self.cardinality.add_name(current.service, name);
        let mut flags = Flags::default();
        let peer_name = peer.finish(span, &mut flags, &mut self.strings.peers);
        flags.set(Flags::EXEMPT, said.is_exempt);
        flags.set(Flags::SHARED, span.is_shared);
        flags.set(Flags::LINKS, !span.links.is_empty());
        flags.set(Flags::NO_LINKS, !span.has_links);
        if let Some(bits) = span.flags {
            // OTLP, `SpanFlags`: bit 8 says that bit 9 is known.
            flags.set(Flags::REMOTE, bits & 0x300 == 0x300);
            flags.set(Flags::LOCAL, bits & 0x300 == 0x100);
            flags.set(Flags::UNSAMPLED, bits & 0x101 == 0x100);
        }
        if let Some(limit) = self.sizes.tracestate(&span.trace_state) {
            let field = self.strings.names.add("tracestate");
            self.groups.add(Key::Size { service: current.service, field, limit }, evidence);
        }
        let stored = StoredSpan {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_id: span.parent_id,
            start: span.start,
            end: span.end,
            service: current.service,
            name,
            tenant: said.tenant,
            peer: peer_name,
            place,
            flags,
            fields: said.fields,
            kind: span.kind,
            status: span.status,
        };
        self.services.entry(current.service).or_default().span(span.kind.is_entry(), span.start, span.end);
        self.store(span.trace_id, |into| stored.write(into));
        for link in &span.links {
            let stored = StoredLink {
                trace_id: link.trace_id,
                span_id: link.span_id,
                from_trace: span.trace_id,
                from_span: span.span_id,
                from_start: span.start,
                from_service: current.service,
                from_tenant: said.tenant,
                from_kind: span.kind,
            };
            self.store(link.trace_id, |into| stored.write(into));
        }
        for event in &span.events {
            let said = self.attributes(&event.attributes, evidence, None);
            let stored = StoredLog {
                trace_id: span.trace_id,
                span_id: span.span_id,
                time: event.time,
                service: current.service,
                tenant: said.tenant,
                place,
                fields: said.fields,
                severity: 0,
                is_event: true,
                body: event.name.clone().into_owned(),
            };
            self.store(span.trace_id, |into| stored.write(into));
        }
        if !self.rules.is_empty() {
            let service = self.strings.services.get(current.service);
            self.rules.check(Subject::Span, service, &span.name, &span.attributes, |rule| {
                self.groups.add(Key::OwnRule { rule, service: current.service }, evidence);
            });
        }
    }

    fn log(&mut self, record: &LogRecord<'_>, place: Place) {
        self.reading.logs += 1;
        let current = self.current;
        let evidence =
            Evidence { trace_id: record.trace_id, spans: [record.span_id, SpanId::NONE], place, time: record.time };
        let said = self.attributes(&record.attributes, evidence, None);
        if let Some(what) = self.detector.find_in_message(&record.body) {
            let field = self.strings.names.add("message");
            let what = self.strings.names.add(what);
            self.groups.add(Key::Sensitive { service: current.service, field, what }, evidence);
        }
        self.services.entry(current.service).or_default().log(record, current.is_production);
        if !self.rules.is_empty() {
            let service = self.strings.services.get(current.service);
            self.rules.check(Subject::Log, service, &record.body, &record.attributes, |rule| {
                self.groups.add(Key::OwnRule { rule, service: current.service }, evidence);
            });
        }
        if record.trace_id == TraceId::default() {
            return; // It belongs to no request.
        }
        let stored = StoredLog {
            trace_id: record.trace_id,
            span_id: record.span_id,
            time: record.time,
            service: current.service,
            tenant: said.tenant,
            place,
            // A record of an exempt service needs no fields.
            fields: if current.is_exempt { u16::MAX } else { said.fields },
            severity: record.severity,
            is_event: false,
            body: record.body.clone().into_owned(),
        };
        self.store(record.trace_id, |into| stored.write(into));
    }

    fn metric(&mut self, metric: &Metric<'_>, _place: Place) {
        self.reading.metrics += 1;
        self.metrics.add(self.current.service, metric);
    }

    fn problem(&mut self, problem: Problem) {
        self.reading.problem(problem);
    }

    fn deviation(&mut self, deviation: Deviation, place: Place) {
        self.reading.deviations.entry(deviation).or_insert((0, place)).0 += 1;
    }
}
