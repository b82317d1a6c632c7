#![allow(unreachable_pub)]
use ctx_layer::context::*;
use ctx_layer::*;
pub trait A: Sized {
    fn replace(self) -> FieldsGuard;
    fn replace_in_scope<R>(self, f: impl FnOnce() -> R) -> R;
}
impl A for Fields {
    fn replace(self) -> FieldsGuard {
        self.attach()
    }
    fn replace_in_scope<R>(self, f: impl FnOnce() -> R) -> R {
        self.in_scope(f)
    }
}
pub trait B {
    fn record_on(&'static self, s: &tracing::Span, v: String) -> bool;
}
impl B for ContextField<String> {
    fn record_on(&'static self, s: &tracing::Span, v: String) -> bool {
        s.in_scope(|| self.record(v))
    }
}
pub trait C: std::future::Future + Sized {
    fn replace_fields(self, f: Fields) -> WithFields<Self> {
        self.with_fields(f)
    }
}
impl<F: std::future::Future> C for F {}
