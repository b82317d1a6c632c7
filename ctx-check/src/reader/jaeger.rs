//! Jaeger's JSON, as its interface downloads traces and its API answers: `{"data": [{"traceID", "spans", "processes"}]}`.
//!
//! The processes, which name the services, come after the spans that refer to them.

use std::borrow::Cow;

use super::{
    Sink,
    document::Document,
    json::{Cursor, Parsed, shorten},
};
use crate::model::{Attribute, Event, Kind, Link, Resource, Span, SpanId, Status, TraceId, ValueKind};

/// Reads an answer of the API, or a download.
pub(super) fn response<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.object(|key, cursor| match key {
        "data" => cursor.array(|cursor| trace(document, cursor)),
        _ => cursor.skip().map(|_| ()),
    })
}

/// Reads a trace.
pub(super) fn trace<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<()> {
    let mut processes = Vec::new();
    let mut spans = None;
    cursor.object(|key, cursor| match key {
        "spans" => {
            spans = Some(*cursor);
            cursor.skip().map(|_| ())
        }
        "processes" => cursor.object(|id, cursor| {
            processes.push((id.to_owned(), process(cursor)?));
            Ok(())
        }),
        _ => cursor.skip().map(|_| ()),
    })?;
    let Some(mut spans) = spans else { return Ok(()) };
    let mut current: Option<Cow<'a, str>> = None;
    spans.array(|cursor| {
        let start = *cursor;
        match span(cursor) {
            Ok((span, process, _)) => {
                if current.as_ref() != Some(&process) {
                    let known = processes.iter().find(|(id, _)| *id == process).map(|(_, resource)| resource);
                    document.sink.resource(known.unwrap_or(&Resource::default()));
                    current = Some(process);
                }
                document.sink.span(&span, document.place);
                Ok(())
            }
            Err(fault) => {
                *cursor = start;
                cursor.skip()?;
                document.problem(fault);
                Ok(())
            }
        }
    })
}

/// Reads a span that has its process in it, as Elasticsearch stores it and Jaeger's anonymizer writes it.
pub(super) fn span_with_process<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>) -> Parsed<()> {
    let (span, _, resource) = span(cursor)?;
    document.sink.resource(&resource);
    document.sink.span(&span, document.place);
    Ok(())
}

fn process<'a>(cursor: &mut Cursor<'a>) -> Parsed<Resource<'a>> {
    let mut resource = Resource::default();
    cursor.object(|key, cursor| match key {
        "serviceName" => {
            let value = cursor.scalar()?;
            resource.attributes.push(Attribute { key: "service.name".into(), value, kind: ValueKind::String });
            Ok(())
        }
        "tags" => tags(cursor, &mut resource.attributes),
        _ => cursor.skip().map(|_| ()),
    })?;
    Ok(resource)
}

/// Reads tags, `[{"key", "type", "value"}]`.
fn tags<'a>(cursor: &mut Cursor<'a>, into: &mut Vec<Attribute<'a>>) -> Parsed<()> {
    cursor.array(|cursor| {
        let mut attribute = Attribute { kind: ValueKind::String, ..Attribute::default() };
        cursor.object(|key, cursor| {
            match key {
                "key" => attribute.key = cursor.scalar()?,
                "type" => {
                    attribute.kind = match &*cursor.scalar()? {
                        "int64" => ValueKind::Int,
                        "bool" => ValueKind::Bool,
                        "float64" => ValueKind::Double,
                        "binary" => ValueKind::Bytes,
                        _ => ValueKind::String,
                    }
                }
                "value" => {
                    attribute.value = match cursor.peek() {
                        Some(b'{' | b'[') => Cow::Borrowed(cursor.skip()?),
                        _ => cursor.scalar()?,
                    }
                }
                _ => {
                    cursor.skip()?;
                }
            }
            Ok(())
        })?;
        into.push(attribute);
        Ok(())
    })
}

/// Reads a span, the id of its process, and its process if that is in it.
fn span<'a>(cursor: &mut Cursor<'a>) -> Parsed<(Span<'a>, Cow<'a, str>, Resource<'a>)> {
    let start = *cursor;
    let mut span = Span { has_links: true, ..Span::default() };
    let mut process_id = Cow::Borrowed("");
    let mut resource = Resource::default();
    let mut parent = SpanId::NONE;
    let mut references = Vec::new();
    let mut duration = 0;
    let (mut trace_id, mut span_id) = (None, None);
    cursor.object(|key, cursor| {
        match key {
            "traceID" => trace_id = Some(cursor.scalar()?),
            "spanID" => span_id = Some(cursor.scalar()?),
            // Versions before 1.0 have it in the place of a reference.
            "parentSpanID" => parent = SpanId::parse(&cursor.scalar()?).unwrap_or_default(),
            "operationName" => span.name = cursor.scalar()?,
            "startTime" => span.start = cursor.integer()?.saturating_mul(1000),
            "duration" => duration = cursor.integer()?.saturating_mul(1000),
            "processID" => process_id = cursor.scalar()?,
            "process" if cursor.peek() == Some(b'{') => resource = process(cursor)?,
            "tags" => tags(cursor, &mut span.attributes)?,
            "references" => cursor.array(|cursor| {
                let (mut kind, mut link) = (Cow::Borrowed(""), Link::default());
                cursor.object(|key, cursor| {
                    match key {
                        "refType" => kind = cursor.scalar()?,
                        "traceID" => link.trace_id = TraceId::parse(&cursor.scalar()?).unwrap_or_default(),
                        "spanID" => link.span_id = SpanId::parse(&cursor.scalar()?).unwrap_or_default(),
                        _ => {
                            cursor.skip()?;
                        }
                    }
                    Ok(())
                })?;
                references.push((kind == "CHILD_OF", link));
                Ok(())
            })?,
            "logs" => cursor.array(|cursor| {
                let mut event = Event::default();
                cursor.object(|key, cursor| match key {
                    "timestamp" => {
                        event.time = cursor.integer()?.saturating_mul(1000);
                        Ok(())
                    }
                    "fields" => tags(cursor, &mut event.attributes),
                    _ => cursor.skip().map(|_| ()),
                })?;
                if let Some(name) = event.attributes.iter().find(|field| matches!(&*field.key, "event" | "message")) {
                    event.name = name.value.clone();
                }
                span.events.push(event);
                Ok(())
            })?,
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    let id = |found: Option<Cow<'_, str>>, key| match found {
        Some(text) => Err(start.fault(format!("found the {key} {:?}, expected hexadecimal digits", shorten(&text)))),
        None => Err(start.fault(format!("the span has no `{key}`"))),
    };
    match trace_id.as_deref().and_then(TraceId::parse) {
        Some(parsed) => span.trace_id = parsed,
        None => return id(trace_id, "traceID"),
    }
    match span_id.as_deref().and_then(SpanId::parse) {
        Some(parsed) => span.span_id = parsed,
        None => return id(span_id, "spanID"),
    }
    span.end = span.start.saturating_add(duration);
    // As Jaeger's own translation to OTLP: the parent is the first CHILD_OF of the same trace, else the first reference of it.
    let is_here = |link: &Link| link.trace_id == span.trace_id;
    let of_parent = references
        .iter()
        .position(|(is_child, link)| *is_child && is_here(link))
        .or_else(|| references.iter().position(|(_, link)| is_here(link)));
    if let Some(at) = of_parent {
        parent = references.remove(at).1.span_id;
    }
    span.parent_id = parent;
    span.links = references.into_iter().map(|(_, link)| link).collect();
    take_tags(&mut span);
    Ok((span, process_id, resource))
}

/// Reads what is a tag in Jaeger and Zipkin, and a member of its own in OTLP.
pub(super) fn take_tags(span: &mut Span<'_>) {
    if let Some(kind) = span.get("span.kind").and_then(Kind::from_name) {
        span.kind = kind;
    }
    span.status = match (span.get("otel.status_code"), span.get("error")) {
        (Some("OK"), _) => Status::Ok,
        (Some("ERROR"), _) => Status::Error,
        (None, Some(error)) if error != "false" => Status::Error,
        _ => Status::Unset,
    };
    if let Some(state) = span.get("w3c.tracestate") {
        span.trace_state = Cow::Owned(state.to_owned());
    }
}
