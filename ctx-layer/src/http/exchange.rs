//! A request that is being served or made: its span, its context, and how it ends.

use std::panic::resume_unwind;

use http::{HeaderMap, StatusCode, Version};
#[cfg(feature = "tracing-opentelemetry")]
use opentelemetry::trace::TraceContextExt;
use tracing::{Span, error, record_all};

use super::{
    grpc::{self, Code},
    span_string,
};
use crate::panic::{Panicked, Payload, caught_with};

/// A request that is being served or made.
#[derive(Debug)]
pub(super) struct Exchange {
    place: ExchangeSide,
    is_grpc: bool,
    /// Nothing more is to be recorded.
    is_known: bool,
    /// `error.type` is recorded: a response of 500 whose body fails is still one of 500.
    is_error: bool,
}

impl Exchange {
    pub(super) fn new(is_grpc: bool, place: ExchangeSide) -> Self {
        Exchange { place, is_grpc, is_known: false, is_error: false }
    }

    fn is_server(&self) -> bool {
        match self.place {
            #[cfg(feature = "http-server")]
            ExchangeSide::Server(_) => true,
            #[cfg(feature = "http-client")]
            ExchangeSide::Client(_) => false,
        }
    }

    fn span(&self) -> &Span {
        match &self.place {
            #[cfg(feature = "http-server")]
            ExchangeSide::Server(snapshot) => {
                static NONE: Span = Span::none();
                snapshot.span().unwrap_or(&NONE)
            }
            #[cfg(feature = "http-client")]
            ExchangeSide::Client(span) => span,
        }
    }

    /// Makes the context current and enters the span, until the guard is dropped.
    pub(super) fn enter(&mut self) -> EnteredExchange<'_> {
        match &mut self.place {
            #[cfg(feature = "http-server")]
            ExchangeSide::Server(snapshot) => {
                snapshot.update();
                EnteredExchange::Server { _entered: snapshot.enter() }
            }
            #[cfg(feature = "http-client")]
            ExchangeSide::Client(span) => EnteredExchange::Client { _entered: span.enter() },
        }
    }

    /// Calls `f` within the context and the span. A panic is recorded, and goes on.
    pub(super) fn within<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let called = {
            let _inside = self.enter();
            caught_with(f)
        };
        called.unwrap_or_else(|payload| self.panicked(payload))
    }

    /// Whether gRPC's status is still to come.
    pub(super) fn awaits_trailers(&self) -> bool {
        self.is_grpc && !self.is_known
    }

    /// The response has begun.
    pub(super) fn responded(&mut self, status: StatusCode, version: Version, headers: &HeaderMap) {
        if self.is_grpc && self.is_server() && !grpc::is_grpc(headers) {
            // Anybody can send gRPC's content type to what is none, under any path: what answers says what it is.
            self.is_grpc = false;
            rename(self.span(), "POST");
        }
        if self.is_grpc {
            match Code::of(headers) {
                Some((code, message)) => self.grpc(code, message.as_deref()),
                None if status != StatusCode::OK => self.grpc(Code::of_http(status), None),
                None => {}
            }
            return;
        }
        // Many clients look at the status alone: a response whose body they drop was not cancelled.
        self.is_known = !self.is_server();
        if self.span().is_disabled() {
            return;
        }
        if !self.is_server() {
            // What was spoken is not known before: a request that is told nothing says 1.1.
            record_all!(self.span(), network.protocol.version = span_string::version(version));
        }
        let code = i64::from(status.as_u16());
        // What is above 599 is no status: clients take it for 5xx (RFC 9110, section 15).
        let is_error = status.as_u16() >= 500 || (status.is_client_error() && !self.is_server());
        if is_error {
            self.is_error = true;
            record_all!(
                self.span(),
                http.response.status_code = code,
                error.type = status.as_str(),
                otel.status_code = "ERROR"
            );
        } else {
            record_all!(self.span(), http.response.status_code = code);
        }
    }

    /// Trailers have come.
    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        if self.awaits_trailers()
            && let Some((code, message)) = Code::of(trailers)
        {
            self.grpc(code, message.as_deref());
        }
    }

    /// The body has come to its end.
    pub(super) fn ended(&mut self) {
        if self.awaits_trailers() {
            // A call without a status is one whose outcome is not known (gRPC over HTTP/2, "Responses").
            self.grpc(Code::UNKNOWN, None);
        }
        self.is_known = true;
    }

    fn grpc(&mut self, code: Code, message: Option<&str>) {
        self.is_known = true;
        if self.span().is_disabled() {
            return;
        }
        let is_error = if self.is_server() { code.is_server_error() } else { !code.is_ok() };
        self.is_error |= is_error;
        let name = code.name();
        if !is_error {
            record_all!(self.span(), rpc.response.status_code = name);
        } else if let Some(message) = message {
            record_all!(
                self.span(),
                rpc.response.status_code = name,
                error.type = name,
                otel.status_description = message
            );
        } else {
            record_all!(
                self.span(),
                rpc.response.status_code = name,
                error.type = name,
                otel.status_code = "ERROR"
            );
        }
    }

    /// It failed on the way.
    #[cold]
    pub(super) fn failed(&mut self, kind: &str, description: &str) {
        self.is_known = true;
        let description = span_string::cut(description);
        // Recorded twice, a field is exported twice.
        if std::mem::replace(&mut self.is_error, true) {
            record_all!(self.span(), otel.status_description = description);
        } else {
            record_all!(self.span(), error.type = kind, otel.status_description = description);
        }
    }

    /// It panicked: that is recorded, and goes on.
    #[cold]
    fn panicked(&mut self, payload: Payload) -> ! {
        let panicked = Panicked::with(&payload);
        {
            let _entered = self.enter();
            // The OpenTelemetry layer makes an exception of it.
            error!(error = &panicked as &(dyn std::error::Error + 'static), "panicked");
        }
        self.failed("panic", &panicked.to_string());
        resume_unwind(payload)
    }

    /// Whoever wanted it has gone, before it came to an end. That is no error.
    #[cold]
    pub(super) fn cancelled(&mut self) {
        if !self.is_known {
            self.is_known = true;
            if self.is_grpc {
                // What either end makes of it where the other has gone.
                record_all!(self.span(), cancelled = true, rpc.response.status_code = Code::CANCELLED.name());
            } else {
                record_all!(self.span(), cancelled = true);
            }
        }
    }
}

/// Gives the exported span another name: what was recorded as `otel.name` holds once the span has begun.
#[cfg(feature = "tracing-opentelemetry")]
fn rename(span: &Span, name: &'static str) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.context().span().update_name(name);
}

#[cfg(not(feature = "tracing-opentelemetry"))]
fn rename(_: &Span, _: &'static str) {}

/// Where a request is handled.
#[derive(Debug)]
pub(super) enum ExchangeSide {
    /// In a context of its own, and a span.
    #[cfg(feature = "http-server")]
    Server(crate::task::Snapshot),
    /// In a span of whatever is current.
    #[cfg(feature = "http-client")]
    Client(Span),
}

/// A guard that keeps a request's context current and its span entered.
pub(super) enum EnteredExchange<'a> {
    #[cfg(feature = "http-server")]
    Server { _entered: crate::task::SnapshotGuard<'a> },
    #[cfg(feature = "http-client")]
    Client { _entered: tracing::span::Entered<'a> },
}
