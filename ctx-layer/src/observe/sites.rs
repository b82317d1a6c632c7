//! All callsites of an annotated function.

use tracing::{Level, metadata::Kind};

use crate::site::{Place, Site, is_logged, may_be_on};

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
            called: event_site(&this.called, &place, called),
            returned: event_site(&this.returned, &place, returned),
            failed: event_site(&this.failed, &place, failed),
        }
    }

    /// Returns `true` if the span's values should be evaluated. [`ObservedCall::open`](super::ObservedCall::open) then decides
    /// whether the span is enabled. `level` is the span's.
    #[inline(always)]
    pub fn opens_span(&'static self, level: Level) -> bool {
        may_be_on(level) && (self.span.interest().is_always() || self.may_open_span(level))
    }

    #[inline(never)]
    fn may_open_span(&'static self, level: Level) -> bool {
        if self.span.is_kept_only() || !self.span.is_enabled() {
            return is_logged(level);
        }
        // The answers that per-layer filters keep now do not apply to events of the user's code. They are replaced by those for
        // an event that all filters enable, if there is one.
        static ANY: Site = Site::any(&ANY);
        if let Some(site) = [&self.failed, &ANY].into_iter().find(|site| site.interest().is_always()) {
            tracing::dispatcher::get_default(|default| default.enabled(site.metadata()));
        }
        true
    }
}

/// Creates the callsite of a function's event.
const fn event_site(this: &'static Site, place: &Place, event: Event) -> Site {
    Site::new(this, place, place.event, event.level, event.fields, Kind::EVENT)
}
