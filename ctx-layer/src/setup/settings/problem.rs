//! The error of settings, with all its problems.

use std::fmt;

use super::origin::Origin;

/// An error of reading settings, with all problems at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    pub(crate) problems: Vec<SettingsProblem>,
}

impl SettingsError {
    /// Returns all problems: those of the file by line, then those of the environment by name.
    pub fn problems(&self) -> &[SettingsProblem] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "the settings cannot be used, {count} {}:", if count == 1 { "problem" } else { "problems" })?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}

/// A problem of a setting: where it is, what was found, what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    pub(crate) origin: Origin,
    pub(crate) found: String,
    pub(crate) expected: String,
    pub(crate) suggestion: Option<String>,
}

impl SettingsProblem {
    pub(crate) fn new(origin: Origin, found: impl Into<String>, expected: impl Into<String>) -> Self {
        SettingsProblem { origin, found: found.into(), expected: expected.into(), suggestion: None }
    }

    pub(crate) fn with_suggestion(mut self, suggestion: Option<impl Into<String>>) -> Self {
        self.suggestion = suggestion.map(Into::into);
        self
    }

    /// Returns the place: the file, line and key, or the variable.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns what was found. Secrets are not in it.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// Returns what is allowed there.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Returns the name or value that was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File { path, line, key } if key.is_empty() => write!(f, "{}:{line}: ", path.display())?,
            Origin::File { path, line, key } => write!(f, "{}:{line}: `{key}`: ", path.display())?,
            Origin::Variable { name } => write!(f, "the variable `{name}`: ")?,
            origin => write!(f, "{origin}: ")?,
        }
        write!(f, "found {}, expected {}", self.found, self.expected)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, ": did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}
