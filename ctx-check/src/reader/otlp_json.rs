//! OTLP in JSON, as the Collector's file exporter writes it: an export request per line.
//!
//! Keys come in any order: what is written before its resource is read after it. An unknown key is skipped, as OTLP demands.

use std::borrow::Cow;

use super::{
    Deviation, Sink,
    document::Document,
    json::{Cursor, DEEPEST, Fault, Parsed, shorten},
};
use crate::model::{
    Attribute, Event, Kind, Link, LogRecord, Metric, MetricKind, Resource, Span, SpanId, Status, TraceId, ValueKind,
};

/// Returns `true` for the key of a signal at the top of a document.
pub(super) fn is_signal(key: &str) -> bool {
    matches!(
        key,
        "resourceSpans"
            | "resource_spans"
            | "resourceLogs"
            | "resource_logs"
            | "resourceMetrics"
            | "resource_metrics"
            // Tempo's API.
            | "batches"
    )
}

/// Reads a document.
pub(super) fn read<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.object(|key, cursor| {
        if !is_signal(key) {
            return cursor.skip().map(|_| ());
        }
        note_snake_case(document, key);
        cursor.array(|cursor| guarded(document, cursor, of_resource))
    })
}

/// Reads an element. If it is wrong, reports it and goes on behind it, unless its end cannot be found.
fn guarded<'a, S: Sink>(
    document: &mut Document<'_, '_, S>,
    cursor: &mut Cursor<'a>,
    read: impl FnOnce(&mut Document<'_, '_, S>, &mut Cursor<'a>) -> Parsed<()>,
) -> Parsed<()> {
    let start = *cursor;
    read(document, cursor).or_else(|fault| {
        *cursor = start;
        match cursor.skip() {
            Ok(_) => {
                document.problem(fault);
                Ok(())
            }
            Err(_) => Err(fault),
        }
    })
}

#[inline]
fn note_snake_case<S: Sink>(document: &mut Document<'_, '_, S>, key: &str) {
    if key.contains('_') {
        document.deviation(Deviation::SnakeCaseKey);
    }
}

fn of_resource<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<()> {
    let mut is_known = false;
    let mut before = Vec::new();
    cursor.object(|key, cursor| match key {
        "resource" => {
            let mut resource = Resource::default();
            if cursor.peek() == Some(b'n') {
                cursor.scalar()?;
            } else {
                cursor.object(|key, cursor| match key {
                    "attributes" => attributes(cursor, &mut resource.attributes),
                    _ => cursor.skip().map(|_| ()),
                })?;
            }
            document.sink.resource(&resource);
            is_known = true;
            Ok(())
        }
        "scopeSpans"
        | "scope_spans"
        | "scopeLogs"
        | "scope_logs"
        | "scopeMetrics"
        | "scope_metrics"
        | "instrumentationLibrarySpans" => {
            note_snake_case(document, key);
            if is_known {
                return scopes(document, cursor);
            }
            before.push(*cursor);
            cursor.skip().map(|_| ())
        }
        _ => cursor.skip().map(|_| ()),
    })?;
    if !is_known {
        document.sink.resource(&Resource::default());
    }
    before.iter_mut().try_for_each(|cursor| scopes(document, cursor))
}

fn scopes<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.array(|cursor| {
        cursor.object(|key, cursor| match key {
            "spans" => cursor.array(|cursor| guarded(document, cursor, span)),
            "logRecords" | "log_records" => {
                note_snake_case(document, key);
                cursor.array(|cursor| guarded(document, cursor, log_record))
            }
            "metrics" => cursor.array(|cursor| guarded(document, cursor, metric)),
            _ => cursor.skip().map(|_| ()),
        })
    })
}

const TRACE_ID: [fn(&str) -> Option<TraceId>; 2] = [TraceId::parse, TraceId::parse_base64];
const SPAN_ID: [fn(&str) -> Option<SpanId>; 2] = [SpanId::parse, SpanId::parse_base64];

/// Reads an id. An empty one is none.
#[inline]
fn id<S: Sink, I>(
    document: &mut Document<'_, '_, S>,
    cursor: &mut Cursor<'_>,
    digits: usize,
    [parse, parse_base64]: [fn(&str) -> Option<I>; 2],
) -> Parsed<Option<I>> {
    cursor.peek();
    let start = *cursor;
    let text = cursor.scalar()?;
    match parse(&text) {
        Some(id) if text.len() == digits => {
            if text.bytes().fold(false, |found, byte| found | byte.is_ascii_uppercase()) {
                document.deviation(Deviation::CapitalId);
            }
            Ok(Some(id))
        }
        _ if text.bytes().all(|byte| byte == b'0') => Ok(None),
        _ => match parse_base64(&text) {
            Some(id) => {
                document.deviation(Deviation::Base64Id);
                Ok(Some(id))
            }
            None => {
                Err(start.fault(format!("found the id {:?}, expected {digits} hexadecimal digits", shorten(&text))))
            }
        },
    }
}

/// Reads an enum: a number or, against the specification, a name.
fn number_or_name<S: Sink, E>(
    document: &mut Document<'_, '_, S>,
    cursor: &mut Cursor<'_>,
    of_number: impl FnOnce(u64) -> E,
    of_name: impl FnOnce(&str) -> Option<E>,
) -> Parsed<E> {
    let is_string = cursor.peek() == Some(b'"');
    let start = *cursor;
    let text = cursor.scalar()?;
    if let Ok(number) = text.parse() {
        return Ok(of_number(number));
    }
    match of_name(&text) {
        Some(value) if is_string => {
            document.deviation(Deviation::EnumName);
            Ok(value)
        }
        _ => Err(start.fault(format!("found {:?}, expected the number of an enum", shorten(&text)))),
    }
}

fn status_of(number: u64) -> Status {
    match number {
        1 => Status::Ok,
        2 => Status::Error,
        _ => Status::Unset,
    }
}

fn status_named(name: &str) -> Option<Status> {
    match name.strip_prefix("STATUS_CODE_").unwrap_or(name) {
        "UNSET" => Some(Status::Unset),
        "OK" => Some(Status::Ok),
        "ERROR" => Some(Status::Error),
        _ => None,
    }
}

fn span<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<()> {
    let start = *cursor;
    let mut span = Span { has_links: true, ..Span::default() };
    let (mut trace_id, mut span_id) = (None, None);
    cursor.object(|key, cursor| {
        match key {
            "traceId" => trace_id = id(document, cursor, 32, TRACE_ID)?,
            "spanId" => span_id = id(document, cursor, 16, SPAN_ID)?,
            "parentSpanId" => span.parent_id = id(document, cursor, 16, SPAN_ID)?.unwrap_or_default(),
            "name" => span.name = cursor.scalar()?,
            "kind" => span.kind = number_or_name(document, cursor, Kind::from_number, Kind::from_name)?,
            "startTimeUnixNano" => span.start = cursor.integer()?,
            "endTimeUnixNano" => span.end = cursor.integer()?,
            "attributes" => attributes(cursor, &mut span.attributes)?,
            "traceState" => span.trace_state = cursor.scalar()?,
            "flags" => span.flags = Some(cursor.integer()? as u32),
            "status" => cursor.object(|key, cursor| match key {
                "code" => {
                    span.status = number_or_name(document, cursor, status_of, status_named)?;
                    Ok(())
                }
                _ => cursor.skip().map(|_| ()),
            })?,
            "events" => cursor.array(|cursor| {
                span.events.push(event(document, cursor)?);
                Ok(())
            })?,
            "links" => cursor.array(|cursor| {
                span.links.extend(link(document, cursor)?);
                Ok(())
            })?,
            "trace_id"
            | "span_id"
            | "parent_span_id"
            | "start_time_unix_nano"
            | "end_time_unix_nano"
            | "trace_state" => {
                document.deviation(Deviation::SnakeCaseKey);
                match key {
                    "trace_id" => trace_id = id(document, cursor, 32, TRACE_ID)?,
                    "span_id" => span_id = id(document, cursor, 16, SPAN_ID)?,
                    "parent_span_id" => span.parent_id = id(document, cursor, 16, SPAN_ID)?.unwrap_or_default(),
                    "start_time_unix_nano" => span.start = cursor.integer()?,
                    "end_time_unix_nano" => span.end = cursor.integer()?,
                    _ => span.trace_state = cursor.scalar()?,
                }
            }
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    span.trace_id = trace_id.ok_or_else(|| start.fault("the span has no `traceId`"))?;
    span.span_id = span_id.ok_or_else(|| start.fault("the span has no `spanId`"))?;
    document.sink.span(&span, document.place);
    Ok(())
}

fn event<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<Event<'a>> {
    let mut event = Event::default();
    cursor.object(|key, cursor| {
        match key {
            "timeUnixNano" | "time_unix_nano" => {
                note_snake_case(document, key);
                event.time = cursor.integer()?;
            }
            "name" => event.name = cursor.scalar()?,
            "attributes" => attributes(cursor, &mut event.attributes)?,
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    Ok(event)
}

fn link<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>) -> Parsed<Option<Link>> {
    let (mut trace_id, mut span_id) = (None, None);
    cursor.object(|key, cursor| {
        match key {
            "traceId" | "trace_id" => {
                note_snake_case(document, key);
                trace_id = id(document, cursor, 32, TRACE_ID)?;
            }
            "spanId" | "span_id" => {
                note_snake_case(document, key);
                span_id = id(document, cursor, 16, SPAN_ID)?;
            }
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    Ok(trace_id.zip(span_id).map(|(trace_id, span_id)| Link { trace_id, span_id }))
}

/// Reads attributes, `[{"key": ..., "value": {"stringValue": ...}}]`.
fn attributes<'a>(cursor: &mut Cursor<'a>, into: &mut Vec<Attribute<'a>>) -> Parsed<()> {
    into.reserve(12); // Growing step by step costs more than what is not used.
    cursor.array(|cursor| {
        cursor.peek();
        let attribute = match usual_attribute(cursor) {
            Some(attribute) => attribute,
            None => any_attribute(cursor)?,
        };
        into.push(attribute);
        Ok(())
    })
}

/// Reads an attribute in the form that Go's encoder writes: most of a file consists of them.
#[inline]
fn usual_attribute<'a>(cursor: &mut Cursor<'a>) -> Option<Attribute<'a>> {
    let mut ahead = *cursor;
    ahead.literal("{\"key\":\"")?;
    let key = ahead.plain_rest()?;
    ahead.literal(",\"value\":{\"")?;
    let kind = match ahead.literal("stringValue\":\"") {
        Some(()) => ValueKind::String,
        None => ahead.literal("intValue\":\"").map(|()| ValueKind::Int)?,
    };
    let value = ahead.plain_rest()?;
    ahead.literal("}}")?;
    *cursor = ahead;
    Some(Attribute { key: Cow::Borrowed(key), value: Cow::Borrowed(value), kind })
}

fn any_attribute<'a>(cursor: &mut Cursor<'a>) -> Parsed<Attribute<'a>> {
    let mut attribute = Attribute::default();
    cursor.object(|key, cursor| {
        match key {
            "key" => attribute.key = cursor.scalar()?,
            "value" => (attribute.value, attribute.kind) = value(cursor, 0)?,
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    Ok(attribute)
}

/// Reads a value. The elements of an array are joined by commas.
fn value<'a>(cursor: &mut Cursor<'a>, depth: usize) -> Parsed<(Cow<'a, str>, ValueKind)> {
    let mut found = (Cow::Borrowed(""), ValueKind::Empty);
    if depth > DEEPEST {
        return cursor.skip().map(|text| (Cow::Borrowed(text), ValueKind::Nested));
    }
    if cursor.peek() == Some(b'n') {
        cursor.scalar()?;
        return Ok(found);
    }
    cursor.object(|key, cursor| {
        found = match key {
            "stringValue" | "string_value" => (cursor.scalar()?, ValueKind::String),
            "intValue" | "int_value" => (cursor.scalar()?, ValueKind::Int),
            "boolValue" | "bool_value" => (cursor.scalar()?, ValueKind::Bool),
            "doubleValue" | "double_value" => (cursor.scalar()?, ValueKind::Double),
            "bytesValue" | "bytes_value" => (cursor.scalar()?, ValueKind::Bytes),
            "arrayValue" | "array_value" | "kvlistValue" | "kvlist_value" => {
                let mut joined = String::new();
                nested(cursor, depth + 1, &mut joined)?;
                (Cow::Owned(joined), ValueKind::Nested)
            }
            _ => return cursor.skip().map(|_| ()),
        };
        Ok(())
    })?;
    Ok(found)
}

/// Reads the elements of an array or a map.
fn nested(cursor: &mut Cursor<'_>, depth: usize, joined: &mut String) -> Parsed<()> {
    cursor.object(|key, cursor| {
        if key != "values" {
            return cursor.skip().map(|_| ());
        }
        cursor.array(|cursor| {
            if !joined.is_empty() {
                joined.push(',');
            }
            let start = *cursor;
            // An element of a map has a key and a value; one of an array is a value.
            let mut pair = (None, None);
            cursor.object(|key, cursor| {
                match key {
                    "key" => pair.0 = Some(cursor.scalar()?),
                    "value" => pair.1 = Some(value(cursor, depth)?.0),
                    _ => {
                        cursor.skip()?;
                    }
                }
                Ok(())
            })?;
            match pair {
                (Some(key), element) => {
                    joined.push_str(&key);
                    joined.push('=');
                    joined.push_str(&element.unwrap_or_default());
                }
                _ => {
                    *cursor = start;
                    joined.push_str(&value(cursor, depth)?.0);
                }
            }
            Ok(())
        })
    })
}

fn log_record<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<()> {
    let mut record = LogRecord::default();
    let mut observed = 0;
    cursor.object(|key, cursor| {
        if key.contains('_') {
            document.deviation(Deviation::SnakeCaseKey);
        }
        match key {
            "timeUnixNano" | "time_unix_nano" => record.time = cursor.integer()?,
            "observedTimeUnixNano" | "observed_time_unix_nano" => observed = cursor.integer()?,
            "severityNumber" | "severity_number" => {
                record.severity = number_or_name(document, cursor, |number| number as u8, severity_named)?
            }
            "severityText" | "severity_text" => record.severity_text = cursor.scalar()?,
            "body" => record.body = value(cursor, 0)?.0,
            "attributes" => attributes(cursor, &mut record.attributes)?,
            "traceId" | "trace_id" => record.trace_id = id(document, cursor, 32, TRACE_ID)?.unwrap_or_default(),
            "spanId" | "span_id" => record.span_id = id(document, cursor, 16, SPAN_ID)?.unwrap_or_default(),
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    if record.time == 0 {
        record.time = observed;
    }
    document.sink.log(&record, document.place);
    Ok(())
}

/// Returns the number of `SEVERITY_NUMBER_INFO2`.
fn severity_named(name: &str) -> Option<u8> {
    let name = name.strip_prefix("SEVERITY_NUMBER_").unwrap_or(name);
    let level = name.trim_end_matches(|last: char| last.is_ascii_digit());
    let step: u8 = if level.len() == name.len() { 1 } else { name[level.len()..].parse().ok()? };
    let first = match level {
        "UNSPECIFIED" => return Some(0),
        "TRACE" => 1,
        "DEBUG" => 5,
        "INFO" => 9,
        "WARN" => 13,
        "ERROR" => 17,
        "FATAL" => 21,
        _ => return None,
    };
    (1..=4).contains(&step).then(|| first + step - 1)
}

fn metric<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<()> {
    let mut metric = Metric::default();
    cursor.object(|key, cursor| {
        match key {
            "name" => metric.name = cursor.scalar()?,
            "unit" => metric.unit = cursor.scalar()?,
            "gauge" | "sum" | "summary" => data_points(cursor, &mut metric)?,
            "histogram" => {
                metric.kind = MetricKind::Histogram;
                data_points(cursor, &mut metric)?;
            }
            "exponentialHistogram" | "exponential_histogram" => {
                metric.kind = MetricKind::ExponentialHistogram;
                data_points(cursor, &mut metric)?;
            }
            _ => {
                cursor.skip()?;
            }
        }
        Ok::<(), Fault>(())
    })?;
    document.sink.metric(&metric, document.place);
    Ok(())
}

fn data_points<'a>(cursor: &mut Cursor<'a>, metric: &mut Metric<'a>) -> Parsed<()> {
    cursor.object(|key, cursor| match key {
        "dataPoints" | "data_points" => cursor.array(|cursor| {
            cursor.object(|key, cursor| match key {
                "attributes" => attributes(cursor, &mut metric.attributes),
                "explicitBounds" | "explicit_bounds" => {
                    let mut bounds = String::new();
                    cursor.array(|cursor| {
                        let bound = cursor.scalar()?;
                        // Some write 5 and some 5.0.
                        bounds.push_str(
                            &bound.parse::<f64>().map_or_else(|_| bound.to_string(), |number| number.to_string()),
                        );
                        bounds.push(' ');
                        Ok(())
                    })?;
                    metric.bounds.push(bounds);
                    Ok(())
                }
                _ => cursor.skip().map(|_| ()),
            })
        }),
        _ => cursor.skip().map(|_| ()),
    })
}
