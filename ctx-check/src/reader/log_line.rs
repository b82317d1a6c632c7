//! A log line: an object whose members are the time, the level, the message, the ids and the fields, as `ctx_layer::output::json`
//! and others write it. All presets of that output are read; Datadog's has half an id, so its lines belong to no trace.

use std::borrow::Cow;

use super::{
    Sink,
    document::Document,
    json::{Cursor, Parsed},
    timestamp::rfc3339,
};
use crate::model::{Attribute, LogRecord, Resource, SpanId, TraceId, ValueKind};

/// Reads a line.
pub(super) fn read<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<()> {
    let start = *cursor;
    let mut line = Line::default();
    members(cursor, &mut line)?;
    if !line.is_known {
        return Err(start.fault("found an object that is nothing of OTLP, Jaeger or Zipkin, and no log line: it has no time, level, message or trace id"));
    }
    document.sink.resource(&line.resource);
    document.sink.log(&line.record, document.place);
    Ok(())
}

#[derive(Default)]
struct Line<'a> {
    record: LogRecord<'a>,
    resource: Resource<'a>,
    /// It has a member that log lines have.
    is_known: bool,
}

fn members<'a>(cursor: &mut Cursor<'a>, line: &mut Line<'a>) -> Parsed<()> {
    cursor.object(|key, cursor| {
        match key {
            // The preset of OpenTelemetry's data model.
            "Attributes" if cursor.peek() == Some(b'{') => return members(cursor, line),
            "Resource" if cursor.peek() == Some(b'{') => {
                return cursor.object(|key, cursor| {
                    line.resource.attributes.push(attribute(key, cursor)?);
                    Ok(())
                });
            }
            _ => {}
        }
        if matches!(cursor.peek(), Some(b'{' | b'[')) {
            let value = Cow::Borrowed(cursor.skip()?);
            // `span` and `spans` are the layer's own.
            if !matches!(key, "span" | "spans" | "InstrumentationScope") {
                line.record.attributes.push(Attribute {
                    key: Cow::Owned(key.to_owned()),
                    value,
                    kind: ValueKind::Nested,
                });
            }
            return Ok(());
        }
        line.is_known |= is_of_log_lines(key);
        let record = &mut line.record;
        match key {
            "trace_id" | "trace.id" | "TraceId" | "traceId" => {
                record.trace_id = TraceId::parse(&cursor.scalar()?).unwrap_or_default()
            }
            "span_id" | "span.id" | "SpanId" | "spanId" | "logging.googleapis.com/spanId" => {
                record.span_id = SpanId::parse(&cursor.scalar()?).unwrap_or_default();
            }
            "logging.googleapis.com/trace" => {
                let name = cursor.scalar()?;
                record.trace_id = name.rsplit('/').next().and_then(TraceId::parse).unwrap_or_default();
            }
            "timestamp" | "@timestamp" | "time" | "Timestamp" | "ts" => {
                let text = cursor.scalar()?;
                record.time = rfc3339(&text).or_else(|| since_the_epoch(&text)).unwrap_or_default();
            }
            "level" | "log.level" | "severity" | "SeverityText" | "status" => {
                record.severity_text = cursor.scalar()?;
                if record.severity == 0 {
                    record.severity = severity(&record.severity_text);
                }
            }
            "SeverityNumber" => record.severity = u8::try_from(cursor.integer()?).unwrap_or_default(),
            "message" | "msg" | "Body" => record.body = cursor.scalar()?,
            "service.name" | "service" => {
                let value = cursor.scalar()?;
                let key = Cow::Borrowed("service.name");
                line.resource.attributes.push(Attribute { key, value, kind: ValueKind::String });
            }
            "deployment.environment.name" | "deployment.environment" | "service.version" | "service.instance.id" => {
                line.resource.attributes.push(attribute(key, cursor)?);
            }
            "target"
            | "log.logger"
            | "logger.name"
            | "trace_flags"
            | "TraceFlags"
            | "logging.googleapis.com/trace_sampled" => {
                cursor.skip()?;
            }
            _ => record.attributes.push(attribute(key, cursor)?),
        }
        Ok(())
    })
}

fn is_of_log_lines(key: &str) -> bool {
    let ids = ["trace_id", "trace.id", "TraceId", "traceId", "logging.googleapis.com/trace"];
    let times = ["timestamp", "@timestamp", "time", "Timestamp", "ts"];
    let others = ["level", "log.level", "severity", "SeverityText", "SeverityNumber", "message", "msg", "Body"];
    ids.contains(&key) || times.contains(&key) || others.contains(&key)
}

fn attribute<'a>(key: &str, cursor: &mut Cursor<'a>) -> Parsed<Attribute<'a>> {
    let kind = match cursor.peek() {
        Some(b'"') => ValueKind::String,
        Some(b't' | b'f') => ValueKind::Bool,
        Some(b'n') => ValueKind::Empty,
        Some(b'{' | b'[') => ValueKind::Nested,
        _ => ValueKind::Double,
    };
    let value = if kind == ValueKind::Nested { Cow::Borrowed(cursor.skip()?) } else { cursor.scalar()? };
    Ok(Attribute { key: Cow::Owned(key.to_owned()), value, kind })
}

/// Reads a number since the Unix epoch: nanoseconds, or what its size tells.
fn since_the_epoch(text: &str) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    match number {
        _ if !(number > 0.0 && number < 1.8e19) => None,
        _ if number > 1e17 => text.parse().ok(),
        _ if number > 1e14 => Some((number * 1e3) as u64),
        _ if number > 1e11 => Some((number * 1e6) as u64),
        _ => Some((number * 1e9) as u64),
    }
}

fn severity(text: &str) -> u8 {
    match text.to_ascii_lowercase().as_str() {
        "trace" => 1,
        "debug" => 5,
        "info" | "information" | "notice" => 9,
        "warn" | "warning" => 13,
        "error" | "err" => 17,
        "fatal" | "critical" | "emergency" | "alert" => 21,
        _ => 0,
    }
}
