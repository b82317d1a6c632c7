//! The nodes of declarative configuration as settings.

use std::path::Path;

use crate::setup::settings::{
    DEFINITIONS, Exporter, Origin, PropagatorName, SamplerName, Settings, SettingsProblem,
    node::{Entry, Node, Raw},
    one_of,
    suggest::nearest,
};

/// Sets the settings that the document has. Others keep their defaults of the document, which are those of no export at all.
pub(crate) fn apply(path: &Path, document: &Node, settings: &mut Settings, problems: &mut Vec<SettingsProblem>) {
    for definition in DEFINITIONS {
        if definition.variables.iter().any(|variable| variable.name.starts_with("OTEL_")) {
            (definition.reset)(settings);
            settings.origins.remove(definition.full_key);
        }
    }
    let it = &mut settings.observability;
    it.traces_exporter = Exporter::None;
    it.logs_exporter = Exporter::None;
    it.metrics_exporter = Exporter::None;
    it.sampler = SamplerName::ParentBasedAlwaysOn;
    it.propagators.clear();
    let mut mapping = Mapping { path, settings, problems };
    mapping.document(document);
    if mapping.settings.observability.propagators.is_empty() {
        mapping.settings.observability.propagators.push(PropagatorName::None);
    }
}

struct Mapping<'a> {
    path: &'a Path,
    settings: &'a mut Settings,
    problems: &'a mut Vec<SettingsProblem>,
}

/// The keys of the three signals in the settings.
#[derive(Clone, Copy)]
struct Keys {
    signal: &'static str,
    queue_size: Option<&'static str>,
    batch_size: Option<&'static str>,
    delay: &'static str,
}

const TRACES: Keys = Keys {
    signal: "traces",
    queue_size: Some("traces_queue_size"),
    batch_size: Some("traces_batch_size"),
    delay: "traces_delay",
};
const LOGS: Keys = Keys {
    signal: "logs",
    queue_size: Some("logs_queue_size"),
    batch_size: Some("logs_batch_size"),
    delay: "logs_delay",
};
const METRICS: Keys = Keys { signal: "metrics", queue_size: None, batch_size: None, delay: "metrics_interval" };

impl Mapping<'_> {
    fn problem(&mut self, line: usize, at: &str, found: impl Into<String>, expected: impl Into<String>) {
        let origin = Origin::File { path: self.path.to_owned(), line, key: at.to_owned() };
        self.problems.push(SettingsProblem::new(origin, found, expected));
    }

    /// Returns the entries of a mapping that are set, after its unknown keys were reported.
    ///
    /// `/development` properties may be ignored, by the specification's versioning policy.
    fn entries<'n>(&mut self, node: &'n Node, at: &str, known: &[&str]) -> Vec<&'n Entry> {
        let entries = match &node.value {
            Raw::Table(entries) => entries,
            Raw::Null => return Vec::new(),
            _ => {
                self.problem(node.line, at, node.to_string(), "a mapping");
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for entry in entries {
            let key = entry.key.as_str();
            let at = join(at, key);
            if known.contains(&key) {
                found.push(entry);
            } else if key.ends_with("/development") {
                let warning = format!("{}:{}: `{at}` has no effect", self.path.display(), entry.line);
                self.settings.warnings.push(warning);
            } else {
                let origin = Origin::File { path: self.path.to_owned(), line: entry.line, key: at };
                let problem = SettingsProblem::new(origin, "a node that is not supported", one_of(known));
                self.problems.push(problem.with_suggestion(nearest(key, known.iter().copied())));
            }
        }
        found
    }

    /// Sets the setting with a key, if the node has a value.
    fn set(&mut self, key: &str, at: &str, node: &Node) {
        if node.value == Raw::Null {
            return;
        }
        let Some(definition) = DEFINITIONS.iter().find(|it| it.section == "observability" && it.key == key) else {
            return;
        };
        match (definition.set_node)(self.settings, node) {
            Ok(()) => {
                let origin = Origin::File { path: self.path.to_owned(), line: node.line, key: at.to_owned() };
                self.settings.origins.insert(definition.full_key, origin);
            }
            Err(refused) => {
                let is_shown = !definition.is_secret && !node.as_str().is_some_and(|text| text.contains('@'));
                let found = if is_shown { node.to_string() } else { "a value that is not shown".to_owned() };
                let found = refused.part.unwrap_or(found);
                self.problem(node.line, at, found, (definition.allowed)());
            }
        }
    }

    /// Reports a node whose value is not the only supported one. Nothing is that, too.
    fn only(&mut self, at: &str, node: &Node, supported: &Raw, reason: &str) {
        if node.value != Raw::Null && node.value != *supported {
            let expected = Node { value: supported.clone(), line: 0 };
            let expected = match supported {
                Raw::Null => format!("no value: {reason}"),
                _ => format!("{expected}: {reason}"),
            };
            self.problem(node.line, at, node.to_string(), expected);
        }
    }

    fn document(&mut self, document: &Node) {
        let known = [
            "file_format",
            "disabled",
            "log_level",
            "resource",
            "attribute_limits",
            "propagator",
            "tracer_provider",
            "meter_provider",
            "logger_provider",
        ];
        let entries = self.entries(document, "", &known);
        if !entries.iter().any(|entry| entry.key == "file_format") {
            self.problem(document.line, "file_format", "nothing", "\"1.0\" or \"1.1\"");
        }
        for entry in entries {
            let (at, node) = (entry.key.as_str(), &entry.node);
            match at {
                "file_format" => self.file_format(node),
                "disabled" => match node.value {
                    Raw::Bool(is_disabled) => {
                        let value = Raw::Bool(!is_disabled);
                        self.set("enabled", at, &Node { value, line: node.line });
                    }
                    _ => self.only(at, node, &Raw::Bool(false), "or true"),
                },
                "log_level" => {
                    let warning = "the SDK logs by `tracing`: `log_level` has no effect, set `log_filter`";
                    if node.as_str().is_some_and(|level| level != "info") {
                        self.settings.warnings.push(format!("{}:{}: {warning}", self.path.display(), node.line));
                    }
                }
                "resource" => self.resource(at, node),
                "attribute_limits" => self.attribute_limits(at, node),
                "propagator" => self.propagator(at, node),
                "tracer_provider" => self.tracer_provider(at, node),
                "meter_provider" => self.meter_provider(at, node),
                _ => self.logger_provider(at, node),
            }
        }
    }

    fn file_format(&mut self, node: &Node) {
        let is_one = match &node.value {
            Raw::String(text) => text == "1" || text.starts_with("1."),
            Raw::Float(number) => (1.0..2.0).contains(number),
            _ => false,
        };
        if !is_one {
            self.problem(node.line, "file_format", node.to_string(), "\"1.0\" or \"1.1\"");
        }
    }

    fn resource(&mut self, at: &str, node: &Node) {
        let entries = self.entries(node, at, &["attributes", "attributes_list", "schema_url"]);
        // Attributes win over the list.
        for key in ["attributes_list", "attributes"] {
            for entry in entries.iter().filter(|entry| entry.key == key) {
                let at = join(at, key);
                let before = std::mem::take(&mut self.settings.observability.resource_attributes);
                match &entry.node.value {
                    Raw::List(_) => {
                        let pairs = self.name_values(&at, &entry.node);
                        self.set("resource_attributes", &at, &pairs);
                    }
                    _ => self.set("resource_attributes", &at, &entry.node),
                }
                let after = &mut self.settings.observability.resource_attributes.0;
                for (name, value) in before.0 {
                    after.entry(name).or_insert(value);
                }
            }
        }
    }

    /// Returns a list of `name` and `value` as a table.
    fn name_values(&mut self, at: &str, node: &Node) -> Node {
        let mut pairs = Vec::new();
        let Raw::List(nodes) = &node.value else {
            self.only(at, node, &Raw::Null, "or a list of `name` and `value`");
            return Node { value: Raw::Null, line: node.line };
        };
        for (index, node) in nodes.iter().enumerate() {
            let at = format!("{at}[{index}]");
            let entries = self.entries(node, &at, &["name", "value", "type"]);
            let of = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node);
            match (of("name").and_then(Node::as_str), of("value")) {
                (Some(name), Some(value)) => {
                    // Attributes of all types are exported as strings. One without a value is as if it were not there.
                    let value = match &value.value {
                        Raw::Null => continue,
                        Raw::Float(number) => Node { value: Raw::String(number.to_string()), line: value.line },
                        _ => value.clone(),
                    };
                    pairs.push(Entry { key: name.to_owned(), line: node.line, node: value });
                }
                _ => self.problem(node.line, &at, node.to_string(), "`name` and `value`"),
            }
        }
        Node { value: Raw::Table(pairs), line: node.line }
    }

    fn attribute_limits(&mut self, at: &str, node: &Node) {
        let known = ["attribute_value_length_limit", "attribute_value_depth_limit", "attribute_count_limit"];
        for entry in self.entries(node, at, &known) {
            self.limit(at, entry);
        }
    }

    /// Sets a limit of spans, of their events and links.
    fn limit(&mut self, at: &str, entry: &Entry) {
        let at = join(at, &entry.key);
        let key = match entry.key.as_str() {
            "attribute_value_length_limit" => "max_attribute_length",
            "attribute_count_limit" => "max_span_attributes",
            "event_count_limit" => "max_span_events",
            "link_count_limit" => "max_span_links",
            "event_attribute_count_limit" => "max_event_attributes",
            "link_attribute_count_limit" => "max_link_attributes",
            _ => return self.only(&at, &entry.node, &Raw::Integer(64), "attributes of the SDK have no depth"),
        };
        self.set(key, &at, &entry.node);
    }

    fn propagator(&mut self, at: &str, node: &Node) {
        for entry in self.entries(node, at, &["composite", "composite_list"]) {
            let at = join(at, &entry.key);
            let mut names = std::mem::take(&mut self.settings.observability.propagators);
            match &entry.node.value {
                Raw::List(nodes) => {
                    for (index, node) in nodes.iter().enumerate() {
                        let at = format!("{at}[{index}]");
                        for entry in node.entries().unwrap_or_default() {
                            let name = Node { value: Raw::String(entry.key.clone()), line: entry.line };
                            self.set("propagators", &at, &name);
                            names.append(&mut self.settings.observability.propagators);
                        }
                    }
                }
                _ => {
                    self.set("propagators", &at, &entry.node);
                    names.append(&mut self.settings.observability.propagators);
                }
            }
            names.dedup();
            self.settings.observability.propagators = names;
        }
    }

    fn tracer_provider(&mut self, at: &str, node: &Node) {
        for entry in self.entries(node, at, &["processors", "limits", "sampler"]) {
            let at = join(at, &entry.key);
            match entry.key.as_str() {
                "processors" => self.processors(&at, &entry.node, TRACES),
                "sampler" => self.sampler(&at, &entry.node),
                _ => {
                    let known = [
                        "attribute_value_length_limit",
                        "attribute_value_depth_limit",
                        "attribute_count_limit",
                        "event_count_limit",
                        "link_count_limit",
                        "event_attribute_count_limit",
                        "link_attribute_count_limit",
                    ];
                    for entry in self.entries(&entry.node, &at, &known) {
                        self.limit(&at, entry);
                    }
                }
            }
        }
    }

    fn logger_provider(&mut self, at: &str, node: &Node) {
        for entry in self.entries(node, at, &["processors", "limits"]) {
            let at = join(at, &entry.key);
            if entry.key == "processors" {
                self.processors(&at, &entry.node, LOGS);
                continue;
            }
            let reason = "the SDK for Rust has no limits of log records";
            let known = ["attribute_value_length_limit", "attribute_value_depth_limit", "attribute_count_limit"];
            for entry in self.entries(&entry.node, &at, &known) {
                let supported = match entry.key.as_str() {
                    "attribute_value_length_limit" => Raw::Null,
                    "attribute_value_depth_limit" => Raw::Integer(64),
                    _ => Raw::Integer(128),
                };
                self.only(&join(&at, &entry.key), &entry.node, &supported, reason);
            }
        }
    }

    fn meter_provider(&mut self, at: &str, node: &Node) {
        for entry in self.entries(node, at, &["readers", "views", "exemplar_filter"]) {
            let at = join(at, &entry.key);
            match entry.key.as_str() {
                "readers" => {
                    for (at, reader) in self.list(&at, &entry.node) {
                        for entry in self.entries(reader, &at, &["periodic"]) {
                            self.pipeline(&join(&at, &entry.key), &entry.node, METRICS);
                        }
                    }
                }
                "views" => self.only(&at, &entry.node, &Raw::Null, "views are not supported"),
                _ => {
                    let default = Raw::String("trace_based".to_owned());
                    self.only(&at, &entry.node, &default, "the SDK for Rust has no exemplars");
                }
            }
        }
    }

    /// Returns the one element of a list with its name. More are reported.
    fn list<'n>(&mut self, at: &str, node: &'n Node) -> Vec<(String, &'n Node)> {
        match &node.value {
            Raw::List(nodes) => {
                if let Some(second) = nodes.get(1) {
                    let at = format!("{at}[1]");
                    self.problem(second.line, &at, "a second one", "one: a signal is exported to one place");
                }
                nodes.first().map(|first| (format!("{at}[0]"), first)).into_iter().collect()
            }
            Raw::Null => Vec::new(),
            _ => {
                self.problem(node.line, at, node.to_string(), "a list");
                Vec::new()
            }
        }
    }

    fn processors(&mut self, at: &str, node: &Node, keys: Keys) {
        for (at, processor) in self.list(at, node) {
            for entry in self.entries(processor, &at, &["batch"]) {
                self.pipeline(&join(&at, &entry.key), &entry.node, keys);
            }
        }
    }

    /// Reads a batch processor or a periodic reader.
    fn pipeline(&mut self, at: &str, node: &Node, keys: Keys) {
        let known: &[&str] = match keys.queue_size {
            Some(_) => &["schedule_delay", "export_timeout", "max_queue_size", "max_export_batch_size", "exporter"],
            None => &["interval", "timeout", "exporter"],
        };
        for entry in self.entries(node, at, known) {
            let at = join(at, &entry.key);
            match entry.key.as_str() {
                "schedule_delay" | "interval" => self.set(keys.delay, &at, &entry.node),
                "max_queue_size" => self.set(keys.queue_size.unwrap_or_default(), &at, &entry.node),
                "max_export_batch_size" => self.set(keys.batch_size.unwrap_or_default(), &at, &entry.node),
                "exporter" => self.exporter(&at, &entry.node, keys),
                _ => {
                    let reason = "the time limit is that of the exporter, `timeout`";
                    self.only(&at, &entry.node, &Raw::Integer(30_000), reason);
                }
            }
        }
    }

    fn exporter(&mut self, at: &str, node: &Node, keys: Keys) {
        let text = |text: &str, line: usize| Node { value: Raw::String(text.to_owned()), line };
        for entry in self.entries(node, at, &["otlp_http", "otlp_grpc", "console"]) {
            let (at, line) = (join(at, &entry.key), entry.line);
            let signal = keys.signal;
            let is_console = entry.key == "console";
            let exporter = if is_console { "console" } else { "otlp" };
            self.set(&format!("{signal}_exporter"), &at, &text(exporter, line));
            if is_console {
                continue;
            }
            let is_grpc = entry.key == "otlp_grpc";
            let protocol = if is_grpc { "grpc" } else { "http/protobuf" };
            self.set(&format!("{signal}_protocol"), &at, &text(protocol, line));
            let default =
                if is_grpc { "http://localhost:4317".to_owned() } else { format!("http://localhost:4318/v1/{signal}") };
            self.set(&format!("{signal}_endpoint"), &at, &text(&default, line));
            self.otlp(&at, &entry.node, keys, is_grpc);
        }
    }

    fn otlp(&mut self, at: &str, node: &Node, keys: Keys, is_grpc: bool) {
        let signal = keys.signal;
        let mut known = vec!["endpoint", "tls", "headers", "headers_list", "compression", "timeout"];
        if !is_grpc {
            known.push("encoding");
        }
        if signal == METRICS.signal {
            known.extend(["temporality_preference", "default_histogram_aggregation"]);
        }
        let entries = self.entries(node, at, &known);
        // Headers win over the list.
        for key in ["headers_list", "headers"] {
            for entry in entries.iter().filter(|entry| entry.key == key) {
                let at = join(at, key);
                let node = match &entry.node.value {
                    Raw::List(_) => self.name_values(&at, &entry.node),
                    _ => entry.node.clone(),
                };
                self.set(&format!("{signal}_headers"), &at, &node);
            }
        }
        for entry in entries {
            let (at, node) = (join(at, &entry.key), &entry.node);
            match entry.key.as_str() {
                "endpoint" => self.set(&format!("{signal}_endpoint"), &at, node),
                "compression" => self.set(&format!("{signal}_compression"), &at, node),
                "timeout" => self.set(&format!("{signal}_timeout"), &at, node),
                "temporality_preference" => {
                    let name = node.as_str().map(|name| name.replace("low_memory", "lowmemory"));
                    let value = name.map_or(Raw::Null, Raw::String);
                    self.set("metrics_temporality", &at, &Node { value, line: node.line });
                }
                "default_histogram_aggregation" => {
                    let default = Raw::String("explicit_bucket_histogram".to_owned());
                    self.only(&at, node, &default, "others are not supported");
                }
                "encoding" => match node.as_str() {
                    Some("json") => {
                        let value = Raw::String("http/json".to_owned());
                        self.set(&format!("{signal}_protocol"), &at, &Node { value, line: node.line });
                    }
                    _ => self.only(&at, node, &Raw::String("protobuf".to_owned()), "or \"json\""),
                },
                "tls" => {
                    for entry in self.entries(node, &at, &["ca_file", "key_file", "cert_file", "insecure"]) {
                        let (at, node) = (join(&at, &entry.key), &entry.node);
                        match entry.key.as_str() {
                            "ca_file" => self.set(&format!("{signal}_certificate"), &at, node),
                            "cert_file" => self.set(&format!("{signal}_client_certificate"), &at, node),
                            "key_file" => self.set(&format!("{signal}_client_key"), &at, node),
                            _ => self.only(&at, node, &Raw::Null, "the scheme of the address decides"),
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn sampler(&mut self, at: &str, node: &Node) {
        let known = ["always_on", "always_off", "trace_id_ratio_based", "parent_based"];
        for entry in self.entries(node, at, &known) {
            let at = join(at, &entry.key);
            if entry.key == "parent_based" {
                self.parent_based(&at, &entry.node);
            } else {
                let name = self.root_sampler(&at, entry);
                self.set("sampler", &at, &Node { value: Raw::String(name.to_owned()), line: entry.line });
            }
        }
    }

    /// Returns the standard name of a sampler without a parent, and sets its rate.
    fn root_sampler(&mut self, at: &str, entry: &Entry) -> &'static str {
        match entry.key.as_str() {
            "always_on" => "always_on",
            "always_off" => "always_off",
            _ => {
                for entry in self.entries(&entry.node, at, &["ratio"]) {
                    self.set("sampling_rate", &join(at, "ratio"), &entry.node);
                }
                "traceidratio"
            }
        }
    }

    fn parent_based(&mut self, at: &str, node: &Node) {
        let defaults = [
            ("remote_parent_sampled", "always_on"),
            ("remote_parent_not_sampled", "always_off"),
            ("local_parent_sampled", "always_on"),
            ("local_parent_not_sampled", "always_off"),
        ];
        let mut known = vec!["root"];
        known.extend(defaults.map(|(key, _)| key));
        let mut root = "always_on";
        for entry in self.entries(node, at, &known) {
            let at = join(at, &entry.key);
            match defaults.iter().find(|(key, _)| *key == entry.key) {
                Some((_, only)) => {
                    for entry in entry.node.entries().unwrap_or_default().iter().filter(|entry| entry.key != *only) {
                        let expected = format!("`{only}`: the caller's decision is kept");
                        self.problem(entry.line, &join(&at, &entry.key), "another sampler", expected);
                    }
                }
                None => {
                    for entry in self.entries(&entry.node, &at, &["always_on", "always_off", "trace_id_ratio_based"]) {
                        root = self.root_sampler(&join(&at, &entry.key), entry);
                    }
                }
            }
        }
        let value = Raw::String(format!("parentbased_{root}"));
        self.set("sampler", at, &Node { value, line: node.line });
    }
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
