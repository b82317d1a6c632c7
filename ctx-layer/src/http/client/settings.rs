//! The settings of a client's layer.

use std::{fmt, sync::Arc};

use http::{HeaderMap, Uri};
use tracing::Level;

use crate::{
    http::{query::QueryPolicy, request_part},
    propagation::{Boundary, DestinationPolicy, Outbound},
};

#[derive(Clone)]
pub(super) struct ClientSettings {
    pub(super) destinations: DestinationPolicy,
    pub(super) default_origin: Option<Uri>,
    pub(super) boundary: &'static Boundary,
    pub(super) query: QueryPolicy,
    /// The level at which requests are logged; `None` where they are not.
    pub(super) log: Option<Level>,
    pub(super) left_out: Vec<LeaveOut>,
}

type LeaveOut = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

impl ClientSettings {
    /// Returns the host and port to which a request is sent, if known.
    pub(super) fn authority<'a>(&'a self, uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
        match (uri.authority(), &self.default_origin) {
            (None, Some(origin)) => origin.authority().map(http::uri::Authority::as_str),
            _ => request_part::server_of(uri, headers),
        }
    }

    /// Returns `true` if a request to this host and path is left out of the log.
    pub(super) fn leaves_out(&self, host: &str, path: &str) -> bool {
        self.left_out.iter().any(|leaves_out| leaves_out(host, path))
    }

    pub(super) fn scheme<'a>(&'a self, uri: &'a Uri) -> &'a str {
        uri.scheme_str().or_else(|| self.default_origin.as_ref()?.scheme_str()).unwrap_or("http")
    }

    /// Returns how much context a recipient gets.
    pub(super) fn outbound(&self, authority: Option<&str>) -> Outbound {
        authority.map_or(Outbound::TraceParentOnly, |authority| self.destinations.for_authority(authority))
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientLayer")
            .field("destinations", &self.destinations)
            .field("default_origin", &self.default_origin)
            .field("boundary", &self.boundary.name())
            .field("query", &self.query)
            .field("log_requests", &self.log)
            .finish()
    }
}
