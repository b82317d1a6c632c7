//! The span of a request that is served.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use http::{Uri, header};
use opentelemetry::Context;
use tracing::{Level, Span, field::Empty};

use super::{client_address, forwarded, settings::ServerSettings};
use crate::{
    attribute::Attribute,
    context::{ContextFieldsExt, attach},
    http::{RequestHead, grpc, method::MethodName, request_part},
    site::Site,
    span_string::{self, SpanString},
};

/// Creates a span with these attributes, within a context. If it is disabled, nothing is computed or attached.
macro_rules! request_span {
    ($name:literal, within $cx:expr, { $($found:tt)* } $($key:literal: $value:expr,)*) => {{
        const LEVEL: Level = Level::INFO;
        static SITE: Site = Site::span(&SITE, module_path!(), $name, LEVEL, &[$($key),*]);
        if !SITE.may_be_on(LEVEL) {
            return Span::none();
        }
        // Attached before `open` asks the filters, which may read the current context.
        let _attached = attach($cx.clone(), $cx.fields().address());
        $($found)*
        SITE.open_received(
            // Room for fourteen fields.
            &mut [
                $(Attribute::value(&$value),)*
                None, None, None, None, None, None, None, None, None, None, None, None, None, None,
            ],
            $cx.fields(),
        )
    }};
}

/// Creates the span of an HTTP request, named by method and route.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>
pub(super) fn of_http(request: &RequestHead<'_>, settings: &ServerSettings, cx: &Context) -> Span {
    request_span!(
        "request",
        within cx,
        {
            let method = MethodName::of(request.method());
            let route = route(request, settings);
            let name = name(method, route.as_deref());
            let query = uri(request).query().and_then(|query| settings.query.shown(query)).map(SpanString::of);
            let (host, port) = server(request, settings);
            let peer = peer(request, settings);
            let peer_address = peer.map(|(address, _)| SpanString::of(address));
            let client = client(request, settings, peer).map(SpanString::of);
        }
        "otel.name": name.as_str(),
        "otel.kind": "server",
        "http.request.method": method.attribute(),
        "http.request.method_original": method.original(),
        "http.route": route.as_deref(),
        "url.scheme": scheme(request, settings),
        "url.path": span_string::cut(uri(request).path()),
        "url.query": query.as_ref().map(SpanString::as_str),
        "server.address": host,
        "server.port": port,
        "client.address": client.as_ref().map(SpanString::as_str),
        "network.peer.address": peer_address.as_ref().map(SpanString::as_str),
        "network.peer.port": peer.and_then(|(_, port)| port).map(i64::from),
        "network.protocol.version": request_part::version(request.version()),
        "user_agent.original": request_part::header(request.headers(), &header::USER_AGENT).map(span_string::cut),
        "http.response.status_code": Empty,
        "error.type": Empty,
        "otel.status_code": Empty,
        "otel.status_description": Empty,
        "cancelled": Empty,
    )
}

/// Creates the span of a gRPC call, named by service and method.
/// <https://opentelemetry.io/docs/specs/semconv/rpc/grpc/>
pub(super) fn of_grpc(request: &RequestHead<'_>, settings: &ServerSettings, cx: &Context) -> Span {
    request_span!(
        "call",
        within cx,
        {
            let method = grpc::method(request.uri().path());
            let (host, port) = server(request, settings);
            let peer = peer(request, settings);
            let peer_address = peer.map(|(address, _)| SpanString::of(address));
            let client = client(request, settings, peer).map(SpanString::of);
        }
        "otel.name": method,
        "otel.kind": "server",
        "rpc.system.name": "grpc",
        "rpc.method": method,
        "server.address": host,
        "server.port": port,
        "client.address": client.as_ref().map(SpanString::as_str),
        "network.peer.address": peer_address.as_ref().map(SpanString::as_str),
        "network.peer.port": peer.and_then(|(_, port)| port).map(i64::from),
        "rpc.response.status_code": Empty,
        "http.response.status_code": Empty,
        "error.type": Empty,
        "otel.status_code": Empty,
        "otel.status_description": Empty,
        "cancelled": Empty,
    )
}

/// Returns `{method} {route}`.
fn name(method: MethodName<'_>, route: Option<&str>) -> SpanString {
    let mut name = SpanString::new();
    name.push(method.in_name());
    if let Some(route) = route {
        name.push(" ");
        name.push(route);
    }
    name
}

pub(super) fn route<'a>(request: &RequestHead<'a>, settings: &ServerSettings) -> Option<Cow<'a, str>> {
    match &settings.route {
        Some(route) => route(request),
        #[cfg(feature = "axum")]
        None => request.extensions().get::<::axum::extract::MatchedPath>().map(|route| Cow::Borrowed(route.as_str())),
        #[cfg(not(feature = "axum"))]
        None => None,
    }
}

/// Returns the original URI: a nested `axum` router removes its prefix.
pub(super) fn uri<'a>(request: &RequestHead<'a>) -> &'a Uri {
    #[cfg(feature = "axum")]
    if let Some(::axum::extract::OriginalUri(uri)) = request.extensions().get() {
        return uri;
    }
    request.uri()
}

fn scheme<'a>(request: &RequestHead<'a>, settings: &ServerSettings) -> &'a str {
    match forwarded::scheme(settings.trusted_proxies, request.headers()) {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
        _ => request.uri().scheme_str().unwrap_or(settings.scheme),
    }
}

/// Returns the host and port by
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#setting-serveraddress-and-serverport-attributes>.
fn server<'a>(request: &RequestHead<'a>, settings: &ServerSettings) -> (Option<&'a str>, Option<i64>) {
    let forwarded = forwarded::host(settings.trusted_proxies, request.headers());
    let Some(server) = forwarded.or_else(|| request_part::server_of(request.uri(), request.headers())) else {
        return (None, None);
    };
    let (host, port) = request_part::host_and_port(server);
    (Some(span_string::cut(host)), port)
}

fn client(request: &RequestHead<'_>, settings: &ServerSettings, peer: Option<Peer>) -> Option<IpAddr> {
    client_address::behind(settings.trusted_proxies, request.headers(), peer.map(|(address, _)| address))
}

/// The address of the peer, with its port if known.
type Peer = (IpAddr, Option<u16>);

fn peer(request: &RequestHead<'_>, settings: &ServerSettings) -> Option<Peer> {
    if let Some(peer) = &settings.peer_address {
        return peer(request).map(|address| (address, None));
    }
    let of = |address: &SocketAddr| (address.ip(), Some(address.port()));
    #[cfg(feature = "axum")]
    if let Some(::axum::extract::ConnectInfo(address)) =
        request.extensions().get::<::axum::extract::ConnectInfo<SocketAddr>>()
    {
        return Some(of(address));
    }
    request.extensions().get::<SocketAddr>().map(of)
}
