//! What hooks see of a request.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

use crate::carriers::HeaderNames;

/// What hooks see of a request: all but its body.
///
/// `Debug` shows the path and the names of headers: what the query and the headers say may be sensitive.
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
    /// The request without its body.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        RequestHead {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The URI.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The version of HTTP.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// A header, where it stands there exactly once and is visible ASCII.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// The extensions: what was put there by the server, the router and layers outside of this one.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }
}
