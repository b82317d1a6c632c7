//! The filter of spans and events.

use std::fmt;

use tracing_subscriber::EnvFilter;

use super::{
    node::{Node, Raw},
    value::{Refused, SettingValue, toml_string},
};

/// The filter of spans and events, in the syntax of [`EnvFilter`]: `info,my_crate=debug,[{tenant_id=acme}]=trace`.
#[derive(Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Returns the directives.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn build(&self) -> EnvFilter {
        // It was parsed when it was read, so that no directive is ignored here.
        EnvFilter::builder().parse_lossy(&self.0)
    }
}

impl Default for LogFilter {
    /// Returns `info`.
    fn default() -> Self {
        LogFilter("info".to_owned())
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::str::FromStr for LogFilter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        match EnvFilter::builder().parse(text) {
            Ok(_) => Ok(LogFilter(text.to_owned())),
            Err(error) => Err(InvalidFilter { text: text.to_owned(), reason: error.to_string() }),
        }
    }
}

impl SettingValue for LogFilter {
    fn allowed() -> String {
        "directives such as \"info,my_crate=debug,[{tenant_id=acme}]=trace\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        text.parse().map_err(|error: InvalidFilter| Refused::part(error.found()))
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        match &node.value {
            Raw::String(text) => Self::from_text(text),
            _ => Err(Refused::default()),
        }
    }

    fn to_toml(&self) -> String {
        toml_string(&self.0)
    }
}

/// An error for a string that is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFilter {
    text: String,
    reason: String,
}

impl InvalidFilter {
    fn found(&self) -> String {
        format!("{} ({})", super::node::quoted(&self.text), self.reason)
    }
}

impl fmt::Display for InvalidFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the filter cannot be used: found {}, expected {}", self.found(), LogFilter::allowed())
    }
}

impl std::error::Error for InvalidFilter {}
