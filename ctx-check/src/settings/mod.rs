//! Settings that describe the system: a TOML file, or the options of the command.

mod duration;
mod field;
mod own_rule;
mod pattern;
mod queue;

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

pub use duration::Duration;
pub use field::Field;
pub use own_rule::{OwnRule, Subject};
pub use pattern::Patterns;
pub use queue::{Queue, QueueMode};

/// The settings. Every one has a default: without a file, all that can be found without knowing the system is found.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The field that names the tenant.
    pub tenant: String,
    /// The fields that spans and log records must have.
    pub require: Vec<String>,
    /// How far clocks may differ before that is reported.
    pub tolerance: Duration,
    /// When telemetry was captured.
    pub capture: Capture,
    /// Which addresses are whose.
    pub addresses: Addresses,
    /// The services that are special.
    pub services: Services,
    /// The queues and topics, and how their consumers relate to the producers.
    #[serde(rename = "queue")]
    pub queues: Vec<Queue>,
    /// Which spans need no fields.
    pub exempt: Exempt,
    /// Which values must not be in telemetry.
    pub sensitive: Sensitive,
    /// The limits of sizes and numbers.
    pub limits: Limits,
    /// Limits of single fields.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
    /// Own rules, which are reported beside the instrumentation score.
    #[serde(rename = "rule")]
    pub rules: Vec<OwnRule>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tenant: "tenant_id".to_owned(),
            require: Vec::new(),
            tolerance: Duration::milliseconds(50),
            capture: Capture::default(),
            addresses: Addresses::default(),
            services: Services::default(),
            queues: Vec::new(),
            exempt: Exempt::default(),
            sensitive: Sensitive::default(),
            limits: Limits::default(),
            fields: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// When telemetry was captured, and how long what is missing may still be on its way.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capture {
    /// The start, in RFC 3339; inferred if it is not given.
    pub from: Option<String>,
    /// The end, in RFC 3339; inferred if it is not given.
    pub to: Option<String>,
    /// How near to the start or the end of the capture a parent, a server or a consumer may be missing: 10 seconds.
    pub grace: Duration,
}

impl Default for Capture {
    fn default() -> Self {
        Self { from: None, to: None, grace: Duration::milliseconds(10_000) }
    }
}

/// Which addresses are whose. Patterns have `*` and `?`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Addresses {
    /// Addresses inside the system: a call to one of them must reach a server span.
    pub own: Patterns,
    /// Addresses of others: calls to them are not judged.
    pub third_party: Patterns,
    /// The service behind an address, where neither the data nor the name tells.
    pub services: BTreeMap<String, String>,
}

/// The services that are special. Patterns have `*` and `?`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// Services that are called from outside. If any is named, a trace that starts with a server span of another service is a finding.
    pub entry: Patterns,
    /// Services whose spans and log records need no fields.
    pub exempt: Patterns,
    /// Services that sample by themselves: spans of theirs that are missing are excused.
    pub sampled: Patterns,
    /// Services that handle several tenants in one trace.
    pub many_tenants: Patterns,
}

/// Which spans need no fields, with all that is below them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exempt {
    /// Patterns of the name, the route or the path of a span.
    pub spans: Patterns,
}

impl Default for Exempt {
    fn default() -> Self {
        let health = [
            "*/health",
            "*/health/*",
            "*/healthz",
            "*/livez",
            "*/readyz",
            "*/ready",
            "*/live",
            "*/ping",
            "*/metrics",
            "grpc.health.v1.Health/*",
        ];
        Self { spans: Patterns::known(&health) }
    }
}

/// Which values must not be in telemetry.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sensitive {
    /// Looks for the built-in kinds: e-mail addresses, numbers of cards, keys and tokens, values under names of secrets.
    pub builtin: bool,
    /// Regular expressions, by name.
    pub patterns: BTreeMap<String, String>,
    /// Keys under which everything is allowed.
    pub allow: Patterns,
    /// SHA-256 hashes, in hexadecimal digits, of values that must appear nowhere.
    pub hashes: Vec<String>,
}

impl Default for Sensitive {
    fn default() -> Self {
        Self { builtin: true, patterns: BTreeMap::new(), allow: Patterns::default(), hashes: Vec::new() }
    }
}

/// The limits of sizes and numbers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a `baggage` header: 8192, which recipients must pass on.
    pub baggage: usize,
    /// Bytes of a `tracestate` header: 512, which recipients must pass on.
    pub tracestate: usize,
    /// Bytes of another header: 8192.
    pub header: usize,
    /// Span names of one service: 1000.
    pub span_names: u64,
    /// Spans of one trace that are judged: 1 000 000. More are counted.
    pub spans_per_trace: usize,
    /// Memory for spans, in MiB, before they go to temporary files: 256.
    pub memory: usize,
    /// The longest line, document or message that is read, in MiB: 256.
    pub document: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            baggage: 8192,
            tracestate: 512,
            header: 8192,
            span_names: 1000,
            spans_per_trace: 1_000_000,
            memory: 256,
            document: 256,
        }
    }
}

/// A fault of a file of settings.
#[derive(Debug)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads settings from TOML. `name` is the file's, for errors.
    ///
    /// # Errors
    ///
    /// If it is no TOML, or a key or a value is not one of the settings: with file, line, what was found and what is allowed.
    pub fn parse(name: &str, text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            SettingsError(format!("{name}:{line}: {}", error.message()))
        })?;
        settings.check().map_err(|what| SettingsError(format!("{name}: {}", what.0)))?;
        Ok(settings)
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// If a value is not allowed: with the setting, what was found and what is allowed.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.first_fault().map_err(SettingsError)
    }

    fn first_fault(&self) -> Result<(), String> {
        for (key, time) in [("capture.from", &self.capture.from), ("capture.to", &self.capture.to)] {
            if let Some(text) = time
                && crate::reader::rfc3339(text).is_none()
            {
                return Err(format!("`{key}`: found {text:?}, expected a time like 2026-11-27T12:00:00Z"));
            }
        }
        for (name, pattern) in &self.sensitive.patterns {
            regex::Regex::new(pattern).map_err(|error| format!("`sensitive.patterns.{name}`: {error}"))?;
        }
        for hash in &self.sensitive.hashes {
            if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(format!("`sensitive.hashes`: found {hash:?}, expected 64 hexadecimal digits of a SHA-256"));
            }
        }
        for (key, limit) in [("limits.memory", self.limits.memory), ("limits.document", self.limits.document)] {
            if limit == 0 || limit > usize::MAX >> 21 {
                return Err(format!("`{key}`: found {limit}, expected a number of MiB from 1"));
            }
        }
        if self.require.len() > 16 {
            return Err(format!("`require`: found {} fields, and at most 16 can be required", self.require.len()));
        }
        self.rules.iter().try_for_each(OwnRule::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_line_and_what_was_found() {
        for (text, expected) in [
            ("tenant = \"t\"\n[servces]\nentry = []\n", "f.toml:2: unknown field `servces`"),
            (
                "tolerance = 5\n",
                "f.toml:1: invalid type: integer `5`, expected a duration like \"50ms\", \"10s\" or \"2m\"",
            ),
            ("[capture]\nfrom = \"noon\"\n", "f.toml: `capture.from`: found \"noon\""),
            ("[sensitive]\npatterns = { x = \"(\" }\n", "f.toml: `sensitive.patterns.x`"),
            ("[[rule]]\nid = \"SPA-9\"\non = \"span\"\nrequire = [\"a\"]\n", "f.toml: `rule`: the id \"SPA-9\""),
            ("[[queue]]\nname = \"q\"\nmode = \"x\"\n", "f.toml:3: unknown variant `x`"),
        ] {
            let error = Settings::parse("f.toml", text).expect_err("it is wrong").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
