//! A request without its body, for hooks.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

use crate::propagation::carriers::HeaderNames;

/// A request without its body, for hooks.
///
/// `Debug` shows the path and the names of headers only, since the query and header values may be sensitive.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .field("version", &self.version)
            .field("headers", &HeaderNames(self.headers))
            .finish_non_exhaustive()
    }
}

impl<'a> RequestHead<'a> {
    /// Creates the head of a request.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        RequestHead {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// Returns the method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns the URI.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Returns the HTTP version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Returns a header if it appears exactly once and is visible ASCII.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// Returns the extensions, which the server, the router and outer layers have added.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }
}
