//! The layer for servers.

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

use tower_layer::Layer;

use super::{header_rule::HeaderRule, service::ServerService, settings::ServerSettings};
use crate::{
    Fields,
    http::{query::QueryPolicy, request_head::RequestHead},
    propagation::{Boundary, Trust},
};

static BOUNDARY: Boundary = Boundary::new("http.server");

/// A `tower` layer for HTTP and gRPC servers. Each request has its context and a span.
///
/// The context consists of what the caller sent, as far as it is [trusted](Self::trust), and of the fields that are set
/// from the request. It is current, and the span entered, while the handler runs and while the response's body is sent.
///
/// The inner service must be `Clone`, as those of `axum`, `tonic` and `hyper-util` are: the ready service serves the
/// request, and a clone replaces it.
///
/// | setting | default |
/// |---|---|
/// | [`trust`](Self::trust) | [`Trust::external`]: no field is trusted |
/// | [`fields`](Self::fields) | none are set |
/// | [`header`](Self::header) | no header is read |
/// | [`route`](Self::route) | `axum`'s, with the feature `axum`; otherwise none |
/// | [`peer_address`](Self::peer_address) | `axum`'s `ConnectInfo<SocketAddr>`, with the feature `axum`, or a `SocketAddr` among the request's extensions |
/// | [`trusted_proxies`](Self::trusted_proxies) | 0: the client is the peer |
/// | [`scheme`](Self::scheme) | the scheme of the URI, otherwise `http` |
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

impl ServerLayer {
    /// Creates a layer with the defaults.
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

    /// Sets how far callers are trusted. Defaults to [`Trust::external`].
    pub fn trust(self, trust: Trust) -> Self {
        self.with(|settings| settings.trust = trust)
    }

    /// Sets the boundary that counts. Defaults to a boundary named `http.server`.
    pub fn boundary(self, boundary: &'static Boundary) -> Self {
        self.with(|settings| settings.boundary = boundary)
    }

    /// Adds a field that is set from a header. By default only the headers of the context are read.
    pub fn header(self, rule: HeaderRule) -> Self {
        self.with(|settings| settings.headers.push(rule))
    }

    /// Sets fields from the request. The closure receives the trusted fields of the caller and those set from headers,
    /// and returns the fields of the request.
    pub fn fields(self, set: impl Fn(&RequestHead<'_>, Fields) -> Fields + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.fields = Some(Arc::new(set)))
    }

    /// Sets how the route of a request is determined: the pattern that it matched, such as `/orders/{id}`, never its
    /// path. Defaults to `axum`'s `MatchedPath` with the feature `axum`, which is present if the layer is inside the
    /// router (`Router::layer`). Otherwise there is no route.
    pub fn route(
        self,
        route: impl for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.route = Some(Arc::new(route)))
    }

    /// Sets how the address of the peer is determined. Defaults to `axum`'s `ConnectInfo<SocketAddr>` with the feature
    /// `axum`, or a [`SocketAddr`](std::net::SocketAddr) in the request's extensions.
    ///
    /// For `tonic`: `|request| request.extensions().get::<TcpConnectInfo>()?.remote_addr().map(|it| it.ip())`.
    pub fn peer_address(
        self,
        peer_address: impl Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.peer_address = Some(Arc::new(peer_address)))
    }

    /// Sets the number of trusted proxies in front of the server. Defaults to 0.
    ///
    /// With 0, proxy headers are ignored, since any client can send them. With `n`, the client's address is the `n`th
    /// from the right in `X-Forwarded-For`, and the scheme and the host are the `n`th in `X-Forwarded-Proto` and
    /// `X-Forwarded-Host` if these are as long. If one of them is missing, `Forwarded` is read instead (RFC 7239).
    /// Proxies that write `Forwarded` must remove the other headers from requests of callers.
    pub fn trusted_proxies(self, proxies: usize) -> Self {
        self.with(|settings| settings.trusted_proxies = proxies)
    }

    /// Sets the scheme of requests whose URI has none. Defaults to `http`.
    pub fn scheme(self, scheme: &'static str) -> Self {
        self.with(|settings| settings.scheme = scheme)
    }

    /// Sets how much of a query is recorded on the span. Defaults to [`QueryPolicy::names`]: values are redacted.
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
