//! Restoring context from an argument, and linking spans to it.

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use tracing::Span;

use crate::{
    layer::opentelemetry_layer::add_link,
    propagation::{self, Carrier, CarrierMut, Extracted, Trust, carriers::TraceOnly},
    task::{Carried, Snapshot},
};

/// A source of context: a carrier, or context that was restored or captured already.
pub struct Restore<'a, T: ?Sized>(pub &'a T);

/// The return type of a function pointer: the only way to name `!` outside of a return type.
pub trait Returns {
    type Value;
}

impl<T> Returns for fn() -> T {
    type Value = T;
}

/// Returns a snapshot of a context, without a `tracing` span around it.
fn restored(context: &Context) -> Snapshot {
    Snapshot::restored(context.clone())
}

/// Links a span to another.
fn link(span: &Span, to: Option<SpanContext>) {
    if let Some(to) = to {
        add_link(span, to);
    }
}

fn span_of(context: &Context) -> Option<SpanContext> {
    Some(context.span().span_context().clone()).filter(SpanContext::is_valid)
}

/// A value that is context already.
#[diagnostic::on_unimplemented(
    message = "context cannot be restored from `{Self}`",
    label = "neither a carrier nor captured context",
    note = "carriers are `HeaderMap`, `HashMap<String, String>` and other types that implement `ctx_layer::propagation::Carrier`"
)]
pub trait Restorable {
    fn to_snapshot(&self) -> Snapshot;

    /// Returns the span context to link to.
    fn to_span(&self) -> Option<SpanContext>;
}

impl Restorable for Context {
    fn to_snapshot(&self) -> Snapshot {
        restored(self)
    }

    fn to_span(&self) -> Option<SpanContext> {
        span_of(self)
    }
}

impl Restorable for SpanContext {
    fn to_snapshot(&self) -> Snapshot {
        restored(&Context::new().with_remote_span_context(self.clone()))
    }

    fn to_span(&self) -> Option<SpanContext> {
        Some(self.clone()).filter(SpanContext::is_valid)
    }
}

impl Restorable for Extracted {
    fn to_snapshot(&self) -> Snapshot {
        restored(self.context())
    }

    fn to_span(&self) -> Option<SpanContext> {
        self.remote().cloned()
    }
}

impl Restorable for Snapshot {
    fn to_snapshot(&self) -> Snapshot {
        self.clone()
    }

    fn to_span(&self) -> Option<SpanContext> {
        span_of(self.context())
    }
}

impl<T> Restorable for Carried<T> {
    fn to_snapshot(&self) -> Snapshot {
        self.snapshot().clone()
    }

    fn to_span(&self) -> Option<SpanContext> {
        span_of(self.snapshot().context())
    }
}

impl<T: Restorable + ?Sized> Restorable for &T {
    fn to_snapshot(&self) -> Snapshot {
        (**self).to_snapshot()
    }

    fn to_span(&self) -> Option<SpanContext> {
        (**self).to_span()
    }
}

impl<T: Restorable> Restorable for Option<T> {
    fn to_snapshot(&self) -> Snapshot {
        self.as_ref().map_or_else(Snapshot::isolated, T::to_snapshot)
    }

    fn to_span(&self) -> Option<SpanContext> {
        self.as_ref().and_then(T::to_span)
    }
}

/// The traits that select the source, best first.
pub(crate) mod forms {
    use super::*;

    /// Injects the current context into a carrier, owned or borrowed.
    pub trait InjectHere {
        fn inject_here(&mut self);
    }

    impl<T: CarrierMut + ?Sized> InjectHere for T {
        fn inject_here(&mut self) {
            propagation::inject(self);
        }
    }

    impl<T: CarrierMut + ?Sized> InjectHere for Option<&mut T> {
        fn inject_here(&mut self) {
            if let Some(carrier) = self {
                propagation::inject(*carrier);
            }
        }
    }

    /// Selects a carrier.
    pub trait FromCarrier {
        fn snapshot(&self, trust: Trust) -> Snapshot;
        fn link(&self, span: &Span);
    }

    impl<T: Carrier + ?Sized> FromCarrier for &&&&Restore<'_, T> {
        fn snapshot(&self, trust: Trust) -> Snapshot {
            restored(propagation::extract(self.0, trust).context())
        }

        fn link(&self, span: &Span) {
            let extracted = propagation::extract(&TraceOnly(self.0), Trust::external().link_only());
            super::link(span, extracted.remote().cloned());
        }
    }

    /// Selects an optional carrier.
    pub trait FromOptionalCarrier {
        fn snapshot(&self, trust: Trust) -> Snapshot;
        fn link(&self, span: &Span);
    }

    impl<T: Carrier> FromOptionalCarrier for &&&Restore<'_, Option<T>> {
        fn snapshot(&self, trust: Trust) -> Snapshot {
            match self.0 {
                Some(carrier) => (&&&&&Restore(carrier)).snapshot(trust),
                None => Snapshot::isolated(),
            }
        }

        fn link(&self, span: &Span) {
            if let Some(carrier) = self.0 {
                (&&&&&Restore(carrier)).link(span);
            }
        }
    }

    /// Selects a value that is context already. The trust was applied when that was extracted. If the value is neither that nor a
    /// carrier, the methods' bounds report it.
    pub trait FromContext {
        type From: ?Sized;

        fn snapshot(&self, _: Trust) -> Snapshot
        where
            Self::From: Restorable;

        fn link(&self, span: &Span)
        where
            Self::From: Restorable;
    }

    impl<T: ?Sized> FromContext for &&Restore<'_, T> {
        type From = T;

        fn snapshot(&self, _: Trust) -> Snapshot
        where
            T: Restorable,
        {
            self.0.to_snapshot()
        }

        fn link(&self, span: &Span)
        where
            T: Restorable,
        {
            super::link(span, self.0.to_span());
        }
    }
}
