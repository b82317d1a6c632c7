//! The parts of spans and log records that are kept until they are judged: small records, by trace, in memory or in temporary files.

mod names;
mod partitions;
mod record;

pub(crate) use names::{Name, Names};
pub(crate) use partitions::Partitions;
pub(crate) use record::{Flags, Record, StoredLink, StoredLog, StoredSpan};
