//! The error of flushing and of the end.

use std::fmt;

/// An error of flushing and of the end: what could not be exported in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShutdownError {
    errors: Vec<String>,
}

impl ShutdownError {
    pub(crate) fn of(errors: Vec<String>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(ShutdownError { errors }) }
    }
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not everything was exported: {}", self.errors.join("; "))
    }
}

impl std::error::Error for ShutdownError {}
