//! Why an exporter cannot be created.

use std::error::Error;

/// An error of creating an exporter.
pub(crate) type ExporterError = Box<dyn Error + Send + Sync>;
