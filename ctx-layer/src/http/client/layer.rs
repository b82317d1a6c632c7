//! The layer for clients.

use std::{fmt, sync::Arc};

use http::Uri;
use tower_layer::Layer;
use tracing::Level;

use super::{service::ClientService, settings::ClientSettings};
use crate::{
    http::query::QueryPolicy,
    propagation::{Boundary, DestinationPolicy},
};

static BOUNDARY: Boundary = Boundary::new("http.client");

/// A `tower` layer for HTTP and gRPC clients. Each attempt has a span and carries the context.
///
/// Put it inside the retrying layer, so that each attempt has its own span. [`Attempts`](super::Attempts) counts them.
///
/// | setting | default |
/// |---|---|
/// | [`destinations`](Self::destinations) | [`DestinationPolicy::new`]: no host is internal, and all get `traceparent` only |
/// | [`default_origin`](Self::default_origin) | the host of the URI, or of `Host` |
/// | [`query`](Self::query) | [`QueryPolicy::names`]: values are redacted |
/// | [`boundary`](Self::boundary) | one named `http.client` |
/// | [`log_requests`](Self::log_requests) | no line about a request |
///
/// ```
/// use ctx_layer::{http::ClientLayer, propagation::DestinationPolicy};
///
/// let destinations = DestinationPolicy::internal(["internal.example", "10.0.0.0/8"])?;
/// let layer = ClientLayer::new().destinations(destinations);
/// # Ok::<(), ctx_layer::propagation::DestinationError>(())
/// ```
///
/// A `tonic` channel adds the host to its requests further inside, so the layer has to be configured with it:
///
/// ```
/// use ctx_layer::{http::ClientLayer, propagation::DestinationPolicy};
///
/// let orders = http::Uri::from_static("http://orders.internal.example:50051");
/// let destinations = DestinationPolicy::internal(["internal.example"])?;
/// let layer = ClientLayer::new().destinations(destinations).default_origin(orders);
/// # Ok::<(), ctx_layer::propagation::DestinationError>(())
/// ```
#[derive(Clone)]
pub struct ClientLayer {
    pub(super) settings: Arc<ClientSettings>,
}

impl ClientLayer {
    /// Creates a layer with the defaults.
    pub fn new() -> Self {
        let settings = ClientSettings {
            destinations: DestinationPolicy::new(),
            default_origin: None,
            boundary: &BOUNDARY,
            query: QueryPolicy::names(),
            log: None,
            left_out: Vec::new(),
        };
        ClientLayer { settings: Arc::new(settings) }
    }

    fn with(mut self, change: impl FnOnce(&mut ClientSettings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Sets which hosts are internal and get all context. By default none is, and all get `traceparent` only.
    pub fn destinations(self, destinations: DestinationPolicy) -> Self {
        self.with(|settings| settings.destinations = destinations)
    }

    /// Sets the origin (scheme, host and port) of requests whose URI has no host. Defaults to `Host`. Without either, a
    /// request gets `traceparent` only.
    pub fn default_origin(self, origin: Uri) -> Self {
        self.with(|settings| settings.default_origin = Some(origin))
    }

    /// Sets how much of a query is recorded on the span. Defaults to [`QueryPolicy::names`]: values are redacted.
    pub fn query(self, query: QueryPolicy) -> Self {
        self.with(|settings| settings.query = query)
    }

    /// Sets the boundary that counts. Defaults to a boundary named `http.client`.
    pub fn boundary(self, boundary: &'static Boundary) -> Self {
        self.with(|settings| settings.boundary = boundary)
    }

    /// Logs each attempt once, when it has ended, at this level or as a failure. By default none is logged.
    ///
    /// The event is in the span of the attempt, and has the context fields that are current in it. It is emitted when the
    /// response's body has ended, has failed, or is dropped; by `reqwest` when the headers have arrived.
    ///
    /// | the attempt | level | message |
    /// |---|---|---|
    /// | has a response below 400; the gRPC status `OK` | `level` | `request finished` |
    /// | was dropped before there was a response, or a gRPC status | `level`, with `cancelled` | `request cancelled` |
    /// | has a response of 400 or above; another gRPC status | `WARN`, or `level` if that is more severe | `request finished` |
    /// | failed: no response, a body that fails, a panic | `ERROR` | `request failed` |
    ///
    /// The target is `ctx_layer::http::client`. The fields have the names of OpenTelemetry's conventions:
    /// `http.request.method`, [`url.template`](crate::http::UrlTemplate), `server.address`, `url.path` (its first 1024 bytes),
    /// `http.response.status_code`, for gRPC `rpc.method` and `rpc.response.status_code`, `error.type`, `error.message`.
    /// `http.client.request.duration` is in seconds. `http.request.body.size` is what `Content-Length` declares, if the
    /// request has it; `http.response.body.size` is counted, in bytes, and by `reqwest` what the response declares.
    ///
    /// Filters decide as for any event. While they let none of its levels through, a request costs nothing more.
    ///
    /// ```
    /// use ctx_layer::http::ClientLayer;
    /// use tracing::Level;
    ///
    /// let layer = ClientLayer::new().log_requests(Level::DEBUG);
    /// ```
    pub fn log_requests(self, level: Level) -> Self {
        self.with(|settings| settings.log = Some(level))
    }

    /// Leaves requests out of the [log](Self::log_requests) for whose host and path `leave_out` returns `true`. They are logged
    /// nonetheless if they fail at `ERROR`. The host is empty where it is not known.
    ///
    /// Can be called several times: each adds to the others.
    pub fn leave_out_of_log(self, leave_out: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.left_out.push(Arc::new(leave_out)))
    }
}

impl Default for ClientLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService::new(inner, self.settings.clone())
    }
}

impl fmt::Debug for ClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}
