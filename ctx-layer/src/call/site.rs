//! The callsites of the spans and events of an annotated function.

use tracing::{
    Level, Metadata, Span,
    callsite::{DefaultCallsite, Identifier},
    field::{FieldSet, Value, ValueSet},
    level_filters::{LevelFilter, STATIC_MAX_LEVEL},
    metadata::Kind,
};

/// The values of a span or an event, in the order of its fields.
pub type Values<'a> = [Option<&'a (dyn Value + 'a)>];

/// The place of a function in the source, and the target of all its spans and events.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub target: &'static str,
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// The name of the function's events.
    pub event: &'static str,
}

/// Returns the place where the macro is invoked.
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
    /// An event that is never emitted.
    pub const NONE: Self = Event { level: Level::TRACE, fields: &[] };

    /// Returns the event of the call, with its arguments.
    pub const fn called(level: Level, fields: &'static [&'static str]) -> Self {
        Event { level, fields }
    }

    /// Returns the event of the result.
    pub const fn returned(level: Level) -> Self {
        Event { level, fields: &["message", "return", "elapsed_ms", "busy_ms"] }
    }

    /// Returns the event of the result, with the fields of `#[tracing::instrument(ret)]`.
    pub const fn only_returned(level: Level) -> Self {
        Event { level, fields: &["return"] }
    }

    /// Returns the event of the end of a stream, with the number of items.
    pub const fn ended(level: Level) -> Self {
        Event { level, fields: &["message", "items", "elapsed_ms", "busy_ms"] }
    }

    /// Returns the event of the error.
    pub const fn failed(level: Level) -> Self {
        Event { level, fields: &["message", "error", "elapsed_ms", "busy_ms"] }
    }

    /// Returns the event of the error, with the fields of `#[tracing::instrument(err)]`.
    pub const fn only_failed(level: Level) -> Self {
        Event { level, fields: &["error"] }
    }
}

/// All callsites of a function. Those that are never used cost a few bytes, and nothing at run time.
#[derive(Debug)]
pub struct Sites {
    pub span: Site,
    pub called: Site,
    pub returned: Site,
    pub failed: Site,
}

impl Sites {
    /// Creates the callsites. `this` is the `static` that this value becomes: callsites know their own address.
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

    /// Returns `true` if the span's values should be evaluated. [`ObservedCall::open`](super::ObservedCall::open) then decides
    /// whether the span is enabled. `level` is the span's.
    #[inline(always)]
    pub fn opens_span(&'static self, level: Level) -> bool {
        may_be_on(level) && (self.span.callsite.interest().is_always() || self.may_open_span(level))
    }

    #[inline(never)]
    fn may_open_span(&'static self, level: Level) -> bool {
        if self.span.is_kept_only() || !self.span.is_enabled() {
            return is_logged(level);
        }
        // The answers that per-layer filters keep now do not apply to events of the user's code. They are replaced by those for
        // an event that all filters enable, if there is one.
        static ANY: Site = Site::any(&ANY);
        if let Some(site) = [&self.failed, &ANY].into_iter().find(|site| site.callsite.interest().is_always()) {
            tracing::dispatcher::get_default(|default| default.enabled(&site.metadata));
        }
        true
    }
}

/// A callsite and its metadata, as `tracing`'s macros create them for a `span!` or an `event!`.
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

    /// Creates an event that is never emitted. `this` is the `static` that this value becomes.
    const fn any(this: &'static Self) -> Self {
        let fields = FieldSet::new(&[], Identifier(&this.callsite));
        Site {
            callsite: DefaultCallsite::new(&this.metadata),
            metadata: Metadata::new("any", "ctx_layer", Level::ERROR, None, None, None, fields, Kind::EVENT),
        }
    }

    /// Creates the callsite of this crate's own spans. `this` is the `static` that this value becomes.
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

    /// Returns `true` unless this callsite is disabled until the filters change. Has no effect on filters, unlike
    /// [`emit`](Self::emit) and [`ObservedCall::open`](super::ObservedCall::open), which decide. `level` is the callsite's: a
    /// constant costs nothing to compare.
    #[inline(always)]
    pub fn may_be_on(&'static self, level: Level) -> bool {
        may_be_on(level) && (!self.callsite.interest().is_never() || is_logged(level))
    }

    /// Returns `true` if a span's values may be shown. `false` for a span that is created only to carry fields.
    #[inline(always)]
    pub fn may_be_shown(&'static self, level: Level) -> bool {
        self.may_be_on(level) && !self.is_kept_only()
    }

    /// Returns `true` for a span that no output enables until the filters change, and that carries fields nonetheless.
    #[inline]
    pub(super) fn is_kept_only(&'static self) -> bool {
        self.callsite.interest().is_sometimes() && crate::layer::is_kept_only(&self.metadata)
    }

    /// Asks the subscriber. If the answer is `true`, the span or event has to follow at once, before other code runs on this
    /// thread: per-layer filters keep their answers for the next span or event, whichever it is. (tokio-rs/tracing#2519)
    #[inline]
    pub(super) fn is_enabled(&'static self) -> bool {
        let interest = self.callsite.interest();
        !interest.is_never()
            && (interest.is_always() || tracing::dispatcher::get_default(|default| default.enabled(&self.metadata)))
    }

    /// Returns `true` if every output of the current subscriber always enables this callsite.
    #[cold]
    pub(super) fn is_on_everywhere(&'static self) -> bool {
        // The callsite's own interest combines all subscribers of the process.
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

    /// Creates a span from this callsite, if it is enabled.
    #[cfg(feature = "http-client")]
    pub(crate) fn open(&'static self, values: &Values<'_>) -> Span {
        self.with_values(values, |values| {
            if self.is_enabled() { Span::new(&self.metadata, values) } else { self.disabled(values) }
        })
    }

    /// Creates a span from this callsite [with all its values](crate::layer::open), if it is enabled and the current fields are
    /// known.
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

    /// Creates a root span from this callsite, if it is enabled.
    #[cfg(feature = "http-server")]
    pub(crate) fn open_root(&'static self, values: &crate::layer::WithRoom<'_>) -> Span {
        self.with_values(self.own(values), |values| {
            if self.is_enabled() { Span::new_root(&self.metadata, values) } else { self.disabled(values) }
        })
    }

    /// Returns the values without the room behind them.
    #[cfg(feature = "http-server")]
    fn own<'a, 'v>(&self, values: &'a crate::layer::WithRoom<'v>) -> &'a Values<'v> {
        &values[..self.metadata.fields().len().min(values.len())]
    }

    /// Creates the span if it is disabled. With `tracing`'s feature `log` it goes to the `log` crate.
    #[inline(never)]
    pub(super) fn disabled(&'static self, values: &ValueSet<'_>) -> Span {
        if !is_logged(*self.metadata.level()) {
            return Span::none();
        }
        let span = Span::new_disabled(&self.metadata);
        span.record_all(values);
        span
    }

    /// Emits an event from this callsite, if it is enabled. Returns `true` if it was.
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

    /// Returns `true` if the event is never emitted: it has no fields.
    pub(super) fn is_empty(&self) -> bool {
        self.metadata.fields().is_empty()
    }

    /// Returns `true` if the event has all of its fields, and `false` if it has those of `#[tracing::instrument]`.
    pub(super) fn is_full(&self) -> bool {
        self.metadata.fields().len() > 1
    }
}

/// Returns `true` if a span or event of this level may be enabled.
#[inline(always)]
fn may_be_on(level: Level) -> bool {
    level <= STATIC_MAX_LEVEL && level <= LevelFilter::current() || is_logged(level)
}

/// Returns `true` if `tracing` passes disabled spans and events on to the `log` crate, which its feature `log` does.
#[inline(always)]
fn is_logged(_level: Level) -> bool {
    tracing::if_log_enabled! { _level, { true } else { false } }
}
