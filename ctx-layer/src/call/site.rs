//! Where the spans and events of an annotated function come from.

use tracing::{
    Level, Metadata, Span,
    callsite::{DefaultCallsite, Identifier},
    field::{FieldSet, Value, ValueSet},
    level_filters::{LevelFilter, STATIC_MAX_LEVEL},
    metadata::Kind,
};

/// The values of a span or an event, in the order of its fields.
pub type Values<'a> = [Option<&'a (dyn Value + 'a)>];

/// Where a function stands in the source, and the target of all that it emits.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub target: &'static str,
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// The name of its events.
    pub event: &'static str,
}

/// The place where this stands.
#[macro_export]
#[doc(hidden)]
macro_rules! __place {
    ($target:expr) => {
        $crate::call::Place {
            target: $target,
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
            event: ::core::concat!("event ", ::core::file!(), ":", ::core::line!()),
        }
    };
}

/// An event's level and fields.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    level: Level,
    fields: &'static [&'static str],
}

impl Event {
    /// An event that is never asked for.
    pub const NONE: Self = Event { level: Level::TRACE, fields: &[] };

    /// The call, with its arguments.
    pub const fn called(level: Level, fields: &'static [&'static str]) -> Self {
        Event { level, fields }
    }

    /// What the function returned.
    pub const fn returned(level: Level) -> Self {
        Event { level, fields: &["message", "return", "elapsed_ms", "busy_ms"] }
    }

    /// What the function returned, as `#[tracing::instrument(ret)]` has it.
    pub const fn only_returned(level: Level) -> Self {
        Event { level, fields: &["return"] }
    }

    /// How many items a stream gave.
    pub const fn ended(level: Level) -> Self {
        Event { level, fields: &["message", "items", "elapsed_ms", "busy_ms"] }
    }

    /// The error with which it failed.
    pub const fn failed(level: Level) -> Self {
        Event { level, fields: &["message", "error", "elapsed_ms", "busy_ms"] }
    }

    /// The error with which it failed, as `#[tracing::instrument(err)]` has it.
    pub const fn only_failed(level: Level) -> Self {
        Event { level, fields: &["error"] }
    }
}

/// All callsites of a function. Those that nobody asks for cost a few bytes, and nothing at run time.
#[derive(Debug)]
pub struct Sites {
    pub span: Site,
    pub called: Site,
    pub returned: Site,
    pub failed: Site,
}

impl Sites {
    /// `this` is the `static` that this value becomes: callsites know their own address.
    pub const fn new(
        this: &'static Self,
        place: Place,
        (name, level, fields): (&'static str, Level, &'static [&'static str]),
        called: Event,
        returned: Event,
        failed: Event,
    ) -> Self {
        Sites {
            span: Site::new(&this.span, &place, name, level, fields, Kind::SPAN),
            called: Site::event(&this.called, &place, called),
            returned: Site::event(&this.returned, &place, returned),
            failed: Site::event(&this.failed, &place, failed),
        }
    }

    /// Returns `true` if it is worth to evaluate the span's values. Whether the span is enabled is then decided by
    /// [`ObservedCall::open`](super::ObservedCall::open). `level` is the span's.
    #[inline(always)]
    pub fn opens_span(&'static self, level: Level) -> bool {
        may_be_on(level) && (self.span.callsite.interest().is_always() || self.may_open_span(level))
    }

    #[inline(never)]
    fn may_open_span(&'static self, level: Level) -> bool {
        if self.span.is_kept_only() || !self.span.is_enabled() {
            return is_logged(level);
        }
        // The answers that per-layer filters keep now are not for what the user's code may log: they are replaced by those
        // about an event that all let through, if there is one.
        static ANY: Site = Site::any(&ANY);
        if let Some(site) = [&self.failed, &ANY].into_iter().find(|site| site.callsite.interest().is_always()) {
            tracing::dispatcher::get_default(|default| default.enabled(&site.metadata));
        }
        true
    }
}

/// A callsite and its metadata: what `tracing`'s macros make of a `span!` or an `event!`.
#[derive(Debug)]
pub struct Site {
    callsite: DefaultCallsite,
    metadata: Metadata<'static>,
}

impl Site {
    const fn new(
        this: &'static Self,
        place: &Place,
        name: &'static str,
        level: Level,
        fields: &'static [&'static str],
        kind: Kind,
    ) -> Self {
        Site {
            callsite: DefaultCallsite::new(&this.metadata),
            metadata: Metadata::new(
                name,
                place.target,
                level,
                Some(place.file),
                Some(place.line),
                Some(place.module),
                FieldSet::new(fields, Identifier(&this.callsite)),
                kind,
            ),
        }
    }

    const fn event(this: &'static Self, place: &Place, event: Event) -> Self {
        Site::new(this, place, place.event, event.level, event.fields, Kind::EVENT)
    }

    /// An event that is never emitted. `this` is the `static` that this value becomes.
    const fn any(this: &'static Self) -> Self {
        let fields = FieldSet::new(&[], Identifier(&this.callsite));
        Site {
            callsite: DefaultCallsite::new(&this.metadata),
            metadata: Metadata::new("any", "ctx_layer", Level::ERROR, None, None, None, fields, Kind::EVENT),
        }
    }

    /// Where spans of this crate's own come from. `this` is the `static` that this value becomes.
    ///
    /// They have no place in the source: `code.*` attributes would name a file of this crate, for every request.
    #[cfg(any(feature = "http-server", feature = "http-client"))]
    pub(crate) const fn span(
        this: &'static Self,
        target: &'static str,
        name: &'static str,
        level: Level,
        fields: &'static [&'static str],
    ) -> Self {
        let fields = FieldSet::new(fields, Identifier(&this.callsite));
        Site {
            callsite: DefaultCallsite::new(&this.metadata),
            metadata: Metadata::new(name, target, level, None, None, None, fields, Kind::SPAN),
        }
    }

    /// Returns `false` where this callsite is disabled until the filters change. Asking has no effect, as
    /// [`emit`](Self::emit) and [`ObservedCall::open`](super::ObservedCall::open) have, which decide. `level` is the callsite's: a
    /// constant costs nothing to compare.
    #[inline(always)]
    pub fn may_be_on(&'static self, level: Level) -> bool {
        may_be_on(level) && (!self.callsite.interest().is_never() || is_logged(level))
    }

    /// The same for a span whose values are looked at: not so where it is created only to carry fields.
    #[inline(always)]
    pub fn may_be_shown(&'static self, level: Level) -> bool {
        self.may_be_on(level) && !self.is_kept_only()
    }

    /// Returns `true` for a span that no output takes until the filters change, and that carries fields all the same.
    #[inline]
    pub(super) fn is_kept_only(&'static self) -> bool {
        self.callsite.interest().is_sometimes() && crate::layer::is_kept_only(&self.metadata)
    }

    /// Asks the subscriber. Where that says yes, the span or event has to follow at once, before any code that is not
    /// ours runs on this thread: per-layer filters keep their answers for the next span or event, whichever it is.
    /// (tokio-rs/tracing#2519)
    #[inline]
    pub(super) fn is_enabled(&'static self) -> bool {
        let interest = self.callsite.interest();
        !interest.is_never()
            && (interest.is_always() || tracing::dispatcher::get_default(|default| default.enabled(&self.metadata)))
    }

    /// Returns `true` if every output of the current subscriber takes what comes from here, always.
    #[cold]
    pub(super) fn is_on_everywhere(&'static self) -> bool {
        // The callsite's own interest is that of all subscribers of the process together.
        self.callsite.interest().is_always()
            || tracing::dispatcher::get_default(|default| default.register_callsite(&self.metadata)).is_always()
    }

    pub(super) fn metadata(&'static self) -> &'static Metadata<'static> {
        &self.metadata
    }

    #[inline(always)]
    pub(super) fn with_values<R>(&'static self, values: &Values<'_>, f: impl FnOnce(&ValueSet<'_>) -> R) -> R {
        f(&self.metadata.fields().value_set_all(values))
    }

    /// Creates a span from here, if it is enabled.
    #[cfg(feature = "http-client")]
    pub(crate) fn open(&'static self, values: &Values<'_>) -> Span {
        self.with_values(values, |values| {
            if self.is_enabled() { Span::new(&self.metadata, values) } else { self.disabled(values) }
        })
    }

    /// Creates a span from here, if it is enabled, [whole](crate::layer::open), where the current fields are known.
    #[cfg(feature = "http-server")]
    pub(crate) fn open_whole<'v>(
        &'static self,
        values: &mut crate::layer::WithRoom<'v>,
        fields: &'v crate::Fields,
    ) -> Span {
        if self.is_enabled() {
            crate::layer::open(&self.metadata, values, fields)
        } else {
            self.with_values(self.own(values), |values| self.disabled(values))
        }
    }

    /// Creates a span from here that has no parent, if it is enabled.
    #[cfg(feature = "http-server")]
    pub(crate) fn open_root(&'static self, values: &crate::layer::WithRoom<'_>) -> Span {
        self.with_values(self.own(values), |values| {
            if self.is_enabled() { Span::new_root(&self.metadata, values) } else { self.disabled(values) }
        })
    }

    /// Values without the room behind them.
    #[cfg(feature = "http-server")]
    fn own<'a, 'v>(&self, values: &'a crate::layer::WithRoom<'v>) -> &'a Values<'v> {
        &values[..self.metadata.fields().len().min(values.len())]
    }

    /// The span that is not enabled. With `tracing`'s feature `log` it goes to the `log` crate.
    #[inline(never)]
    pub(super) fn disabled(&'static self, values: &ValueSet<'_>) -> Span {
        if !is_logged(*self.metadata.level()) {
            return Span::none();
        }
        let span = Span::new_disabled(&self.metadata);
        span.record_all(values);
        span
    }

    /// Emits an event from here, if it is enabled here and now. Returns `true` if it was.
    pub fn emit(&'static self, values: &Values<'_>) -> bool {
        let values = self.metadata.fields().value_set_all(values);
        let is_enabled = self.is_enabled();
        if is_enabled {
            tracing::Event::dispatch(&self.metadata, &values);
        }
        #[allow(unused_imports, reason = "only `tracing`'s feature `log` needs it")]
        use tracing::Callsite as _;
        tracing::__tracing_log!(*self.metadata.level(), self.callsite, &values);
        is_enabled || is_logged(*self.metadata.level())
    }

    pub(super) fn level(&self) -> Level {
        *self.metadata.level()
    }

    /// Whether nobody asks for the event: it has no place for a value.
    pub(super) fn is_empty(&self) -> bool {
        self.metadata.fields().is_empty()
    }

    /// Whether the event has all of its fields, or is as `#[tracing::instrument]` has it.
    pub(super) fn is_full(&self) -> bool {
        self.metadata.fields().len() > 1
    }
}

/// Returns `true` if something of this level may be enabled.
#[inline(always)]
fn may_be_on(level: Level) -> bool {
    level <= STATIC_MAX_LEVEL && level <= LevelFilter::current() || is_logged(level)
}

/// Whether `tracing` passes on to the `log` crate what no subscriber takes: its feature `log` does.
#[inline(always)]
fn is_logged(_level: Level) -> bool {
    tracing::if_log_enabled! { _level, { true } else { false } }
}
