//! Findings in words: what is wrong, the likely cause, what to do.

use std::collections::BTreeSet;

use crate::{
    finding::{Boundary, Cause, Edge, FindingKind, Group, Key, Sign},
    intake::{ServiceFacts, Strings},
    model::Kind,
    settings::OwnRule,
    store::Name,
};

/// The strings that are needed to name things.
pub(super) struct Words<'a> {
    pub(super) strings: &'a Strings,
    pub(super) require: &'a [String],
    pub(super) rules: &'a [OwnRule],
}

/// A finding in words.
pub(super) struct Said {
    pub(super) kind: FindingKind,
    pub(super) service: Name,
    pub(super) edge: Option<Edge>,
    pub(super) field: Option<String>,
    pub(super) rule_id: Option<String>,
    pub(super) cause: Cause,
    pub(super) message: String,
    pub(super) why: String,
    pub(super) of: u64,
}

impl Words<'_> {
    pub(super) fn service(&self, name: Name) -> &str {
        self.strings.services.get(name)
    }

    pub(super) fn peer(&self, name: Name) -> &str {
        if name.is_empty() { "(no address)" } else { self.strings.peers.get(name) }
    }

    fn edge(&self, from: Name, to: Name) -> Edge {
        Edge { from: self.service(from).to_owned(), to: self.service(to).to_owned(), via: String::new() }
    }

    /// Returns the likely cause of a broken edge.
    pub(super) fn of_edge(&self, cause: Cause, edge: &Edge, versions: &BTreeSet<String>, is_message: bool) -> String {
        let Edge { from, to, via } = edge;
        let carrier = if is_message { "the headers of the message" } else { "the request" };
        match cause {
            Cause::NoPropagatorInCaller => {
                format!(
                    "`{from}` writes no `traceparent` into {carrier}: no propagator, or a client without instrumentation. `{to}` continues the traces of its other callers"
                )
            }
            Cause::NoPropagatorInCallee => {
                format!(
                    "`{to}` reads no `traceparent` from {carrier}: no propagator. What `{from}` sends to others arrives"
                )
            }
            Cause::NoPropagator => {
                format!(
                    "`{from}` writes no `traceparent` into {carrier}, or `{to}` reads none: `{to}` starts a new trace for each, and no other edge of the two is connected"
                )
            }
            Cause::HeaderStripped => {
                format!(
                    "`traceparent` is removed between `{from}` and `{to}` ({via}): both propagate elsewhere. A proxy, a gateway or an allow-list of headers"
                )
            }
            Cause::LinkInsteadOfParent => {
                format!(
                    "`{to}` starts a new trace and links it to the span of `{from}`, in the place of continuing its trace"
                )
            }
            Cause::HopBetween => {
                format!(
                    "the trace id arrives at `{to}`, with the id of a span that is not exported: a proxy or mesh between the two has spans of its own, or another span of `{from}` is the one that was injected"
                )
            }
            Cause::ParentDropped => {
                format!(
                    "the trace id arrives at `{to}`, and the id of the parent does not: the context is restored from the trace id alone"
                )
            }
            Cause::SpanLost => {
                format!(
                    "what `{to}` did is in the trace, and its span for {carrier} is not: it never ended, the exporter dropped it, or it was sampled away alone"
                )
            }
            Cause::SampledAway => {
                format!(
                    "`{to}` has spans for other calls and none for these: it samples by itself, or its exporter drops spans"
                )
            }
            Cause::AnotherVersion => {
                let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
                format!(
                    "two versions of OpenTelemetry are in use ({}), each with globals of its own: the propagator of one is not that of the other",
                    versions.join(", ")
                )
            }
            Cause::NotInstrumented => {
                format!("`{to}` has no server spans: it is not instrumented, or exports elsewhere")
            }
            _ => String::new(),
        }
    }

    /// Returns a finding in words.
    pub(super) fn of_key<'f>(&self, key: Key, group: &Group, facts: impl Fn(Name) -> &'f ServiceFacts) -> Said {
        let count = group.count;
        let plain = |kind, service, cause, message: String, why: &str| Said {
            kind,
            service,
            edge: None,
            field: None,
            rule_id: None,
            cause,
            message,
            why: why.to_owned(),
            of: 0,
        };
        match key {
            Key::Orphan { service, kind, is_remote } => self.orphan(service, kind, is_remote, count, facts(service)),
            Key::Roots { service, first } => plain(
                FindingKind::SeveralRoots,
                service,
                Cause::ParentDropped,
                format!(
                    "{count} spans of `{}` are second roots of traces that `{}` starts",
                    self.service(service),
                    self.service(first)
                ),
                "the id of the trace was kept and that of the parent was not: a context restored from the trace id alone, or a span started as a root in a trace",
            ),
            Key::UnexpectedRoot { service } => plain(
                FindingKind::UnexpectedRoot,
                service,
                Cause::UnknownCaller,
                format!("{count} traces start in `{}`, which is no entry service", self.service(service)),
                "its callers are not in the data, or send no context, or it is called from outside: then declare it as an entry service",
            ),
            Key::MixedTenants { first, second } => Said {
                edge: (first != second).then(|| self.edge(first, second)),
                ..plain(
                    FindingKind::MixedTenants,
                    second,
                    Cause::SharedWork,
                    format!(
                        "{count} traces have spans of two tenants, first seen in `{}` and `{}`",
                        self.service(first),
                        self.service(second)
                    ),
                    "work for several tenants runs under one span: a batch, a cache that is filled, a context that is kept by a pool",
                )
            },
            Key::TenantChange { from, to } => Said {
                edge: Some(self.edge(from, to)),
                ..plain(
                    FindingKind::TenantChange,
                    to,
                    Cause::Replaced,
                    format!(
                        "{} the tenant of `{}` is another one in `{}` below it",
                        times(count),
                        self.service(from),
                        self.service(to)
                    ),
                    "the tenant is set again from another source: a token, a default, baggage of somebody else, a context that was left from the request before",
                )
            },
            Key::TenantOfLog { service } => plain(
                FindingKind::MixedTenants,
                service,
                Cause::Replaced,
                format!(
                    "{count} log records or events of `{}` have another tenant than their span",
                    self.service(service)
                ),
                "the record takes the tenant from another place than its span: a thread-local value, a context that was left from the request before",
            ),
            Key::MissingField { field, from, to, at } => self.missing(field, from, to, at, count),
            Key::EndBeforeStart { service } => plain(
                FindingKind::ImpossibleTime,
                service,
                Cause::ClockSkew,
                format!("{count} spans of `{}` end before they start", self.service(service)),
                "the clock was set back meanwhile, or start and end are of different clocks",
            ),
            Key::ChildBeforeParent { service } => plain(
                FindingKind::ImpossibleTime,
                service,
                Cause::ClockSkew,
                format!("{count} spans of `{}` start before their parents in the same service", self.service(service)),
                "its instances have different clocks, or the start was given by hand",
            ),
            Key::SharedId { service } => plain(
                FindingKind::InvalidTree,
                service,
                Cause::RepeatedId,
                format!("{count} spans of `{}` have the id of a different span in their trace", self.service(service)),
                "the generator of ids starts with the same seed in several processes, or a span was exported twice, before and after a change",
            ),
            Key::Circle { service } => plain(
                FindingKind::InvalidTree,
                service,
                Cause::RepeatedId,
                format!("{count} traces have spans that are their own ancestors, first in `{}`", self.service(service)),
                "ids were copied or repeated",
            ),
            Key::LinkNotParent { queue, from, to } => {
                self.queue_mode(queue, from, to, count, "are linked", "are children")
            }
            Key::ParentNotLink { queue, from, to } => {
                self.queue_mode(queue, from, to, count, "are children", "are linked")
            }
            Key::Sensitive { service, field, what } => {
                let field = self.strings.names.get(field);
                Said {
                    field: Some(field.to_owned()),
                    ..plain(
                        FindingKind::SensitiveValue,
                        service,
                        Cause::Recorded,
                        format!(
                            "{} `{field}` of `{}` is {}",
                            times(count),
                            self.service(service),
                            article(self.strings.names.get(what))
                        ),
                        "the program records the value as it is",
                    )
                }
            }
            Key::Size { service, field, limit } => {
                let field = self.strings.names.get(field);
                let unit = if limit == 32 { "members" } else { "bytes" };
                Said {
                    field: Some(field.to_owned()),
                    ..plain(
                        FindingKind::HeaderSize,
                        service,
                        Cause::Unbounded,
                        format!(
                            "{} `{field}` of `{}` has more than {limit} {unit}",
                            times(count),
                            self.service(service)
                        ),
                        "recipients need not pass on more, and cut it or drop it",
                    )
                }
            }
            Key::OwnRule { rule, service } => {
                let rule = self.rules.get(usize::from(rule));
                let (id, description) = rule.map_or(("", ""), |rule| (&rule.id, &rule.description));
                Said {
                    rule_id: Some(id.to_owned()),
                    ..plain(
                        FindingKind::OwnRule,
                        service,
                        Cause::Rule,
                        format!("{} the rule {id} is broken in `{}`", times(count), self.service(service)),
                        description,
                    )
                }
            }
            Key::LargeTrace { service } => plain(
                FindingKind::LargeTrace,
                service,
                Cause::Unbounded,
                format!(
                    "{count} traces have more spans than `limits.spans_per_trace`, first in `{}`",
                    self.service(service)
                ),
                "a loop or a connection under one span, or one trace id for everything",
            ),
            // They are findings of their own kind before this.
            Key::Broken { from, sign, .. } => {
                let to = match sign {
                    Sign::Linked(to) | Sign::OtherParent(to) | Sign::Inner(to) | Sign::NoParent(to) => to,
                    Sign::Nothing => from,
                };
                plain(FindingKind::BrokenEdge, to, Cause::NoPropagator, format!("{count} calls"), "")
            }
            Key::Clock { to, .. } => plain(FindingKind::ClockSkew, to, Cause::ClockSkew, format!("{count} spans"), ""),
        }
    }

    fn orphan(&self, service: Name, kind: Kind, is_remote: Option<bool>, count: u64, facts: &ServiceFacts) -> Said {
        let name = self.service(service);
        let is_remote = is_remote.unwrap_or(kind.is_entry());
        let (cause, why) = if is_remote {
            let why = format!(
                "their parents are in another process, which exports nothing here: an external caller (then declare `{name}` as an entry service), a proxy with spans of its own, or a caller that samples its spans away"
            );
            (Cause::UnknownCaller, why)
        } else if facts.sdks.strings.len() > 1 {
            let versions: Vec<&str> = facts.sdks.strings.iter().map(String::as_str).collect();
            let why = format!(
                "their parents are in the same service, which uses two versions of OpenTelemetry ({}): what one records is exported elsewhere, or not at all",
                versions.join(", ")
            );
            (Cause::AnotherVersion, why)
        } else {
            let why = "their parents are in the same service and were not exported: they never ended, the exporter's queue dropped them, or the process ended first".to_owned();
            (Cause::SpanLost, why)
        };
        let what = if kind.is_entry() { kind.name() } else { "inner" };
        Said {
            kind: FindingKind::Orphan,
            service,
            edge: None,
            field: None,
            rule_id: None,
            cause,
            message: format!("{count} {what} spans of `{name}` have a parent that was never seen"),
            why,
            of: facts.spans,
        }
    }

    fn missing(&self, field: u8, from: Name, to: Name, at: Boundary, count: u64) -> Said {
        let field = self.require.get(usize::from(field)).map(String::as_str).unwrap_or_default();
        let name = self.service(to);
        let caller = self.service(from);
        let (cause, why) = match at {
            Boundary::Root => (
                Cause::NotSetAtEntry,
                format!("the first span of the trace, in `{name}`, has none: it is set too far inside, or not at all"),
            ),
            Boundary::Task => (
                Cause::NotCarried,
                format!(
                    "the first span of the trace is an inner one of `{name}`, which serves requests: a task, a thread or a library without the context of its request, or a job that sets no field"
                ),
            ),
            Boundary::Orphan => (
                Cause::NotSetAtEntry,
                format!("the first span that was seen, in `{name}`, has none, and its caller is not in the data"),
            ),
            Boundary::Parent if from != to => (
                Cause::NotPropagated,
                format!(
                    "`{caller}` has it and `{name}` has not: it is not propagated between the two, or `{name}` does not read it from baggage"
                ),
            ),
            Boundary::Parent => (
                Cause::NotCarried,
                format!(
                    "`{name}` has it on the parent and not on the child: it is lost in a task, a thread or a library"
                ),
            ),
            Boundary::Log => (
                Cause::OutsideOfContext,
                format!(
                    "spans of `{name}` have it and its log records have not: the output does not write it, or the record is written outside of the context"
                ),
            ),
        };
        Said {
            kind: FindingKind::MissingField,
            service: to,
            edge: (at == Boundary::Parent && from != to).then(|| self.edge(from, to)),
            field: Some(field.to_owned()),
            rule_id: None,
            cause,
            message: format!("{count} spans and log records lack `{field}`, from `{name}` on"),
            why,
            of: 0,
        }
    }

    fn queue_mode(&self, queue: Name, from: Name, to: Name, count: u64, are: &str, declared: &str) -> Said {
        let queue = self.peer(queue);
        Said {
            kind: FindingKind::QueueMode,
            service: to,
            edge: Some(Edge { via: queue.to_owned(), ..self.edge(from, to) }),
            field: None,
            rule_id: None,
            cause: Cause::NotAsDeclared,
            message: format!(
                "{count} consumer spans of `{queue}` in `{}` {are}, and by the settings they {declared}",
                self.service(to)
            ),
            why: "the consumer's instrumentation relates messages in the other way".to_owned(),
            of: 0,
        }
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn article(what: &str) -> String {
    if ["a ", "an ", "the "].iter().any(|article| what.starts_with(article)) {
        what.to_owned()
    } else {
        format!("what `{what}` matches")
    }
}

/// Returns what to do about a cause.
pub(super) const fn what_to_do(cause: Cause) -> &'static str {
    match cause {
        Cause::NoPropagatorInCaller => {
            "install a propagator in the caller, and inject the context into each outgoing request or message"
        }
        Cause::NoPropagatorInCallee => {
            "install a propagator in the other side, and extract the context where requests or messages arrive"
        }
        Cause::NoPropagator => "install a propagator in both: inject in the caller, extract in the other side",
        Cause::HeaderStripped => {
            "let `traceparent`, `tracestate` and `baggage` pass in the proxies and gateways between the two"
        }
        Cause::LinkInsteadOfParent => "use the extracted context as the parent of the server span",
        Cause::HopBetween => {
            "export the spans of what is between, or switch its tracing off; inject inside of the client span"
        }
        Cause::ParentDropped => "pass on the whole `traceparent`, and not the id of the trace alone",
        Cause::SpanLost => {
            "end spans on all paths; export what is queued before the process ends; enlarge the exporter's queue"
        }
        Cause::SampledAway => {
            "use a parent-based sampler; look for dropped spans in the exporter's metrics; or declare the service under `services.sampled`"
        }
        Cause::AnotherVersion => "use one version of OpenTelemetry in each service: `cargo tree -d` shows duplicates",
        Cause::NotInstrumented => "instrument the service, or declare its address under `addresses.third_party`",
        Cause::ClockSkew => "synchronise the clock of the host, by NTP or PTP",
        Cause::UnknownCaller => "export the caller's spans, or declare the service under `services.entry`",
        Cause::NotSetAtEntry => {
            "set the field where the request enters, before the first span ends; or declare exemptions"
        }
        Cause::NotPropagated => {
            "declare the field as propagated in the caller, and the boundary as internal in the other side"
        }
        Cause::NotCarried => "carry the context into tasks and threads: `in_current_context()`",
        Cause::OutsideOfContext => {
            "write the fields in the log output, and carry the context to where the record is written"
        }
        Cause::Replaced => "set the tenant once, where the request enters, and trust only internal callers for it",
        Cause::SharedWork => {
            "give each tenant's work its own span or trace; or declare the service under `services.many_tenants`"
        }
        Cause::Recorded => {
            "mask or hash the field, or do not record it; if it belongs there, declare it under `sensitive.allow`"
        }
        Cause::Unbounded => "use a route or template in the place of values, and limit what is added",
        Cause::RepeatedId => "seed the generator of ids from the system, and do not copy ids",
        Cause::NotAsDeclared => "change the consumer, or the queue's mode in the settings",
        Cause::StillQueued => "look at the queue, or capture for longer",
        Cause::Rule => "see the description of the rule",
    }
}
