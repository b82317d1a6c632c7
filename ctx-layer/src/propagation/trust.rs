//! How far inbound context is trusted.

/// How far inbound context is trusted. Defaults to [`Trust::external`].
///
/// | | trace context | fields with `propagated` | other baggage |
/// |---|---|---|---|
/// | [`external`](Self::external) | continued, or only [linked](Self::link_only) | dropped | dropped |
/// | [`internal`](Self::internal) | continued, or only [linked](Self::link_only) | parsed, within their limits | passes, or is [dropped](Self::drop_unregistered) |
///
/// See [`propagation`](crate::propagation#trust) for the attacks this prevents.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::propagation::{self, Trust};
///
/// let request = HashMap::from([
///     ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
/// ]);
/// assert!(propagation::extract(&request, Trust::external()).is_continued());
/// assert!(!propagation::extract(&request, Trust::external().link_only()).is_continued());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a trust policy does nothing until context is extracted with it"]
pub struct Trust {
    is_internal: bool,
    links_only: bool,
    passes_unregistered: bool,
}

impl Trust {
    /// Trusts trace context only: no field and no baggage is read. For any caller.
    pub const fn external() -> Self {
        Trust { is_internal: false, links_only: false, passes_unregistered: false }
    }

    /// Trusts an internal caller: the registered fields with [`propagated`](crate::Policy::propagated) are read, and
    /// baggage under other keys passes through.
    ///
    /// Use it only where external callers cannot connect, or where a proxy removes their `baggage` headers.
    pub const fn internal() -> Self {
        Trust { is_internal: true, links_only: false, passes_unregistered: true }
    }

    /// Continues the caller's trace. The default.
    pub const fn continue_trace(mut self) -> Self {
        self.links_only = false;
        self
    }

    /// Starts a new trace, which [links](super::Extracted::remote) to the caller's.
    ///
    /// An external caller then determines neither trace ids nor what is recorded.
    pub const fn link_only(mut self) -> Self {
        self.links_only = true;
        self
    }

    /// Passes unregistered baggage through, to be read and sent on. The default for [internal](Self::internal) callers;
    /// has no effect for external ones.
    pub const fn pass_unregistered(mut self) -> Self {
        self.passes_unregistered = true;
        self
    }

    /// Drops unregistered baggage.
    pub const fn drop_unregistered(mut self) -> Self {
        self.passes_unregistered = false;
        self
    }

    /// Returns `true` if registered fields are read.
    pub const fn is_internal(&self) -> bool {
        self.is_internal
    }

    /// Returns `true` if the caller's trace is only linked to.
    pub const fn links_only(&self) -> bool {
        self.links_only
    }

    /// Returns `true` if unregistered baggage passes through.
    pub const fn passes_unregistered(&self) -> bool {
        self.is_internal && self.passes_unregistered
    }
}

impl Default for Trust {
    fn default() -> Self {
        Trust::external()
    }
}
