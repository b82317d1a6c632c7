//! The format of a document, which its first keys tell.

use std::borrow::Cow;

use super::{
    Place, Problem, Sink,
    document::Document,
    jaeger,
    json::{Cursor, Fault},
    log_line, otlp_json, zipkin,
};

/// Reads a document of any format.
pub(super) fn read(bytes: &[u8], place: Place, sink: &mut impl Sink) {
    // One check for the whole line; what is not UTF-8 costs the line nothing but those bytes.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let what = "found bytes that are not UTF-8, and read them as U+FFFD".to_owned();
            sink.problem(Problem { place, column: error.valid_up_to() + 1, what });
            String::from_utf8_lossy(bytes)
        }
    };
    let mut document = Document::new(sink, place, &text);
    let mut cursor = Cursor::new(&text);
    let read = match cursor.peek() {
        Some(b'[') => array(&mut document, &mut cursor, 0),
        Some(b'{') => object(&mut document, &mut cursor),
        _ => Err(cursor.fault("found a line that is not JSON: expected `{` or `[`")),
    };
    if let Err(fault) = read.and_then(|()| cursor.end()) {
        document.problem(fault);
    }
}

/// An array has documents, spans of Zipkin, or Zipkin's traces, which are arrays of spans.
fn array<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Fault> {
    cursor.array(|cursor| match cursor.peek() {
        Some(b'[') if depth == 0 => array(document, cursor, 1),
        Some(b'{') => {
            let start = *cursor;
            object(document, cursor).or_else(|fault| {
                document.problem(fault);
                *cursor = start;
                cursor.skip().map(|_| ())
            })
        }
        _ => Err(cursor.fault("expected an array of objects")),
    })
}

/// The format that the keys of an object tell.
#[derive(Default)]
struct Keys<'a> {
    is_otlp: bool,
    is_jaeger: bool,
    has_spans: bool,
    has_trace: bool,
    has_id: bool,
    has_process: bool,
    members: usize,
    /// An object in the place of which another one may be: an answer of Tempo's or Jaeger's API, a document of Elasticsearch.
    inner: Option<Cursor<'a>>,
}

fn keys<'a>(mut cursor: Cursor<'a>) -> Result<Keys<'a>, Fault> {
    let mut keys = Keys::default();
    let found = cursor.object(|key, value| {
        keys.members += 1;
        match key {
            "batches" => keys.is_otlp = value.peek() == Some(b'['),
            _ if otlp_json::is_signal(key) => keys.is_otlp = true,
            "data" => keys.is_jaeger = value.peek() == Some(b'['),
            "spans" => keys.has_spans = value.peek() == Some(b'['),
            "traceId" | "traceID" => keys.has_trace = true,
            "id" => keys.has_id = true,
            "process" => keys.has_process = value.peek() == Some(b'{'),
            "trace" | "result" | "_source" if value.peek() == Some(b'{') => keys.inner = Some(*value),
            _ => {}
        }
        // The first key of OTLP tells enough: the rest of a long line is not looked at twice.
        if keys.is_otlp { Err(value.fault("")) } else { value.skip().map(|_| ()) }
    });
    match found {
        Err(fault) if !keys.is_otlp => Err(fault),
        _ => Ok(keys),
    }
}

fn object<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    let of_object = keys(*cursor)?;
    if let Some(inner) = of_object.inner {
        let of_inner = keys(inner)?;
        if of_inner.is_otlp || of_inner.has_trace && of_inner.has_process {
            let mut inner = inner;
            cursor.skip()?;
            return known(document, &mut inner, &of_inner);
        }
    }
    known(document, cursor, &of_object)
}

fn known<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>, keys: &Keys<'_>) -> Result<(), Fault> {
    if keys.is_otlp {
        otlp_json::read(document, cursor)
    } else if keys.is_jaeger {
        jaeger::response(document, cursor)
    } else if keys.has_spans && keys.has_trace {
        jaeger::trace(document, cursor)
    } else if keys.has_process && keys.has_trace {
        jaeger::span_with_process(document, cursor)
    } else if keys.has_trace && keys.has_id {
        zipkin::span(document, cursor)
    } else if keys.members > 0 {
        log_line::read(document, cursor)
    } else {
        cursor.skip().map(|_| ()) // `{}` is an empty export.
    }
}
