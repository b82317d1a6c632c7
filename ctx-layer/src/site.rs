//! A callsite of this crate, and the rules of `tracing`'s macros for using one.

use tracing::{
    Level, Metadata, Span,
    callsite::{DefaultCallsite, Identifier},
    field::{FieldSet, Value, ValueSet},
    level_filters::{LevelFilter, STATIC_MAX_LEVEL},
    metadata::Kind,
    subscriber::Interest,
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
        $crate::__private::Place {
            target: $target,
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
            event: ::core::concat!("event ", ::core::file!(), ":", ::core::line!()),
        }
    };
}

/// A callsite and its metadata, as `tracing`'s macros create them for a `span!` or an `event!`.
#[derive(Debug)]
pub struct Site {
    callsite: DefaultCallsite,
    metadata: Metadata<'static>,
}

impl Site {
    /// Creates a callsite at a place in the user's code. `this` is the `static` that this value becomes, or is part of.
    pub(crate) const fn new(
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

    /// Creates an event that is never emitted. `this` is the `static` that this value becomes.
    pub(crate) const fn any(this: &'static Self) -> Self {
        let fields = FieldSet::new(&[], Identifier(&this.callsite));
        Site {
            callsite: DefaultCallsite::new(&this.metadata),
            metadata: Metadata::new("any", "ctx_layer", Level::ERROR, None, None, None, fields, Kind::EVENT),
        }
    }

    /// Creates the callsite of this crate's own spans. `this` is the `static` that this value becomes.
    ///
    /// They have no place in the source: `code.*` attributes would name a file of this crate, for every request.
    #[cfg(feature = "_spans")]
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

    /// Creates the callsite of this crate's own events. `this` is the `static` that this value becomes. Like its spans, they have no
    /// place in the source.
    #[cfg(any(feature = "http-server", feature = "http-client"))]
    pub(crate) const fn event_of_crate(
        this: &'static Self,
        target: &'static str,
        name: &'static str,
        level: Level,
        fields: &'static [&'static str],
    ) -> Self {
        let fields = FieldSet::new(fields, Identifier(&this.callsite));
        Site {
            callsite: DefaultCallsite::new(&this.metadata),
            metadata: Metadata::new(name, target, level, None, None, None, fields, Kind::EVENT),
        }
    }

    /// Returns `true` unless this callsite is disabled until the filters change. Has no effect on filters, unlike
    /// [`emit`](Self::emit) and [`ObservedCall::open`](crate::observe::ObservedCall::open), which decide. `level` is the callsite's: a
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
    pub(crate) fn is_kept_only(&'static self) -> bool {
        self.callsite.interest().is_sometimes() && crate::layer::is_kept_only(&self.metadata)
    }

    /// Asks the subscriber. If the answer is `true`, the span or event has to follow at once, before other code runs on this
    /// thread: per-layer filters keep their answers for the next span or event, whichever it is. (tokio-rs/tracing#2519)
    #[inline]
    pub(crate) fn is_enabled(&'static self) -> bool {
        let interest = self.callsite.interest();
        !interest.is_never()
            && (interest.is_always() || tracing::dispatcher::get_default(|default| default.enabled(&self.metadata)))
    }

    /// Returns `true` if every output of the current subscriber always enables this callsite.
    #[cold]
    pub(crate) fn is_on_everywhere(&'static self) -> bool {
        // The callsite's own interest combines all subscribers of the process.
        self.callsite.interest().is_always()
            || tracing::dispatcher::get_default(|default| default.register_callsite(&self.metadata)).is_always()
    }

    #[inline(always)]
    pub(crate) fn interest(&'static self) -> Interest {
        self.callsite.interest()
    }

    pub(crate) fn metadata(&'static self) -> &'static Metadata<'static> {
        &self.metadata
    }

    #[inline(always)]
    pub(crate) fn with_values<R>(&'static self, values: &Values<'_>, f: impl FnOnce(&ValueSet<'_>) -> R) -> R {
        f(&self.metadata.fields().value_set_all(values))
    }

    /// Creates a span from this callsite, if it is enabled.
    #[cfg(any(feature = "database", feature = "http-client", feature = "messaging"))]
    pub(crate) fn open(&'static self, values: &Values<'_>) -> Span {
        self.with_values(values, |values| {
            if self.is_enabled() { Span::new(&self.metadata, values) } else { self.disabled(values) }
        })
    }

    /// Creates a span from this callsite [with all its values](crate::layer::open), if it is enabled and the current fields are
    /// known.
    #[cfg(feature = "_received")]
    fn open_whole<'v>(&'static self, values: &mut crate::layer::WithRoom<'v>, fields: &'v crate::Fields) -> Span {
        if self.is_enabled() {
            crate::layer::open(&self.metadata, values, fields)
        } else {
            self.with_values(self.own(values), |values| self.disabled(values))
        }
    }

    /// Creates a span in a received context, which is current. Its parent is the caller's span. A span that happens to be entered
    /// where the request or message is received is ignored.
    #[cfg(feature = "_received")]
    pub(crate) fn open_received<'v>(
        &'static self,
        values: &mut crate::layer::WithRoom<'v>,
        fields: &'v crate::Fields,
    ) -> Span {
        if tracing::dispatcher::get_default(|dispatch| dispatch.current_span().id().is_some()) {
            self.open_apart(values)
        } else {
            self.open_whole(values, fields)
        }
    }

    /// Creates a root span. Exported, its parent is the span in the current context.
    #[cfg(feature = "_received")]
    #[cold]
    fn open_apart(&'static self, values: &crate::layer::WithRoom<'_>) -> Span {
        let span = self.open_root(values);
        crate::layer::opentelemetry_layer::set_current_as_parent(&span);
        span
    }

    /// Creates a root span from this callsite, if it is enabled.
    #[cfg(feature = "_received")]
    fn open_root(&'static self, values: &crate::layer::WithRoom<'_>) -> Span {
        self.with_values(self.own(values), |values| {
            if self.is_enabled() { Span::new_root(&self.metadata, values) } else { self.disabled(values) }
        })
    }

    /// Returns the values without the room behind them.
    #[cfg(feature = "_received")]
    fn own<'a, 'v>(&self, values: &'a crate::layer::WithRoom<'v>) -> &'a Values<'v> {
        &values[..self.metadata.fields().len().min(values.len())]
    }

    /// Creates the span if it is disabled. With `tracing`'s feature `log` it goes to the `log` crate.
    #[inline(never)]
    pub(crate) fn disabled(&'static self, values: &ValueSet<'_>) -> Span {
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

    pub(crate) fn level(&self) -> Level {
        *self.metadata.level()
    }

    /// Returns `true` if the event is never emitted: it has no fields.
    pub(crate) fn is_empty(&self) -> bool {
        self.metadata.fields().is_empty()
    }

    /// Returns `true` if the event has all of its fields, and `false` if it has those of `#[tracing::instrument]`.
    pub(crate) fn is_full(&self) -> bool {
        self.metadata.fields().len() > 1
    }
}

/// Returns `true` if a span or event of this level may be enabled.
#[inline(always)]
pub(crate) fn may_be_on(level: Level) -> bool {
    level <= STATIC_MAX_LEVEL && level <= LevelFilter::current() || is_logged(level)
}

/// Returns `true` if `tracing` passes disabled spans and events on to the `log` crate, which its feature `log` does.
#[inline(always)]
pub(crate) fn is_logged(_level: Level) -> bool {
    tracing::if_log_enabled! { _level, { true } else { false } }
}
