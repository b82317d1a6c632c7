//! Request methods, as the conventions have them.

use http::Method;

/// In place of a method that the conventions do not know.
const OTHER: &str = "_OTHER";

/// Of what others send no more than so many bytes are noted.
const MAX_LEN: usize = 32;

/// A method: the name that stands for it, and the original where that is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MethodName<'a> {
    known: &'static str,
    original: Option<&'a str>,
}

impl<'a> MethodName<'a> {
    pub(super) fn of(method: &'a Method) -> Self {
        // By the conventions: those of RFC 9110 and `PATCH` of RFC 5789, with regard to case.
        let known = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::HEAD => "HEAD",
            Method::OPTIONS => "OPTIONS",
            Method::PATCH => "PATCH",
            Method::CONNECT => "CONNECT",
            Method::TRACE => "TRACE",
            _ => {
                let text = method.as_str();
                // A method is a token: ASCII.
                return MethodName { known: OTHER, original: Some(text.get(..MAX_LEN).unwrap_or(text)) };
            }
        };
        MethodName { known, original: None }
    }

    /// `http.request.method`.
    pub(super) fn attribute(self) -> &'static str {
        self.known
    }

    /// `http.request.method_original`.
    pub(super) fn original(self) -> Option<&'a str> {
        self.original
    }

    /// In the name of a span.
    pub(super) fn in_name(self) -> &'static str {
        if self.original.is_some() { "HTTP" } else { self.known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_nobody_knows_is_another() {
        for (method, known, original, in_name) in [
            ("GET", "GET", None, "GET"),
            ("PATCH", "PATCH", None, "PATCH"),
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
