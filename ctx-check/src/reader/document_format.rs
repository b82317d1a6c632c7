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

fn object<S: Sink>(document: &mut Document<'_, '_, S>, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    let start = *cursor;
    let (mut is_otlp, mut is_jaeger, mut has_spans, mut has_trace, mut has_id, mut members) =
        (false, false, false, false, false, 0);
    let found = cursor.object(|key, value| {
        members += 1;
        match key {
            _ if otlp_json::is_signal(key) => is_otlp = true,
            "data" => is_jaeger = value.peek() == Some(b'['),
            "spans" => has_spans = value.peek() == Some(b'['),
            "traceId" | "traceID" => has_trace = true,
            "id" => has_id = true,
            _ => {}
        }
        // The first key of OTLP tells enough: the rest of a long line is not looked at twice.
        if is_otlp { Err(value.fault("")) } else { value.skip().map(|_| ()) }
    });
    if is_otlp {
        *cursor = start;
        return otlp_json::read(document, cursor);
    }
    found?;
    let mut again = start;
    if is_jaeger {
        jaeger::response(document, &mut again)
    } else if has_spans && has_trace {
        jaeger::trace(document, &mut again)
    } else if has_trace && has_id {
        zipkin::span(document, &mut again)
    } else if members > 0 {
        log_line::read(document, &mut again)
    } else {
        Ok(()) // `{}` is an empty export.
    }
}
