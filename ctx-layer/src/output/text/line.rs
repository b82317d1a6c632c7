//! A line for people while it is written.

use super::readable::Readable;

pub(super) type Line = crate::output::line::Line<Readable>;
