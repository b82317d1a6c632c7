//! Patterns with `*` and `?`.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer, de::Error};

/// Patterns with `*`, which is any number of characters, and `?`, which is one.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    written: Vec<String>,
    set: GlobSet,
}

impl Patterns {
    /// Compiles patterns.
    ///
    /// # Errors
    ///
    /// If one is no pattern: an unclosed `[` or `{`.
    pub fn new(written: Vec<String>) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in &written {
            set.add(glob(pattern).map_err(|error| error.to_string())?);
        }
        Ok(Self { set: set.build().map_err(|error| error.to_string())?, written })
    }

    /// Compiles patterns that are known to be right.
    pub(super) fn known(written: &[&str]) -> Self {
        Self::new(written.iter().map(|pattern| (*pattern).to_owned()).collect()).unwrap_or_default()
    }

    /// Returns `true` if one of the patterns matches all of the string.
    pub fn matches(&self, text: &str) -> bool {
        !self.written.is_empty() && self.set.is_match(text)
    }

    /// Returns `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Returns the patterns as they are written.
    pub fn written(&self) -> &[String] {
        &self.written
    }
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(false).backslash_escape(true).build()
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrSeveral {
            One(String),
            Several(Vec<String>),
        }
        let written = match OneOrSeveral::deserialize(deserializer)? {
            OneOrSeveral::One(pattern) => vec![pattern],
            OneOrSeveral::Several(patterns) => patterns,
        };
        Self::new(written).map_err(D::Error::custom)
    }
}
