//! Zipkin's JSON, version 2: arrays of spans, arrays of traces, or a span per line.
//!
//! It has no links, no flags and no resources but the name of the service; client and server may share a span's id.

use std::borrow::Cow;

use super::{
    Sink,
    document::Document,
    jaeger::take_tags,
    json::{Cursor, Parsed, shorten},
};
use crate::model::{Attribute, Event, Kind, Resource, Span, SpanId, TraceId, ValueKind};

/// Reads a span.
pub(super) fn span<'a, S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'a>) -> Parsed<()> {
    let start = *cursor;
    let mut span = Span::default();
    let mut resource = Resource::default();
    let mut duration = 0;
    let (mut trace_id, mut span_id) = (Cow::Borrowed(""), Cow::Borrowed(""));
    cursor.object(|key, cursor| {
        match key {
            "traceId" => trace_id = cursor.scalar()?,
            "id" => span_id = cursor.scalar()?,
            "parentId" => span.parent_id = SpanId::parse(&cursor.scalar()?).unwrap_or_default(),
            "name" => span.name = cursor.scalar()?,
            "kind" => span.kind = Kind::from_name(&cursor.scalar()?).unwrap_or_default(),
            "timestamp" => span.start = cursor.integer()?.saturating_mul(1000),
            "duration" => duration = cursor.integer()?.saturating_mul(1000),
            "shared" => span.is_shared = cursor.scalar()? == "true",
            "localEndpoint" => {
                if let Some(value) = service(cursor)? {
                    resource.attributes.push(Attribute { key: "service.name".into(), value, kind: ValueKind::String });
                }
            }
            "remoteEndpoint" => {
                if let Some(value) = service(cursor)? {
                    span.attributes.push(Attribute { key: "peer.service".into(), value, kind: ValueKind::String });
                }
            }
            "tags" => cursor.object(|key, cursor| {
                let value = cursor.scalar()?;
                span.attributes.push(Attribute { key: Cow::Owned(key.to_owned()), value, kind: ValueKind::String });
                Ok(())
            })?,
            "annotations" => cursor.array(|cursor| {
                let mut event = Event::default();
                cursor.object(|key, cursor| {
                    match key {
                        "timestamp" => event.time = cursor.integer()?.saturating_mul(1000),
                        "value" => event.name = cursor.scalar()?,
                        _ => {
                            cursor.skip()?;
                        }
                    }
                    Ok(())
                })?;
                span.events.push(event);
                Ok(())
            })?,
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    let wrong = |key: &str, text: &str| {
        start.fault(format!("found the {key} {:?}, expected hexadecimal digits", shorten(text)))
    };
    span.trace_id = TraceId::parse(&trace_id).ok_or_else(|| wrong("traceId", &trace_id))?;
    span.span_id = SpanId::parse(&span_id).ok_or_else(|| wrong("id", &span_id))?;
    span.end = span.start.saturating_add(duration);
    let kind = span.kind;
    take_tags(&mut span);
    if kind != Kind::Unspecified {
        span.kind = kind;
    } else if span.kind == Kind::Unspecified {
        span.kind = Kind::Internal; // Zipkin's spans without a kind are local.
    }
    document.sink.resource(&resource);
    document.sink.span(&span, document.place);
    Ok(())
}

/// Reads an endpoint, and returns the name of the service.
fn service<'a>(cursor: &mut Cursor<'a>) -> Parsed<Option<Cow<'a, str>>> {
    let mut name = None;
    cursor.object(|key, cursor| {
        match key {
            "serviceName" => name = Some(cursor.scalar()?).filter(|name| !name.is_empty()),
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    Ok(name)
}
