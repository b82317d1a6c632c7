//! A request that is being served or made: its span, its context, and how it ends.

use std::panic::resume_unwind;

use http::{HeaderMap, StatusCode, Version};
use opentelemetry::{Context, baggage::BaggageExt, trace::TraceContextExt};
use tracing::{Span, error, record_all, span::Entered};

use super::{
    grpc::{self, Code},
    text,
};
use crate::{
    context::{Attached, ContextFieldsExt, active_ids, address_alone, attach, late, read},
    panic::{Panicked, Payload, caught_with},
};

/// On which side of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    #[cfg(feature = "http-server")]
    Server,
    #[cfg(feature = "http-client")]
    Client,
}

impl Side {
    fn is_server(self) -> bool {
        match self {
            #[cfg(feature = "http-server")]
            Side::Server => true,
            #[cfg(feature = "http-client")]
            Side::Client => false,
        }
    }
}

/// A request that is being served or made.
#[derive(Debug)]
pub(super) struct Exchange {
    /// What is in force for it where the span does not see to that: servers only.
    cx: Option<Context>,
    span: Span,
    side: Side,
    is_grpc: bool,
    /// Whether entering the span puts the context in force; `None` as long as it was not entered.
    is_activated: Option<bool>,
    /// Nothing more is to be recorded.
    is_known: bool,
    /// `error.type` is recorded: a response of 500 whose body fails is still one of 500.
    is_error: bool,
}

impl Exchange {
    pub(super) fn new(side: Side, is_grpc: bool, span: Span, cx: Option<Context>) -> Self {
        Exchange { cx, span, side, is_grpc, is_activated: None, is_known: false, is_error: false }
    }

    /// Puts the context in force and enters the span, until the guard is dropped.
    pub(super) fn enter(&mut self) -> InForce<'_> {
        let Some(cx) = &self.cx else { return InForce { _over: None, _entered: self.span.enter(), _under: None } };
        let may_activate = self.is_activated.unwrap_or(!self.span.is_disabled()) && is_enough_to_enter(cx);
        let under = if may_activate { None } else { Some(attach(cx.clone())) };
        let entered = self.span.enter();
        let mut over = None;
        if may_activate && self.is_activated.is_none() {
            // Only now can it be told. Attached over what entering did it is as good as below, and leaves nothing entered twice.
            let is_activated = is_activated(cx);
            self.is_activated = Some(is_activated);
            if !is_activated {
                over = Some(attach(cx.clone()));
            }
        }
        InForce { _over: over, _entered: entered, _under: under }
    }

    /// Calls `f` within the context and the span. A panic is recorded, and goes on.
    pub(super) fn within<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let called = {
            let _in_force = self.enter();
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
        if self.is_grpc && self.side.is_server() && !grpc::is_grpc(headers) {
            // Anybody can send gRPC's content type to what is none, under any path: what answers says what it is.
            self.is_grpc = false;
            rename(&self.span, "POST");
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
        self.is_known = !self.side.is_server();
        if self.span.is_disabled() {
            return;
        }
        if !self.side.is_server() {
            // What was spoken is not known before: a request that is told nothing says 1.1.
            record_all!(self.span, network.protocol.version = text::version(version));
        }
        let code = i64::from(status.as_u16());
        // What is above 599 is no status: clients take it for 5xx (RFC 9110, section 15).
        let is_error = status.as_u16() >= 500 || (status.is_client_error() && !self.side.is_server());
        if is_error {
            self.is_error = true;
            record_all!(
                self.span,
                http.response.status_code = code,
                error.type = status.as_str(),
                otel.status_code = "ERROR"
            );
        } else {
            record_all!(self.span, http.response.status_code = code);
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
        if self.span.is_disabled() {
            return;
        }
        let is_error = if self.side.is_server() { code.is_server_error() } else { !code.is_ok() };
        self.is_error |= is_error;
        let name = code.name();
        if !is_error {
            record_all!(self.span, rpc.response.status_code = name);
        } else if let Some(message) = message {
            record_all!(
                self.span,
                rpc.response.status_code = name,
                error.type = name,
                otel.status_description = message
            );
        } else {
            record_all!(
                self.span,
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
        let description = text::cut(description);
        // Recorded twice, a field is exported twice.
        if std::mem::replace(&mut self.is_error, true) {
            record_all!(self.span, otel.status_description = description);
        } else {
            record_all!(self.span, error.type = kind, otel.status_description = description);
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
                record_all!(self.span, cancelled = true, rpc.response.status_code = Code::CANCELLED.name());
            } else {
                record_all!(self.span, cancelled = true);
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

/// Whether entering the span has put a context in force that was made from `cx`: an OpenTelemetry layer does. Then it will
/// do so whenever the span is entered.
fn is_activated(cx: &Context) -> bool {
    read(|now| {
        let now_span = now.span();
        let now_span = now_span.span_context();
        let is_of_trace = if now_span.is_valid() {
            !now_span.is_remote() && active_ids(cx).is_none_or(|(trace_id, _)| trace_id == now_span.trace_id())
        } else {
            // A provider that was shut down gives such spans. By the fields alone it is told that it is of this request.
            now.has_active_span() && !cx.fields().is_blank()
        };
        is_of_trace && now.fields().is_same(cx.fields()) && now.baggage().len() == cx.baggage().len()
    })
    .unwrap_or(false)
}

/// Whether nothing but what is in `cx` is in force once its span is entered: a span without fields leaves those in force that
/// it finds.
fn is_enough_to_enter(cx: &Context) -> bool {
    !cx.fields().is_blank() || !late::is_any() && read(address_alone) == Some(0)
}

/// Keeps a request's context and span in force.
pub(super) struct InForce<'a> {
    // What is put in force last is left first.
    _over: Option<Attached>,
    _entered: Entered<'a>,
    _under: Option<Attached>,
}
