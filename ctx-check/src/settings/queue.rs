//! A queue or topic.

use serde::Deserialize;

use super::Patterns;

/// A queue or topic.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Patterns of its name.
    pub name: Patterns,
    /// How its consumers relate to the producers.
    #[serde(default)]
    pub mode: QueueMode,
    /// Its consumers are in the system, so that a message without a consumer is a finding also if none was ever seen.
    #[serde(default)]
    pub own: bool,
}

/// How the consumers of a queue relate to its producers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueMode {
    /// As children or by links.
    #[default]
    Any,
    /// As children: a link is a finding.
    Parent,
    /// By links: a child is a finding.
    Link,
}
