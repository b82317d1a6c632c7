//! What a server is told.

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

use tower_layer::Layer;

use super::{HeaderRule, ServerService};
use crate::{
    Fields,
    http::{QueryPolicy, RequestHead},
    propagation::{Boundary, Trust},
};

static BOUNDARY: Boundary = Boundary::new("http.server");

/// A `tower` layer for servers of HTTP and gRPC: each request has its context, and a span.
///
/// The context is what the caller sent, as far as it is [believed](Self::trust), and what is set from the request. It is
/// in force while the handler runs and while the response's body is sent, and the same holds for the span.
///
/// The service inside has to be one that can be cloned, as those of `axum`, `tonic` and `hyper-util` are: a clone takes the
/// place of the one that serves the request.
///
/// | setting | default |
/// |---|---|
/// | [`trust`](Self::trust) | [`Trust::external`]: no field is believed |
/// | [`fields`](Self::fields) | none are set |
/// | [`header`](Self::header) | no header is looked at |
/// | [`route`](Self::route) | `axum`'s, with the feature `axum`; else none |
/// | [`peer_address`](Self::peer_address) | `axum`'s `ConnectInfo<SocketAddr>`, with the feature `axum`, or a `SocketAddr` among the request's extensions |
/// | [`trusted_proxies`](Self::trusted_proxies) | 0: the client is the peer |
/// | [`scheme`](Self::scheme) | that of the URI, else `http` |
/// | [`query`](Self::query) | [`QueryPolicy::names`]: values are redacted |
/// | [`boundary`](Self::boundary) | one named `http.server` |
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, http::{HeaderRule, ServerLayer}};
///
/// let layer = ServerLayer::new()
///     .header(HeaderRule::request_id())
///     .fields(|request, fields| match request.uri().path().split('/').nth(1) {
///         Some(tenant) => fields.with(&TENANT_ID, tenant),
///         None => fields,
///     });
/// ```
#[derive(Clone)]
pub struct ServerLayer {
    settings: Arc<ServerSettings>,
}

type SetFields = Arc<dyn Fn(&RequestHead<'_>, Fields) -> Fields + Send + Sync>;
type FindRoute = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync>;
type FindPeer = Arc<dyn Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync>;

#[derive(Clone)]
pub(super) struct ServerSettings {
    pub(super) trust: Trust,
    pub(super) boundary: &'static Boundary,
    pub(super) headers: Vec<HeaderRule>,
    pub(super) fields: Option<SetFields>,
    pub(super) route: Option<FindRoute>,
    pub(super) peer_address: Option<FindPeer>,
    pub(super) trusted_proxies: usize,
    pub(super) scheme: &'static str,
    pub(super) query: QueryPolicy,
}

impl ServerLayer {
    /// A layer with the defaults.
    pub fn new() -> Self {
        let settings = ServerSettings {
            trust: Trust::external(),
            boundary: &BOUNDARY,
            headers: Vec::new(),
            fields: None,
            route: None,
            peer_address: None,
            trusted_proxies: 0,
            scheme: "http",
            query: QueryPolicy::names(),
        };
        ServerLayer { settings: Arc::new(settings) }
    }

    fn with(mut self, change: impl FnOnce(&mut ServerSettings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Sets how far callers are believed. Defaults to [`Trust::external`].
    pub fn trust(self, trust: Trust) -> Self {
        self.with(|settings| settings.trust = trust)
    }

    /// Sets the boundary at which this is counted. Defaults to a boundary named `http.server`.
    pub fn boundary(self, boundary: &'static Boundary) -> Self {
        self.with(|settings| settings.boundary = boundary)
    }

    /// Adds a field that is set from a header. By default no header is looked at but those of the context.
    pub fn header(self, rule: HeaderRule) -> Self {
        self.with(|settings| settings.headers.push(rule))
    }

    /// Sets fields from the request. The closure gets those that are believed of the caller and those set from headers,
    /// and gives back the ones that are to hold.
    pub fn fields(self, set: impl Fn(&RequestHead<'_>, Fields) -> Fields + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.fields = Some(Arc::new(set)))
    }

    /// Sets how the route of a request is found: the pattern it was matched by, such as `/orders/{id}`, and never its
    /// path. Defaults to `axum`'s `MatchedPath` with the feature `axum`, which is there where the layer stands inside of
    /// the router (`Router::layer`); else there is none.
    pub fn route(
        self,
        route: impl for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.route = Some(Arc::new(route)))
    }

    /// Sets how the address of a connection's other end is found. Defaults to `axum`'s `ConnectInfo<SocketAddr>` with the
    /// feature `axum`, or a [`SocketAddr`](std::net::SocketAddr) among the request's extensions.
    ///
    /// For `tonic`: `|request| request.extensions().get::<TcpConnectInfo>()?.remote_addr().map(|it| it.ip())`.
    pub fn peer_address(
        self,
        peer_address: impl Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.peer_address = Some(Arc::new(peer_address)))
    }

    /// Sets how many proxies of one's own a request passes. Defaults to 0.
    ///
    /// With 0 what they say is ignored: anybody can say it. With `n` the client's address is the `n`th from the right in
    /// `X-Forwarded-For`, and so are the scheme and the host in `X-Forwarded-Proto` and `X-Forwarded-Host`, where these are
    /// as long. Where one of them is not there `Forwarded` is read in its place (RFC 7239): proxies that write this one
    /// have to take away what strangers send of the others.
    pub fn trusted_proxies(self, proxies: usize) -> Self {
        self.with(|settings| settings.trusted_proxies = proxies)
    }

    /// Sets the scheme of requests that do not say it. Defaults to `http`.
    pub fn scheme(self, scheme: &'static str) -> Self {
        self.with(|settings| settings.scheme = scheme)
    }

    /// Sets how much of a query stands on the span. Defaults to [`QueryPolicy::names`]: values are redacted.
    pub fn query(self, query: QueryPolicy) -> Self {
        self.with(|settings| settings.query = query)
    }
}

impl Default for ServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService::new(inner, self.settings.clone())
    }
}

impl fmt::Debug for ServerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

impl fmt::Debug for ServerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerLayer")
            .field("trust", &self.trust)
            .field("boundary", &self.boundary.name())
            .field("headers", &self.headers)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}
