//! How far context from outside is believed.

/// How far context that comes in is believed. Defaults to [`Trust::external`].
///
/// | | trace context | fields with `propagated` | other baggage |
/// |---|---|---|---|
/// | [`external`](Self::external) | continued, or only [linked](Self::link_only) | dropped | dropped |
/// | [`internal`](Self::internal) | continued, or only [linked](Self::link_only) | parsed, within their limits | passes, or is [dropped](Self::drop_unregistered) |
///
/// What a stranger could do otherwise stands with [`propagation`](crate::propagation#trust).
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
#[must_use = "it says how context is extracted, and does nothing by itself"]
pub struct Trust {
    is_internal: bool,
    links_only: bool,
    passes_unregistered: bool,
}

impl Trust {
    /// From anybody: trace context is continued, and no field and no baggage is believed.
    pub const fn external() -> Self {
        Trust { is_internal: false, links_only: false, passes_unregistered: false }
    }

    /// From one's own services: besides trace context, the registered fields with
    /// [`propagated`](crate::Policy::propagated) are read, and baggage under other keys passes through.
    ///
    /// Only for what strangers cannot reach, or where a proxy takes their `baggage` headers away.
    pub const fn internal() -> Self {
        Trust { is_internal: true, links_only: false, passes_unregistered: true }
    }

    /// Continues the caller's trace. The default.
    pub const fn continue_trace(mut self) -> Self {
        self.links_only = false;
        self
    }

    /// Starts a trace of its own, which [links](super::Extracted::remote) to the caller's.
    ///
    /// So a stranger decides neither on trace ids nor on what is recorded.
    pub const fn link_only(mut self) -> Self {
        self.links_only = true;
        self
    }

    /// Lets baggage under keys of no registered field pass through, to be read and sent on. The default where the
    /// caller is [internal](Self::internal); means nothing where it is external.
    pub const fn pass_unregistered(mut self) -> Self {
        self.passes_unregistered = true;
        self
    }

    /// Drops baggage under keys of no registered field.
    pub const fn drop_unregistered(mut self) -> Self {
        self.passes_unregistered = false;
        self
    }

    /// Whether registered fields are read.
    pub const fn is_internal(&self) -> bool {
        self.is_internal
    }

    /// Whether the caller's trace is only linked to.
    pub const fn links_only(&self) -> bool {
        self.links_only
    }

    /// Whether baggage under other keys passes through.
    pub const fn passes_unregistered(&self) -> bool {
        self.is_internal && self.passes_unregistered
    }
}

impl Default for Trust {
    fn default() -> Self {
        Trust::external()
    }
}
