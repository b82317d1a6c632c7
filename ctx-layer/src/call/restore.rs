//! Context that is restored from an argument, and spans that are linked to it.

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use tracing::Span;

use crate::{
    context::ContextFieldsExt,
    field::Fields,
    propagation::{self, Carrier, CarrierMut, Extracted, Trust},
    task::{Carried, Snapshot},
};

/// What context is restored from: a carrier, or context that was restored or captured already.
pub struct Restore<'a, T: ?Sized>(pub &'a T);

/// What a function returns: the one way to write `!` where it is not returned.
pub trait Returns {
    type Value;
}

impl<T> Returns for fn() -> T {
    type Value = T;
}

/// The fields of a snapshot.
pub fn fields_of(snapshot: &Snapshot) -> Fields {
    snapshot.context().fields().clone()
}

/// A context, and no `tracing` span around it.
fn restored(context: &Context) -> Snapshot {
    Snapshot::restored(context.clone())
}

/// Links a span to another.
fn link(span: &Span, to: Option<SpanContext>) {
    #[cfg(feature = "tracing-opentelemetry")]
    if let Some(to) = to {
        tracing_opentelemetry::OpenTelemetrySpanExt::add_link(span, to);
    }
    #[cfg(not(feature = "tracing-opentelemetry"))]
    let _ = (span, to);
}

fn span_of(context: &Context) -> Option<SpanContext> {
    Some(context.span().span_context().clone()).filter(SpanContext::is_valid)
}

/// The ways, best first.
pub mod forms {
    use super::*;

    /// Writes to a carrier, whether it is lent or is there.
    pub trait InjectHere {
        fn inject_here(&mut self);
    }

    impl<T: CarrierMut + ?Sized> InjectHere for T {
        fn inject_here(&mut self) {
            propagation::inject(self);
        }
    }

    /// From a carrier.
    pub trait FromCarrier {
        fn snapshot(&self, trust: Trust) -> Snapshot;
        fn link(&self, span: &Span);
    }

    impl<T: Carrier + ?Sized> FromCarrier for &&&&Restore<'_, T> {
        fn snapshot(&self, trust: Trust) -> Snapshot {
            restored(propagation::extract(self.0, trust).context())
        }

        fn link(&self, span: &Span) {
            super::link(span, propagation::extract(self.0, Trust::external().link_only()).remote().cloned());
        }
    }

    /// From a carrier that was lent to be written to.
    pub trait FromMutableCarrier {
        fn snapshot(&self, trust: Trust) -> Snapshot;
    }

    impl<T: Carrier + ?Sized> FromMutableCarrier for &&&Restore<'_, &mut T> {
        fn snapshot(&self, trust: Trust) -> Snapshot {
            (&&&&&Restore(&**self.0)).snapshot(trust)
        }
    }

    /// From a carrier, if there is one.
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

    /// From what is context already. It was believed, or not, when it was made.
    pub trait FromContext {
        fn snapshot(&self, _: Trust) -> Snapshot;
        fn link(&self, span: &Span);
    }

    impl FromContext for &&Restore<'_, Context> {
        fn snapshot(&self, _: Trust) -> Snapshot {
            restored(self.0)
        }

        fn link(&self, span: &Span) {
            super::link(span, span_of(self.0));
        }
    }

    impl FromContext for &&Restore<'_, Extracted> {
        fn snapshot(&self, _: Trust) -> Snapshot {
            restored(self.0.context())
        }

        fn link(&self, span: &Span) {
            super::link(span, self.0.remote().cloned());
        }
    }

    impl FromContext for &&Restore<'_, Snapshot> {
        fn snapshot(&self, _: Trust) -> Snapshot {
            self.0.clone()
        }

        fn link(&self, span: &Span) {
            super::link(span, span_of(self.0.context()));
        }
    }

    impl<T> FromContext for &&Restore<'_, Carried<T>> {
        fn snapshot(&self, _: Trust) -> Snapshot {
            self.0.snapshot().clone()
        }

        fn link(&self, span: &Span) {
            super::link(span, span_of(self.0.snapshot().context()));
        }
    }

    /// From a reference to such.
    pub trait FromReference {
        fn snapshot(&self, trust: Trust) -> Snapshot;
        fn link(&self, span: &Span);
    }

    impl<'a, 'b, T: ?Sized> FromReference for &Restore<'a, &'b T>
    where
        for<'c, 'd, 'e> &'c &'d Restore<'e, T>: FromContext,
    {
        fn snapshot(&self, trust: Trust) -> Snapshot {
            (&&Restore(*self.0)).snapshot(trust)
        }

        fn link(&self, span: &Span) {
            (&&Restore(*self.0)).link(span);
        }
    }
}
