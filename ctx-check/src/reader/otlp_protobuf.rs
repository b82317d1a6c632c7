//! OTLP in Protocol Buffers. The three signals have the same outer form; their innermost messages tell them apart.

use std::borrow::Cow;

use super::{
    Place, Problem, Sink,
    json::DEEPEST,
    protobuf::{Fields, Value},
};
use crate::model::{
    Attribute, Event, Kind, Link, LogRecord, Metric, MetricKind, Resource, Span, SpanId, Status, TraceId, ValueKind,
};

type Parsed<T> = Result<T, Cow<'static, str>>;

/// Reads an export request, or the data of a file: `ResourceSpans`, `ResourceLogs` or `ResourceMetrics` as field 1.
pub(super) fn read(message: &[u8], place: Place, sink: &mut impl Sink) {
    for field in Fields::new(message) {
        match field {
            Ok((1, Value::Bytes(of_resource))) => read_resource(of_resource, place, sink),
            Ok(_) => {}
            Err(what) => sink.problem(Problem { place, column: 0, what: what.to_owned() }),
        }
    }
}

/// Reads a `ResourceSpans`, `ResourceLogs` or `ResourceMetrics`.
pub(super) fn read_resource(message: &[u8], place: Place, sink: &mut impl Sink) {
    let mut resource = Resource::default();
    let mut problem = None;
    for field in Fields::new(message) {
        let read = field.map_err(Cow::Borrowed).and_then(|field| match field {
            (1, value) => Fields::new(value.bytes()?).try_for_each(|field| match field? {
                (1, value) => attribute(value, &mut resource.attributes),
                _ => Ok(()),
            }),
            _ => Ok(()),
        });
        problem = problem.or(read.err());
    }
    sink.resource(&resource);
    for (number, scope) in Fields::new(message).flatten() {
        // 1000 is `instrumentation_library_spans` of versions before 1.0.
        if (number == 2 || number == 1000)
            && let Value::Bytes(scope) = scope
        {
            problem = items(scope, place, sink).err().or(problem);
        }
    }
    if let Some(what) = problem {
        sink.problem(Problem { place, column: 0, what: what.into_owned() });
    }
}

fn items(scope: &[u8], place: Place, sink: &mut impl Sink) -> Parsed<()> {
    for field in Fields::new(scope) {
        if let (2, value) = field? {
            let item = value.bytes()?;
            let read = match Fields::new(item).next() {
                Some(Ok((1, Value::Bytes(id)))) if id.len() == 16 && is_span(item) => {
                    span(item).map(|span| sink.span(&span, place))
                }
                Some(Ok((1, Value::Bytes(_)))) if is_span(item) => span(item).map(|span| sink.span(&span, place)),
                Some(Ok((1, Value::Bytes(_)))) => metric(item).map(|metric| sink.metric(&metric, place)),
                Some(Ok(_)) if is_log(item) => log_record(item).map(|record| sink.log(&record, place)),
                Some(Ok(_)) => Err(Cow::Borrowed("found an item that is no span, log record or metric")),
                Some(Err(what)) => Err(Cow::Borrowed(what)),
                None => Ok(()), // Nothing is set.
            };
            if let Err(what) = read {
                sink.problem(Problem { place, column: 0, what: what.into_owned() });
            }
        }
    }
    Ok(())
}

/// Returns `true` for a span: its second field is 8 bytes, and field 7 is fixed. A metric's fields are strings and messages.
fn is_span(item: &[u8]) -> bool {
    Fields::new(item).flatten().any(|(number, value)| match (number, value) {
        (2, Value::Bytes(id)) => {
            id.len() == 8 && Fields::new(item).flatten().any(|(number, _)| matches!(number, 6..=8))
        }
        (7 | 8, Value::Fixed64(_)) => true,
        _ => false,
    })
}

fn is_log(item: &[u8]) -> bool {
    Fields::new(item).flatten().all(|(number, value)| match number {
        1 | 11 => matches!(value, Value::Fixed64(_)),
        2 | 7 => matches!(value, Value::Varint(_)),
        8 => matches!(value, Value::Fixed32(_)),
        3 | 5 | 6 | 9 | 10 => matches!(value, Value::Bytes(_)),
        _ => true,
    })
}

/// Reads a string. Bytes that are not UTF-8 are U+FFFD.
fn string(value: Value<'_>) -> Parsed<Cow<'_, str>> {
    Ok(String::from_utf8_lossy(value.bytes()?))
}

fn span(message: &[u8]) -> Parsed<Span<'_>> {
    let mut span = Span { has_links: true, ..Span::default() };
    for field in Fields::new(message) {
        let (number, value) = field?;
        match number {
            1 => {
                span.trace_id = TraceId::from_bytes(value.bytes()?)
                    .ok_or_else(|| format!("found a trace id of {}, expected 16 bytes, not all zero", show(value)))?;
            }
            2 => {
                span.span_id = SpanId::from_bytes(value.bytes()?)
                    .ok_or_else(|| format!("found a span id of {}, expected 8 bytes, not all zero", show(value)))?;
            }
            3 => span.trace_state = string(value)?,
            4 => span.parent_id = SpanId::from_bytes(value.bytes()?).unwrap_or_default(),
            5 => span.name = string(value)?,
            6 => span.kind = Kind::from_number(value.number()?),
            7 => span.start = value.number()?,
            8 => span.end = value.number()?,
            9 => attribute(value, &mut span.attributes)?,
            11 => span.events.push(event(value.bytes()?)?),
            13 => {
                let mut link = (None, None);
                for field in Fields::new(value.bytes()?) {
                    match field? {
                        (1, value) => link.0 = TraceId::from_bytes(value.bytes()?),
                        (2, value) => link.1 = SpanId::from_bytes(value.bytes()?),
                        _ => {}
                    }
                }
                if let (Some(trace_id), Some(span_id)) = link {
                    span.links.push(Link { trace_id, span_id });
                }
            }
            15 => {
                for field in Fields::new(value.bytes()?) {
                    if let (3, value) = field? {
                        span.status = match value.number()? {
                            1 => Status::Ok,
                            2 => Status::Error,
                            _ => Status::Unset,
                        };
                    }
                }
            }
            16 => span.flags = Some(value.number()? as u32),
            _ => {}
        }
    }
    if span.trace_id == TraceId::default() || span.span_id.is_none() {
        return Err("the span has no trace id or no span id".into());
    }
    Ok(span)
}

fn show(value: Value<'_>) -> String {
    match value {
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        _ => "another type".to_owned(),
    }
}

fn event(message: &[u8]) -> Parsed<Event<'_>> {
    let mut event = Event::default();
    for field in Fields::new(message) {
        match field? {
            (1, value) => event.time = value.number()?,
            (2, value) => event.name = string(value)?,
            (3, value) => attribute(value, &mut event.attributes)?,
            _ => {}
        }
    }
    Ok(event)
}

fn attribute<'a>(message: Value<'a>, into: &mut Vec<Attribute<'a>>) -> Parsed<()> {
    let mut attribute = Attribute::default();
    for field in Fields::new(message.bytes()?) {
        match field? {
            (1, value) => attribute.key = string(value)?,
            (2, value) => (attribute.value, attribute.kind) = any_value(value.bytes()?, 0)?,
            _ => {}
        }
    }
    into.push(attribute);
    Ok(())
}

/// Reads a value. The elements of an array are joined by commas.
fn any_value(message: &[u8], depth: usize) -> Parsed<(Cow<'_, str>, ValueKind)> {
    let mut found = (Cow::Borrowed(""), ValueKind::Empty);
    if depth > DEEPEST {
        return Ok(("...".into(), ValueKind::Nested));
    }
    for field in Fields::new(message) {
        found = match field? {
            (1, value) => (string(value)?, ValueKind::String),
            (2, value) => (if value.number()? == 0 { "false" } else { "true" }.into(), ValueKind::Bool),
            (3, value) => ((value.number()? as i64).to_string().into(), ValueKind::Int),
            (4, value) => (f64::from_bits(value.number()?).to_string().into(), ValueKind::Double),
            (number @ (5 | 6), value) => {
                let mut joined = String::new();
                for field in Fields::new(value.bytes()?) {
                    if let (1, value) = field? {
                        if !joined.is_empty() {
                            joined.push(',');
                        }
                        if number == 5 {
                            joined.push_str(&any_value(value.bytes()?, depth + 1)?.0);
                        } else {
                            pair(value.bytes()?, depth, &mut joined)?;
                        }
                    }
                }
                (joined.into(), ValueKind::Nested)
            }
            (7, value) => (format!("{} bytes", value.bytes()?.len()).into(), ValueKind::Bytes),
            _ => continue,
        };
    }
    Ok(found)
}

fn pair(message: &[u8], depth: usize, joined: &mut String) -> Parsed<()> {
    for field in Fields::new(message) {
        match field? {
            (1, value) => joined.push_str(&string(value)?),
            (2, value) => {
                joined.push('=');
                joined.push_str(&any_value(value.bytes()?, depth + 1)?.0);
            }
            _ => {}
        }
    }
    Ok(())
}

fn log_record(message: &[u8]) -> Parsed<LogRecord<'_>> {
    let mut record = LogRecord::default();
    let mut observed = 0;
    for field in Fields::new(message) {
        let (number, value) = field?;
        match number {
            1 => record.time = value.number()?,
            2 => record.severity = value.number()? as u8,
            3 => record.severity_text = string(value)?,
            5 => record.body = any_value(value.bytes()?, 0)?.0,
            6 => attribute(value, &mut record.attributes)?,
            9 => record.trace_id = TraceId::from_bytes(value.bytes()?).unwrap_or_default(),
            10 => record.span_id = SpanId::from_bytes(value.bytes()?).unwrap_or_default(),
            11 => observed = value.number()?,
            _ => {}
        }
    }
    if record.time == 0 {
        record.time = observed;
    }
    Ok(record)
}

fn metric(message: &[u8]) -> Parsed<Metric<'_>> {
    let mut metric = Metric::default();
    for field in Fields::new(message) {
        let (number, value) = field?;
        match number {
            1 => metric.name = string(value)?,
            3 => metric.unit = string(value)?,
            5 | 7 | 9 | 10 | 11 => {
                // The number of the attributes differs from type to type.
                let attributes = match number {
                    10 => 1,
                    9 => {
                        metric.kind = MetricKind::Histogram;
                        9
                    }
                    _ => 7,
                };
                if number == 10 {
                    metric.kind = MetricKind::ExponentialHistogram;
                }
                for point in Fields::new(value.bytes()?) {
                    if let (1, point) = point? {
                        data_point(point.bytes()?, attributes, &mut metric)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(metric)
}

fn data_point<'a>(message: &'a [u8], attributes: u32, metric: &mut Metric<'a>) -> Parsed<()> {
    let mut bounds = String::new();
    for field in Fields::new(message) {
        match field? {
            (number, value @ Value::Bytes(_)) if number == attributes => attribute(value, &mut metric.attributes)?,
            (7, Value::Bytes(packed)) if metric.kind == MetricKind::Histogram => {
                for bound in packed.chunks_exact(8) {
                    let bits = bound.try_into().map(u64::from_le_bytes).unwrap_or_default();
                    bounds.push_str(&format!("{} ", f64::from_bits(bits)));
                }
            }
            _ => {}
        }
    }
    if metric.kind == MetricKind::Histogram {
        metric.bounds.push(bounds);
    }
    Ok(())
}
