//! A request that is being served or sent: its span, its context, and its outcome.

use std::panic::resume_unwind;

use http::{HeaderMap, StatusCode, Version};
use tracing::{Span, error, record_all};

use super::{
    access_line::AccessLine,
    grpc::{self, Code},
    request_part,
};
use crate::{
    layer::opentelemetry_layer::rename,
    panic::{Panicked, Payload, caught_with},
    span_string,
};

/// A request that is being served or sent.
#[derive(Debug)]
pub(super) struct Exchange {
    side: ExchangeSide,
    is_grpc: bool,
    /// The outcome is recorded: nothing more will be.
    is_recorded: bool,
    /// `error.type` is recorded, and is kept: a 500 response whose body fails remains a 500.
    is_error: bool,
    /// The line about this request, if there is to be one. It is emitted when the exchange is dropped.
    line: Option<Box<AccessLine>>,
    /// The body of the response is seen here, and its bytes are counted.
    has_body: bool,
}

impl Exchange {
    pub(super) fn new(is_grpc: bool, side: ExchangeSide, line: Option<Box<AccessLine>>) -> Self {
        Exchange { side, is_grpc, is_recorded: false, is_error: false, line, has_body: true }
    }

    /// Says that the body of the response is not seen here.
    #[cfg(feature = "reqwest")]
    pub(super) fn without_body(mut self) -> Self {
        self.has_body = false;
        self
    }

    fn is_server(&self) -> bool {
        match self.side {
            #[cfg(feature = "http-server")]
            ExchangeSide::Server(_) => true,
            #[cfg(feature = "http-client")]
            ExchangeSide::Client(_) => false,
        }
    }

    fn span(&self) -> &Span {
        match &self.side {
            #[cfg(feature = "http-server")]
            ExchangeSide::Server(snapshot) => {
                static NONE: Span = Span::none();
                snapshot.span().unwrap_or(&NONE)
            }
            #[cfg(feature = "http-client")]
            ExchangeSide::Client(span) => span,
        }
    }

    /// Makes the context current and enters the span until the guard is dropped.
    pub(super) fn enter(&mut self) -> EnteredExchange<'_> {
        match &mut self.side {
            #[cfg(feature = "http-server")]
            ExchangeSide::Server(snapshot) => {
                snapshot.update();
                EnteredExchange::Server { _entered: snapshot.enter() }
            }
            #[cfg(feature = "http-client")]
            ExchangeSide::Client(span) => EnteredExchange::Client { _entered: span.enter() },
        }
    }

    /// Calls `f` within the context and the span. Records a panic and resumes it.
    pub(super) fn within<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let called = {
            let _inside = self.enter();
            caught_with(f)
        };
        called.unwrap_or_else(|payload| self.panicked(payload))
    }

    /// Returns `true` if gRPC's status is still expected.
    pub(super) fn awaits_trailers(&self) -> bool {
        self.is_grpc && !self.is_recorded
    }

    /// Records the start of the response.
    pub(super) fn responded(&mut self, status: StatusCode, version: Version, headers: &HeaderMap) {
        if self.is_grpc && self.is_server() && !grpc::is_grpc(headers) {
            // Any client can send gRPC's content type to any path. The response decides whether it is gRPC.
            self.is_grpc = false;
            rename(self.span(), "POST");
            if let Some(line) = &mut self.line {
                line.is_no_grpc();
            }
        }
        if let Some(line) = &mut self.line {
            line.responded(status, headers, !self.has_body);
        }
        if self.is_grpc {
            match Code::of(headers) {
                Some((code, message)) => self.grpc(code, message.as_deref()),
                None if status != StatusCode::OK => self.grpc(Code::of_http(status), None),
                None => {}
            }
            return;
        }
        // Many clients read only the status, so a dropped response body is not a cancellation.
        self.is_recorded = !self.is_server();
        if self.span().is_disabled() {
            return;
        }
        if !self.is_server() {
            // A server span has the version already; a client learns it from the response.
            record_all!(self.span(), network.protocol.version = request_part::version(version));
        }
        let code = i64::from(status.as_u16());
        // A status above 599 is invalid, and clients treat it as 5xx (RFC 9110, section 15).
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

    /// Counts bytes of the response's body.
    #[inline]
    pub(super) fn passed_on(&mut self, bytes: usize) {
        if let Some(line) = &mut self.line {
            line.passed_on(bytes);
        }
    }

    /// Records the trailers.
    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        if self.awaits_trailers()
            && let Some((code, message)) = Code::of(trailers)
        {
            self.grpc(code, message.as_deref());
        }
    }

    /// Records the end of the body.
    pub(super) fn ended(&mut self) {
        if self.awaits_trailers() {
            // A call without a status has an unknown outcome (gRPC over HTTP/2, "Responses").
            self.grpc(Code::UNKNOWN, None);
        }
        self.is_recorded = true;
    }

    fn grpc(&mut self, code: Code, message: Option<&str>) {
        self.is_recorded = true;
        if let Some(line) = &mut self.line {
            line.has_code(code);
        }
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

    /// Records a failure of the transport or the body.
    #[cold]
    pub(super) fn failed(&mut self, kind: &str, description: &str) {
        self.is_recorded = true;
        let description = span_string::cut(description);
        if let Some(line) = &mut self.line {
            line.failed(kind, description);
        }
        // A field that is recorded twice is exported twice.
        if std::mem::replace(&mut self.is_error, true) {
            record_all!(self.span(), otel.status_description = description);
        } else {
            record_all!(self.span(), error.type = kind, otel.status_description = description);
        }
    }

    /// Records a panic and resumes it.
    #[cold]
    fn panicked(&mut self, payload: Payload) -> ! {
        let panicked = Panicked::with(&payload);
        {
            let _entered = self.enter();
            // The OpenTelemetry layer exports this as an exception.
            error!(error = &panicked as &(dyn std::error::Error + 'static), "panicked");
        }
        self.failed("panic", &panicked.to_string());
        if let Some(line) = self.line.take() {
            self.log(line);
        }
        resume_unwind(payload)
    }

    /// Records that the request was dropped before its end, which is not an error.
    #[cold]
    pub(super) fn cancelled(&mut self) {
        if !self.is_recorded {
            self.is_recorded = true;
            if let Some(line) = &mut self.line {
                line.cancelled();
                if self.is_grpc {
                    line.has_code(Code::CANCELLED);
                }
            }
            if self.is_grpc {
                // Both ends report this status if the other one disconnects.
                record_all!(self.span(), cancelled = true, rpc.response.status_code = Code::CANCELLED.name());
            } else {
                record_all!(self.span(), cancelled = true);
            }
        }
    }
}

impl Exchange {
    /// Emits the line about the request within its context and its span.
    #[cold]
    fn log(&mut self, line: Box<AccessLine>) {
        let _inside = self.enter();
        line.emit();
    }
}

impl Drop for Exchange {
    #[inline]
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        if std::thread::panicking() {
            // A second panic, of an output, would abort the process.
            let _ = caught_with(|| self.log(line));
        } else {
            self.log(line);
        }
    }
}

/// The side of an exchange.
#[derive(Debug)]
pub(super) enum ExchangeSide {
    /// The server, with the request's context and span.
    #[cfg(feature = "http-server")]
    Server(crate::task::Snapshot),
    /// The client, with a span in the current context.
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
