//! The records, and how they are written as bytes.

use super::Name;
use crate::{
    model::{Kind, SpanId, Status, TraceId},
    reader::Place,
};

/// Facts about a span, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u16);

impl Flags {
    /// A call to a database.
    pub(crate) const DATABASE: Self = Self(1);
    /// A call to a broker, which is no call to a server.
    pub(crate) const BROKER: Self = Self(1 << 1);
    /// It failed before a server could answer: a refused connection, or a gateway that found no server.
    pub(crate) const FAILED: Self = Self(1 << 2);
    /// It needs no fields, and neither does what is below it.
    pub(crate) const EXEMPT: Self = Self(1 << 3);
    /// Zipkin's half of a span with a shared id.
    pub(crate) const SHARED: Self = Self(1 << 4);
    /// It has links.
    pub(crate) const LINKS: Self = Self(1 << 5);
    /// Its format has no links.
    pub(crate) const NO_LINKS: Self = Self(1 << 6);
    /// Its parent is known to be in another process.
    pub(crate) const REMOTE: Self = Self(1 << 7);
    /// Its parent is known to be in the same process.
    pub(crate) const LOCAL: Self = Self(1 << 8);
    /// It waits for messages, and belongs to none of them.
    pub(crate) const RECEIVE: Self = Self(1 << 9);
    /// Its `traceparent` says that it is not sampled.
    pub(crate) const UNSAMPLED: Self = Self(1 << 10);

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn set(&mut self, other: Self, is_set: bool) {
        if is_set {
            self.0 |= other.0;
        }
    }
}

/// The kept parts of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredSpan {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent_id: SpanId,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) service: Name,
    pub(crate) name: Name,
    pub(crate) tenant: Name,
    /// The address that is called, or the queue.
    pub(crate) peer: Name,
    pub(crate) place: Place,
    pub(crate) flags: Flags,
    /// The required fields that it has, a bit each.
    pub(crate) fields: u16,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
}

/// The kept parts of a log record, or of an event of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredLog {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) time: u64,
    pub(crate) service: Name,
    pub(crate) tenant: Name,
    pub(crate) place: Place,
    pub(crate) fields: u16,
    pub(crate) severity: u8,
    pub(crate) is_event: bool,
    /// The start of the message.
    pub(crate) body: String,
}

/// The kept parts of a link: it is stored with the trace that it points to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredLink {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) from_trace: TraceId,
    pub(crate) from_span: SpanId,
    pub(crate) from_start: u64,
    pub(crate) from_service: Name,
    pub(crate) from_tenant: Name,
    pub(crate) from_kind: Kind,
}

/// A record of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Span(StoredSpan),
    Log(StoredLog),
    Link(StoredLink),
}

const SPAN: u8 = 1;
const LOG: u8 = 2;
const LINK: u8 = 3;

/// The longest message that is kept, in bytes.
const LONGEST_BODY: usize = 240;

impl StoredSpan {
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        let mut bytes = [0_u8; 77];
        bytes[0] = SPAN;
        bytes[1..17].copy_from_slice(&self.trace_id.0.to_le_bytes());
        bytes[17..25].copy_from_slice(&self.span_id.0.to_le_bytes());
        bytes[25..33].copy_from_slice(&self.parent_id.0.to_le_bytes());
        bytes[33..41].copy_from_slice(&self.start.to_le_bytes());
        bytes[41..49].copy_from_slice(&self.end.to_le_bytes());
        bytes[49..53].copy_from_slice(&self.service.0.to_le_bytes());
        bytes[53..57].copy_from_slice(&self.name.0.to_le_bytes());
        bytes[57..61].copy_from_slice(&self.tenant.0.to_le_bytes());
        bytes[61..65].copy_from_slice(&self.peer.0.to_le_bytes());
        bytes[65..67].copy_from_slice(&self.place.file.to_le_bytes());
        bytes[67..71].copy_from_slice(&self.place.line.to_le_bytes());
        bytes[71..73].copy_from_slice(&self.flags.0.to_le_bytes());
        bytes[73..75].copy_from_slice(&self.fields.to_le_bytes());
        bytes[75] = self.kind as u8;
        bytes[76] = self.status as u8;
        into.extend_from_slice(&bytes);
    }
}

impl StoredLog {
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        let mut length = self.body.len().min(LONGEST_BODY);
        while !self.body.is_char_boundary(length) {
            length -= 1;
        }
        into.push(LOG);
        into.extend_from_slice(&self.trace_id.0.to_le_bytes());
        into.extend_from_slice(&self.span_id.0.to_le_bytes());
        into.extend_from_slice(&self.time.to_le_bytes());
        into.extend_from_slice(&self.service.0.to_le_bytes());
        into.extend_from_slice(&self.tenant.0.to_le_bytes());
        into.extend_from_slice(&self.place.file.to_le_bytes());
        into.extend_from_slice(&self.place.line.to_le_bytes());
        into.extend_from_slice(&self.fields.to_le_bytes());
        into.push(self.severity);
        into.push(u8::from(self.is_event));
        into.push(length as u8);
        into.extend_from_slice(&self.body.as_bytes()[..length]);
    }
}

impl StoredLink {
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        into.push(LINK);
        into.extend_from_slice(&self.trace_id.0.to_le_bytes());
        into.extend_from_slice(&self.span_id.0.to_le_bytes());
        into.extend_from_slice(&self.from_trace.0.to_le_bytes());
        into.extend_from_slice(&self.from_span.0.to_le_bytes());
        into.extend_from_slice(&self.from_start.to_le_bytes());
        into.extend_from_slice(&self.from_service.0.to_le_bytes());
        into.extend_from_slice(&self.from_tenant.0.to_le_bytes());
        into.push(self.from_kind as u8);
    }
}

impl Record {
    pub(crate) const fn trace_id(&self) -> TraceId {
        match self {
            Self::Span(span) => span.trace_id,
            Self::Log(log) => log.trace_id,
            Self::Link(link) => link.trace_id,
        }
    }

    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::Span(span) => span.write(into),
            Self::Log(log) => log.write(into),
            Self::Link(link) => link.write(into),
        }
    }

    /// Reads the record at the start of `bytes`, and moves behind it. Returns `None` at the end.
    pub(crate) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let record = match fields.u8()? {
            SPAN => Self::Span(StoredSpan {
                trace_id: TraceId(fields.u128()?),
                span_id: SpanId(fields.u64()?),
                parent_id: SpanId(fields.u64()?),
                start: fields.u64()?,
                end: fields.u64()?,
                service: Name(fields.u32()?),
                name: Name(fields.u32()?),
                tenant: Name(fields.u32()?),
                peer: Name(fields.u32()?),
                place: Place { file: fields.u16()?, line: fields.u32()? },
                flags: Flags(fields.u16()?),
                fields: fields.u16()?,
                kind: Kind::from_number(u64::from(fields.u8()?)),
                status: match fields.u8()? {
                    1 => Status::Ok,
                    2 => Status::Error,
                    _ => Status::Unset,
                },
            }),
            LOG => {
                let mut log = StoredLog {
                    trace_id: TraceId(fields.u128()?),
                    span_id: SpanId(fields.u64()?),
                    time: fields.u64()?,
                    service: Name(fields.u32()?),
                    tenant: Name(fields.u32()?),
                    place: Place { file: fields.u16()?, line: fields.u32()? },
                    fields: fields.u16()?,
                    severity: fields.u8()?,
                    is_event: fields.u8()? != 0,
                    body: String::new(),
                };
                let length = usize::from(fields.u8()?);
                let (body, rest) = fields.0.split_at_checked(length)?;
                fields.0 = rest;
                log.body = String::from_utf8_lossy(body).into_owned();
                Self::Log(log)
            }
            LINK => Self::Link(StoredLink {
                trace_id: TraceId(fields.u128()?),
                span_id: SpanId(fields.u64()?),
                from_trace: TraceId(fields.u128()?),
                from_span: SpanId(fields.u64()?),
                from_start: fields.u64()?,
                from_service: Name(fields.u32()?),
                from_tenant: Name(fields.u32()?),
                from_kind: Kind::from_number(u64::from(fields.u8()?)),
            }),
            _ => return None,
        };
        *bytes = fields.0;
        Some(record)
    }
}

/// The fields of a record, read one after the other.
struct Fields<'a>(&'a [u8]);

macro_rules! numbers {
    ($($name:ident)*) => {$(
        fn $name(&mut self) -> Option<$name> {
            let (bytes, rest) = self.0.split_first_chunk()?;
            self.0 = rest;
            Some($name::from_le_bytes(*bytes))
        }
    )*};
}

impl Fields<'_> {
    numbers!(u8 u16 u32 u64 u128);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        let records = [
            Record::Span(StoredSpan {
                trace_id: TraceId(u128::MAX - 1),
                span_id: SpanId(2),
                parent_id: SpanId(3),
                start: 4,
                end: 5,
                service: Name(6),
                name: Name(7),
                tenant: Name(8),
                peer: Name(9),
                place: Place { file: 10, line: 11 },
                flags: Flags(12),
                fields: 13,
                kind: Kind::Consumer,
                status: Status::Error,
            }),
            Record::Log(StoredLog {
                trace_id: TraceId(1),
                body: "body".to_owned(),
                is_event: true,
                severity: 9,
                place: Place { file: 1, line: 2 },
                ..StoredLog::default()
            }),
            Record::Link(StoredLink { from_service: Name(1), from_kind: Kind::Server, ..StoredLink::default() }),
        ];
        let mut bytes = Vec::new();
        records.iter().for_each(|record| record.write(&mut bytes));
        let mut rest = &*bytes;
        for record in &records {
            assert_eq!(Record::read(&mut rest).as_ref(), Some(record));
        }
        assert_eq!(Record::read(&mut rest), None);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let log = StoredLog { body: "\u{e4}".repeat(500), ..StoredLog::default() };
        let mut bytes = Vec::new();
        log.write(&mut bytes);
        let Some(Record::Log(read)) = Record::read(&mut &*bytes) else { panic!("it is a log record") };
        assert_eq!(read.body, "\u{e4}".repeat(120));
    }
}
