//! The layer for clients.

use std::{fmt, sync::Arc};

use http::Uri;
use tower_layer::Layer;

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
///
/// ```
/// use ctx_layer::{http::ClientLayer, propagation::DestinationPolicy};
///
/// let layer = ClientLayer::new().destinations(DestinationPolicy::internal(["internal.example", "10.0.0.0/8"])?);
/// # Ok::<(), ctx_layer::propagation::DestinationError>(())
/// ```
///
/// A `tonic` channel adds the host to its requests further inside, so the layer has to be configured with it:
///
/// ```
/// use ctx_layer::{http::ClientLayer, propagation::DestinationPolicy};
///
/// let orders = http::Uri::from_static("http://orders.internal.example:50051");
/// let layer = ClientLayer::new().destinations(DestinationPolicy::internal(["internal.example"])?).default_origin(orders);
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
