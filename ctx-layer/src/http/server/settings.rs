//! The settings of a server's layer.

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

use tracing::Level;

use super::header_rule::HeaderRule;
use crate::{
    Fields,
    http::{query::QueryPolicy, request_head::RequestHead},
    propagation::{Boundary, Trust},
};

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
    /// The level at which requests are logged; `None` where they are not.
    pub(super) log: Option<Level>,
    pub(super) left_out: Vec<LeaveOut>,
}

type LeaveOut = Arc<dyn Fn(&RequestHead<'_>) -> bool + Send + Sync>;

impl ServerSettings {
    /// Returns `true` if a request is left out of the log.
    pub(super) fn leaves_out(&self, request: &RequestHead<'_>) -> bool {
        self.left_out.iter().any(|leaves_out| leaves_out(request))
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
            .field("log_requests", &self.log)
            .finish_non_exhaustive()
    }
}
