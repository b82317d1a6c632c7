//! The settings of a server's layer.

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

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
