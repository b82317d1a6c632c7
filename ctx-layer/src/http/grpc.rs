//! gRPC: HTTP with its own status.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::request_part;
use crate::span_string;

static STATUS: HeaderName = HeaderName::from_static("grpc-status");
static MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The names of the codes, by number.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The status of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(usize);

impl Code {
    pub(super) const CANCELLED: Code = Code(1);
    pub(super) const UNKNOWN: Code = Code(2);

    /// Returns the value of `rpc.response.status_code`.
    pub(super) fn name(self) -> &'static str {
        NAMES.get(self.0).copied().unwrap_or(NAMES[Code::UNKNOWN.0])
    }

    /// Returns `true` if the code is a server error by the conventions.
    pub(super) fn is_server_error(self) -> bool {
        matches!(self.0, 2 | 4 | 12 | 13 | 14 | 15)
    }

    pub(super) fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Returns the status in headers or trailers, if present.
    pub(super) fn of(headers: &HeaderMap) -> Option<(Code, Option<Cow<'_, str>>)> {
        let status = headers.get(&STATUS)?;
        let code = status.to_str().ok().and_then(|code| code.parse().ok()).filter(|code| *code < NAMES.len());
        let message = request_part::header(headers, &MESSAGE).filter(|message| !message.is_empty());
        let message = message.map(|message| decoded(span_string::cut(message)));
        Some((code.map_or(Code::UNKNOWN, Code), message))
    }

    /// Maps an HTTP status without a gRPC one, as clients do.
    /// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>
    pub(super) fn of_http(status: StatusCode) -> Self {
        Code(match status.as_u16() {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502 | 503 | 504 => 14,
            _ => 2,
        })
    }
}

/// Percent-decodes a message (gRPC over HTTP/2, "Responses"). Invalid escapes stay unchanged.
fn decoded(message: &str) -> Cow<'_, str> {
    if !message.contains('%') {
        return Cow::Borrowed(message);
    }
    let mut bytes = Vec::with_capacity(message.len());
    let mut rest = message.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns `true` if a request is gRPC. Such requests are all POST (gRPC over HTTP/2, "Requests").
pub(super) fn is_call(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST && is_grpc(headers)
}

/// Returns `true` if a request or a response has gRPC's content type.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .strip_prefix(b"application/grpc")
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
    })
}

/// Returns the value of `rpc.method`: the service and the method in a path.
pub(super) fn method(path: &str) -> &str {
    span_string::cut(path.strip_prefix('/').unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn grpc_is_recognized_by_its_content_type() {
        for (kind, is) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;x", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(is_grpc(&headers), is, "{kind}");
        }
    }

    #[test]
    fn messages_are_decoded_and_invalid_escapes_stay() {
        for (message, said) in [
            ("as%20you%20wish", "as you wish"),
            ("50%", "50%"),
            ("%zz%4", "%zz%4"),
            ("caf%C3%A9", "café"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decoded(message), said);
        }
    }

    #[test]
    fn an_invalid_code_is_unknown() {
        for (code, name) in
            [("0", "OK"), ("4", "DEADLINE_EXCEEDED"), ("16", "UNAUTHENTICATED"), ("17", "UNKNOWN"), ("x", "UNKNOWN")]
        {
            let headers = HeaderMap::from_iter([(STATUS.clone(), HeaderValue::from_static(code))]);
            assert_eq!(Code::of(&headers).map(|(code, _)| code.name()), Some(name));
        }
    }
}
