//! The line about a request when it has ended.

use std::time::Instant;

use http::{HeaderMap, Method, StatusCode, header};
use smallvec::SmallVec;
use tracing::Level;

use super::{
    grpc::{self, Code},
    method::MethodName,
    request_part,
};
use crate::{attribute::Attribute, site::Site, span_string};

/// The call sites of a side's lines, one for each level.
#[derive(Debug)]
pub(super) struct LineSites {
    error: Site,
    warn: Site,
    info: Site,
    debug: Site,
    trace: Site,
}

impl LineSites {
    /// Creates the call sites. `this` is the `static` that this value becomes.
    pub(super) const fn new(this: &'static Self, target: &'static str, fields: &'static [&'static str]) -> Self {
        LineSites {
            error: Site::event_of_crate(&this.error, target, "request", Level::ERROR, fields),
            warn: Site::event_of_crate(&this.warn, target, "request", Level::WARN, fields),
            info: Site::event_of_crate(&this.info, target, "request", Level::INFO, fields),
            debug: Site::event_of_crate(&this.debug, target, "request", Level::DEBUG, fields),
            trace: Site::event_of_crate(&this.trace, target, "request", Level::TRACE, fields),
        }
    }

    fn of(&'static self, level: Level) -> &'static Site {
        match level {
            Level::ERROR => &self.error,
            Level::WARN => &self.warn,
            Level::INFO => &self.info,
            Level::DEBUG => &self.debug,
            Level::TRACE => &self.trace,
        }
    }

    /// Returns `true` unless all lines are off, until the filters change.
    fn may_be_on(&'static self, level: Level, is_left_out: bool) -> bool {
        let may_be = |level: Level| self.of(level).may_be_on(level);
        may_be(Level::ERROR) || !is_left_out && (may_be(level) || may_be(Level::WARN))
    }
}

/// The side of a request that a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineSide {
    #[cfg(feature = "http-server")]
    Server,
    #[cfg(feature = "http-client")]
    Client,
}

#[cfg(feature = "http-server")]
static SERVER: LineSites = LineSites::new(
    &SERVER,
    "ctx_layer::http::server",
    &[
        "message",
        "http.request.method",
        "http.request.method_original",
        "http.route",
        "url.path",
        "rpc.method",
        "http.response.status_code",
        "rpc.response.status_code",
        "http.server.request.duration",
        "http.request.body.size",
        "http.response.body.size",
        "error.type",
        "error.message",
        "cancelled",
    ],
);

#[cfg(feature = "http-client")]
static CLIENT: LineSites = LineSites::new(
    &CLIENT,
    "ctx_layer::http::client",
    &[
        "message",
        "http.request.method",
        "http.request.method_original",
        "url.template",
        "server.address",
        "url.path",
        "rpc.method",
        "http.response.status_code",
        "rpc.response.status_code",
        "http.client.request.duration",
        "http.request.body.size",
        "http.response.body.size",
        "error.type",
        "error.message",
        "cancelled",
    ],
);

/// A line about a request, as far as it is known. It is emitted when the request has ended.
#[derive(Debug)]
pub(super) struct AccessLine {
    side: LineSide,
    level: Level,
    is_left_out: bool,
    started: Instant,
    method: Method,
    /// The route of a server's request, or the template of a client's.
    route: Option<Text>,
    /// The host that a client sends to.
    #[cfg_attr(not(feature = "http-client"), allow(dead_code, reason = "a server's line has none"))]
    host: Option<Text>,
    path: Text,
    is_grpc: bool,
    request_len: Option<u64>,
    response_len: Option<u64>,
    status: Option<StatusCode>,
    code: Option<Code>,
    error: Option<(String, String)>,
    is_cancelled: bool,
}

/// A string that is kept until the request has ended. Nearly all are short.
#[derive(Debug)]
pub(super) struct Text(SmallVec<[u8; 48]>);

impl Text {
    /// Keeps the beginning of a string.
    pub(super) fn of(text: &str) -> Self {
        Text(SmallVec::from_slice(span_string::cut(text).as_bytes()))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A request at its start, as its line will say.
pub(super) struct Started<'a> {
    pub(super) side: LineSide,
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    pub(super) path: &'a str,
    pub(super) is_grpc: bool,
}

impl AccessLine {
    /// Creates the line of a request, unless no filter lets it through. `level` is that of requests that do not fail. A request
    /// that is left out has a line only if it fails.
    pub(super) fn start(
        level: Level,
        is_left_out: impl FnOnce() -> bool,
        request: &Started<'_>,
        route: impl FnOnce() -> Option<Text>,
        host: Option<&str>,
    ) -> Option<Box<Self>> {
        let sites = sites_of(request.side);
        // Cheaper than asking what is left out.
        if !sites.may_be_on(level, false) {
            return None;
        }
        let is_left_out = is_left_out();
        if is_left_out && !sites.may_be_on(level, true) {
            return None;
        }
        Some(Box::new(AccessLine {
            side: request.side,
            level,
            is_left_out,
            started: Instant::now(),
            method: request.method.clone(),
            route: route(),
            host: host.map(Text::of),
            path: Text::of(request.path),
            is_grpc: request.is_grpc,
            request_len: declared_len(request.headers),
            response_len: None,
            status: None,
            code: None,
            error: None,
            is_cancelled: false,
        }))
    }

    /// Notes the start of the response. `declares_len` is whether its body is not seen here, and the length that it declares counts.
    pub(super) fn responded(&mut self, status: StatusCode, headers: &HeaderMap, declares_len: bool) {
        self.status = Some(status);
        self.response_len = match declares_len {
            true => declared_len(headers),
            false => Some(0),
        };
    }

    /// Notes that the response is not gRPC.
    pub(super) fn is_no_grpc(&mut self) {
        self.is_grpc = false;
    }

    /// Notes the status of a gRPC call.
    pub(super) fn has_code(&mut self, code: Code) {
        self.code = Some(code);
    }

    /// Counts bytes of the response's body.
    #[inline]
    pub(super) fn passed_on(&mut self, bytes: usize) {
        self.response_len = Some(self.response_len.unwrap_or_default().saturating_add(bytes as u64));
    }

    /// Notes a failure of the transport, of the body, or of the code that serves the request.
    pub(super) fn failed(&mut self, kind: &str, description: &str) {
        // The first one is the cause of the others.
        self.error.get_or_insert_with(|| (kind.to_owned(), description.to_owned()));
    }

    /// Notes that the request was dropped before its end.
    pub(super) fn cancelled(&mut self) {
        self.is_cancelled = true;
    }

    /// Returns how severe the failure is; `None` if there is none.
    fn severity(&self) -> Option<Level> {
        if self.error.is_some() {
            return Some(Level::ERROR);
        }
        // A gRPC status says more than that of HTTP.
        let status = self.status.filter(|_| self.code.is_none()).map(|status| status.as_u16());
        match self.side {
            #[cfg(feature = "http-server")]
            LineSide::Server => {
                let is_error =
                    status.is_some_and(|status| status >= 500) || self.code.is_some_and(Code::is_server_error);
                is_error.then_some(Level::ERROR)
            }
            #[cfg(feature = "http-client")]
            LineSide::Client => {
                let is_error = status.is_some_and(|status| status >= 400)
                    || self.code.is_some_and(|code| !code.is_ok() && !self.is_cancelled);
                is_error.then_some(Level::WARN)
            }
        }
    }

    fn message(&self) -> &'static str {
        match () {
            () if self.error.is_some() => "request failed",
            () if self.is_cancelled => "request cancelled",
            () => "request finished",
        }
    }

    /// Emits the line in the current span and context.
    pub(super) fn emit(self: Box<Self>) {
        let severity = self.severity();
        // The more severe one: levels are ordered by how much they show.
        let level = severity.map_or(self.level, |severity| severity.min(self.level));
        if self.is_left_out && severity != Some(Level::ERROR) {
            return;
        }
        let site = sites_of(self.side).of(level);
        if !site.may_be_on(level) {
            return;
        }
        let method = MethodName::of(&self.method);
        let (rpc, path) = match (self.is_grpc, self.path.as_str()) {
            (true, path) => (Some(grpc::method(path)), None),
            (false, path) => (None, Some(path)),
        };
        let status = self.status.map(|status| i64::from(status.as_u16()));
        let code = self.code.map(Code::name);
        let duration = self.started.elapsed().as_secs_f64();
        let size = |len: u64| i64::try_from(len).unwrap_or(i64::MAX);
        let (request_len, response_len) = (self.request_len.map(size), self.response_len.map(size));
        let route = self.route.as_ref().map(Text::as_str);
        let error_type = match &self.error {
            Some((kind, _)) => Some(kind.as_str()),
            None if severity.is_some() => code.or(self.status.as_ref().map(StatusCode::as_str)),
            None => None,
        };
        let error_message = self.error.as_ref().map(|(_, message)| message.as_str());
        let cancelled = self.is_cancelled.then_some(true);
        let message = self.message();
        match self.side {
            #[cfg(feature = "http-server")]
            LineSide::Server => site.emit(&[
                message.value(),
                method.attribute().value(),
                method.original().value(),
                route.value(),
                path.value(),
                rpc.value(),
                status.value(),
                code.value(),
                Some(&duration),
                request_len.value(),
                response_len.value(),
                error_type.value(),
                error_message.value(),
                cancelled.value(),
            ]),
            #[cfg(feature = "http-client")]
            LineSide::Client => site.emit(&[
                message.value(),
                method.attribute().value(),
                method.original().value(),
                route.value(),
                self.host.as_ref().map(Text::as_str).value(),
                path.value(),
                rpc.value(),
                status.value(),
                code.value(),
                Some(&duration),
                request_len.value(),
                response_len.value(),
                error_type.value(),
                error_message.value(),
                cancelled.value(),
            ]),
        };
    }
}

/// Returns the length of a body that the other side declares.
fn declared_len(headers: &HeaderMap) -> Option<u64> {
    request_part::header(headers, &header::CONTENT_LENGTH)?.parse().ok()
}

fn sites_of(side: LineSide) -> &'static LineSites {
    match side {
        #[cfg(feature = "http-server")]
        LineSide::Server => &SERVER,
        #[cfg(feature = "http-client")]
        LineSide::Client => &CLIENT,
    }
}
