//! Request methods, by the conventions.

use std::sync::LazyLock;

use http::Method;

/// The name of unknown methods in the conventions.
const OTHER: &str = "_OTHER";

/// The maximum length of an unknown method that is recorded, in bytes.
const MAX_LEN: usize = 32;

/// The known methods, if the variable of the conventions overrides them: a comma-separated, case-sensitive list. Read
/// once.
static KNOWN: LazyLock<Option<Box<[Method]>>> = LazyLock::new(|| {
    let list = std::env::var("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS").ok().filter(|list| !list.is_empty())?;
    let methods = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    Some(methods.filter_map(|name| Method::from_bytes(name.as_bytes()).ok()).collect())
});

/// A method: its known name, and the original one if it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MethodName<'a> {
    known: &'static str,
    original: Option<&'a str>,
}

impl<'a> MethodName<'a> {
    pub(super) fn of(method: &'a Method) -> Self {
        let known = match &*KNOWN {
            Some(known) => known.iter().find(|known| *known == method).map(Method::as_str),
            None => Self::of_conventions(method),
        };
        match known {
            Some(known) => MethodName { known, original: None },
            None => {
                let text = method.as_str();
                // A method is a token, so it is ASCII.
                MethodName { known: OTHER, original: Some(text.get(..MAX_LEN).unwrap_or(text)) }
            }
        }
    }

    /// Returns the methods of RFC 9110, `PATCH` of RFC 5789 and the proposed `QUERY`, case-sensitive.
    fn of_conventions(method: &Method) -> Option<&'static str> {
        Some(match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::HEAD => "HEAD",
            Method::OPTIONS => "OPTIONS",
            Method::PATCH => "PATCH",
            Method::CONNECT => "CONNECT",
            Method::TRACE => "TRACE",
            _ if method.as_str() == "QUERY" => "QUERY",
            _ => return None,
        })
    }

    /// Returns the value of `http.request.method`.
    pub(super) fn attribute(self) -> &'static str {
        self.known
    }

    /// Returns the value of `http.request.method_original`.
    pub(super) fn original(self) -> Option<&'a str> {
        self.original
    }

    /// Returns the name used in span names.
    pub(super) fn in_name(self) -> &'static str {
        if self.original.is_some() { "HTTP" } else { self.known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_method_is_other() {
        for (method, known, original, in_name) in [
            ("GET", "GET", None, "GET"),
            ("PATCH", "PATCH", None, "PATCH"),
            ("QUERY", "QUERY", None, "QUERY"),
            ("get", "_OTHER", Some("get"), "HTTP"),
            ("PURGE", "_OTHER", Some("PURGE"), "HTTP"),
            (&"A".repeat(100), "_OTHER", Some(&"A".repeat(32)), "HTTP"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("it is a token");
            let name = MethodName::of(&method);
            assert_eq!((name.attribute(), name.original(), name.in_name()), (known, original, in_name));
        }
    }
}
