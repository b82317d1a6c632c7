//! The place that a setting comes from.

use std::{fmt, path::PathBuf};

/// The place that a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The library.
    Default,
    /// A settings file.
    File {
        /// The path, as it was given.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key with its profile: `default.observability.enabled`.
        key: String,
    },
    /// An environment variable.
    Variable {
        /// The name.
        name: String,
    },
    /// The program.
    Code,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Origin::Variable { name } => f.write_str(name),
            Origin::Code => f.write_str("the program"),
        }
    }
}
