//! A line of JSON while it is written.

use super::escape::Json;

pub(super) type Line = crate::output::line::Line<Json>;
