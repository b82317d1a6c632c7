//! The layer for servers.

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

use tower_layer::Layer;
use tracing::Level;

use super::{header_rule::HeaderRule, service::ServerService, settings::ServerSettings, span::uri};
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
/// | [`log_requests`](Self::log_requests) | no line about a request |
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
            log: None,
            left_out: Vec::new(),
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

    /// Logs each request once, when it has ended, at this level or as a failure. By default none is logged.
    ///
    /// The event is in the request's span, and has the context fields that are current then, those recorded inside
    /// included. It is emitted when the response's body has ended, has failed, or is dropped; for an upgrade (a WebSocket)
    /// after the response to the handshake.
    ///
    /// | the request | level | message |
    /// |---|---|---|
    /// | has a response below 500; a gRPC status that is no server error | `level` | `request finished` |
    /// | was dropped before its end: the client has left | `level`, with `cancelled` | `request cancelled` |
    /// | has a response of 500 or above; one of the six gRPC statuses that are server errors | `ERROR` | `request finished` |
    /// | failed: a panic, an error of the service, a body that fails | `ERROR` | `request failed` |
    ///
    /// The target is `ctx_layer::http::server`. The fields have the names of OpenTelemetry's conventions:
    /// `http.request.method`, `http.route`, `url.path` (its first 1024 bytes), `http.response.status_code`, for gRPC
    /// `rpc.method` and `rpc.response.status_code`, `error.type`, `error.message`. `http.server.request.duration` is in
    /// seconds, from the arrival of the request to its end. `http.request.body.size` is what the client declares in
    /// `Content-Length`; `http.response.body.size` is counted, in bytes, as passed on to the server.
    ///
    /// Filters decide as for any event. While they let none of its levels through, a request costs nothing more.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, routing::get};
    /// use ctx_layer::{field::well_known::USER_ID, http::ServerLayer, output::json, prelude::*};
    /// use http::Request;
    /// use tower_service::Service;
    /// use tracing::Level;
    /// use tracing_subscriber::prelude::*;
    ///
    /// # let (printed, writer) = std::io::pipe()?;
    /// let output = json::layer().without_time().with_target(false);
    /// # let output = output.with_writer(std::sync::Mutex::new(writer));
    /// tracing_subscriber::registry().with(output).with_context_fields(Schema::well_known()).init();
    ///
    /// async fn order() -> &'static str {
    ///     let _ = USER_ID.record_on_request("ada");
    ///     "seven"
    /// }
    ///
    /// let layer = ServerLayer::new().log_requests(Level::INFO).leave_paths_out_of_log(["/health"]);
    /// let mut app: Router = Router::new()
    ///     .route("/orders/{id}", get(order))
    ///     .route("/health", get(|| async { "well" }))
    ///     .layer(layer);
    ///
    /// for path in ["/health", "/orders/7"] {
    ///     let response = app.call(Request::get(path).body(Body::empty())?).await?;
    ///     axum::body::to_bytes(response.into_body(), 1024).await?; // As a server does.
    /// }
    /// # let mut line = String::new();
    /// # std::io::BufRead::read_line(&mut std::io::BufReader::new(printed), &mut line)?;
    /// # let (before, after) = line.split_once("\"http.server.request.duration\":").unwrap();
    /// # assert_eq!(before, r#"{"level":"INFO","message":"request finished","http.request.method":"GET","http.route":"/orders/{id}","url.path":"/orders/7","http.response.status_code":200,"#);
    /// # let (_, after) = after.split_once(',').unwrap();
    /// # assert_eq!(after, "\"http.response.body.size\":5,\"user_id\":\"ada\",\"span\":{\"name\":\"request\"}}\n");
    /// # Ok(()) }
    /// ```
    ///
    /// It prints, on one line:
    ///
    /// ```text
    /// {"level":"INFO","message":"request finished","http.request.method":"GET",
    ///  "http.route":"/orders/{id}","url.path":"/orders/7","http.response.status_code":200,
    ///  "http.server.request.duration":0.000113,"http.response.body.size":5,
    ///  "user_id":"ada","span":{"name":"request"}}
    /// ```
    pub fn log_requests(self, level: Level) -> Self {
        self.with(|settings| settings.log = Some(level))
    }

    /// Leaves requests for which `leave_out` returns `true` out of the [log](Self::log_requests), such as health checks. They
    /// are logged nonetheless if they end at `ERROR`.
    ///
    /// It is called when the request arrives. Can be called several times: each adds to the others.
    pub fn leave_out_of_log(self, leave_out: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.left_out.push(Arc::new(leave_out)))
    }

    /// Leaves requests with one of these paths out of the [log](Self::log_requests). They are logged nonetheless if they end
    /// at `ERROR`. The query plays no part.
    pub fn leave_paths_out_of_log(self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let paths: Vec<String> = paths.into_iter().map(Into::into).collect();
        self.leave_out_of_log(move |request| paths.iter().any(|path| path == uri(request).path()))
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
