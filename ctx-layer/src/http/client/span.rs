//! The span of a request that is sent.

use std::fmt;

use http::{HeaderMap, Method, Uri};
use tracing::{Level, Span, field::Empty};

use super::{attempts::Attempts, settings::ClientSettings, url_template::UrlTemplate};
use crate::{
    attribute::Attribute,
    http::{
        access_line::{AccessLine, LineSide, Started, Text},
        grpc,
        method::MethodName,
        query::ShownUrl,
        request_part,
    },
    site::Site,
    span_string::{self, SpanString},
};

/// Creates a span with these attributes. If it is disabled, they are not computed.
macro_rules! attempt_span {
    ($name:literal, { $($found:tt)* } $($key:literal: $value:expr,)*) => {{
        const LEVEL: Level = Level::INFO;
        static SITE: Site = Site::span(&SITE, module_path!(), $name, LEVEL, &[$($key),*]);
        if !SITE.may_be_on(LEVEL) {
            return Span::none();
        }
        $($found)*
        SITE.open(&[$(Attribute::value(&$value)),*])
    }};
}

/// The attributes of a request that is sent.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    pub(super) scheme: &'a str,
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) template: Option<&'a UrlTemplate>,
    /// The number of earlier attempts.
    pub(super) resend_count: Option<i64>,
    pub(super) settings: &'a ClientSettings,
}

impl<'a> Outgoing<'a> {
    pub(super) fn of<B>(request: &'a http::Request<B>, settings: &'a ClientSettings) -> Self {
        let (uri, headers): (&Uri, &HeaderMap) = (request.uri(), request.headers());
        Outgoing {
            method: request.method(),
            scheme: settings.scheme(uri),
            authority: settings.authority(uri, headers),
            path: uri.path(),
            query: uri.query(),
            template: request.extensions().get(),
            resend_count: request.extensions().get::<Attempts>().and_then(Attempts::again),
            settings,
        }
    }

    /// Creates the span of an HTTP request, named by method and template.
    /// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span>
    pub(super) fn http_span(&self) -> Span {
        attempt_span!(
            "request",
            {
                let server = self.server();
                let name = SpanString::of(SpanName(self));
                let url = self.authority.map(|authority| SpanString::of(self.url(authority)));
            }
            "otel.name": name.as_str(),
            "otel.kind": "client",
            "http.request.method": MethodName::of(self.method).attribute(),
            "http.request.method_original": MethodName::of(self.method).original(),
            "http.request.resend_count": self.resend_count,
            "url.full": url.as_ref().map(SpanString::as_str),
            "url.template": self.template.map(UrlTemplate::as_str),
            "server.address": server.map(|(host, _)| host),
            "server.port": server.and_then(|(_, port)| port),
            "network.protocol.version": Empty,
            "http.response.status_code": Empty,
            "error.type": Empty,
            "otel.status_code": Empty,
            "otel.status_description": Empty,
            "cancelled": Empty,
        )
    }

    /// Creates the span of a gRPC call, named by service and method.
    /// <https://opentelemetry.io/docs/specs/semconv/rpc/grpc/>
    pub(super) fn grpc_span(&self) -> Span {
        attempt_span!(
            "call",
            { let server = self.server(); }
            "otel.name": grpc::method(self.path),
            "otel.kind": "client",
            "rpc.system.name": "grpc",
            "rpc.method": grpc::method(self.path),
            "server.address": server.map(|(host, _)| host),
            "server.port": server.and_then(|(_, port)| port),
            "rpc.response.status_code": Empty,
            "error.type": Empty,
            "otel.status_code": Empty,
            "otel.status_description": Empty,
            "cancelled": Empty,
        )
    }

    /// Creates the line about the request, if it is to be logged.
    pub(super) fn start_line(&self, headers: &HeaderMap, is_grpc: bool) -> Option<Box<AccessLine>> {
        let level = self.settings.log?;
        let host = self.authority.map(|authority| request_part::host_and_port(authority).0);
        let started = Started { side: LineSide::Client, method: self.method, headers, path: self.path, is_grpc };
        let template = || self.template.map(|template| Text::of(template.as_str()));
        let is_left_out = || self.settings.leaves_out(host.unwrap_or_default(), self.path);
        AccessLine::start(level, is_left_out, &started, template, host)
    }

    /// Returns the host and the port. Clients know the port even if it is not in the URL.
    fn server(&self) -> Option<(&'a str, Option<i64>)> {
        let (host, port) = request_part::host_and_port(self.authority?);
        let port = port.or(match self.scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        });
        Some((span_string::cut(host), port))
    }

    fn url(&self, authority: &'a str) -> ShownUrl<'a> {
        ShownUrl { scheme: self.scheme, authority, path: self.path, query: self.query, policy: &self.settings.query }
    }
}

/// Displays `{method} {template}`.
struct SpanName<'a>(&'a Outgoing<'a>);

impl fmt::Display for SpanName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MethodName::of(self.0.method).in_name())?;
        match self.0.template {
            Some(template) => write!(f, " {}", template.as_str()),
            None => Ok(()),
        }
    }
}
