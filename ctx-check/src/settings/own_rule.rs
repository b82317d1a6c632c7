//! An own rule.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Patterns;

/// An own rule about attributes. It is reported beside the instrumentation score, and is no part of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRule {
    /// The id, which must not look like one of the specification's.
    pub id: String,
    /// The purpose, in words.
    #[serde(default)]
    pub description: String,
    /// The kind of telemetry that it is applied to.
    pub on: Subject,
    /// Patterns of the services that it is applied to; all, if there are none.
    #[serde(default)]
    pub service: Patterns,
    /// Patterns of the names of spans, or the messages of log records; all, if there are none.
    #[serde(default)]
    pub name: Patterns,
    /// Attributes that must match for the rule to be applied.
    #[serde(default)]
    pub when: BTreeMap<String, Patterns>,
    /// Keys that must be there.
    #[serde(default)]
    pub require: Vec<String>,
    /// Keys that must not be there.
    #[serde(default)]
    pub forbid: Vec<String>,
    /// Attributes whose values, where there are any, must match.
    #[serde(default)]
    pub matches: BTreeMap<String, Patterns>,
    /// The longest value, in bytes.
    #[serde(default)]
    pub max_value_bytes: Option<usize>,
}

/// The kind of telemetry that a rule is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Spans.
    Span,
    /// Log records.
    Log,
    /// Resources.
    Resource,
}

impl OwnRule {
    /// Checks what the types do not.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_taken =
            ["RES-", "SPA-", "LOG-", "MET-", "SDK-", "ctx/"].iter().any(|prefix| self.id.starts_with(prefix));
        if self.id.is_empty() || is_taken {
            return Err(format!(
                "`rule`: the id {:?} is empty or has a prefix of other rules: give it one of yours",
                self.id
            ));
        }
        if self.require.is_empty()
            && self.forbid.is_empty()
            && self.matches.is_empty()
            && self.max_value_bytes.is_none()
        {
            return Err(format!(
                "`rule`: {:?} demands nothing: give it `require`, `forbid`, `matches` or `max_value_bytes`",
                self.id
            ));
        }
        Ok(())
    }
}
