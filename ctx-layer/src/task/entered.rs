//! Putting a snapshot in force.

use std::{fmt, marker::PhantomData};

use opentelemetry::{Context, trace::TraceContextExt};
use tracing::{Span, dispatcher, span};

use super::{
    Snapshot,
    leave::{Left, leave_all},
    snapshot::{All, Captured, Within},
    spans,
};
use crate::{
    context::{
        Attached, BAGGAGE, ContextFieldsExt, NOTHING, address_alone, attach, attach_known, is_nothing_in_force, late,
        read, read_if_ready,
    },
    field::Fields,
    layer::remembers_nothing,
};

/// Keeps a [`Snapshot`] in force on this thread; dropping it brings back what was before.
#[must_use = "the snapshot is in force only until the guard is dropped: bind it, as in `let _entered = ...`"]
pub struct Entered<'a> {
    /// `None` where all was in force already. One thing to look at when it is dropped, and not five.
    changed: Option<Changed<'a>>,
    /// Contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}

/// What was put in force.
#[derive(Default)]
struct Changed<'a> {
    // In this order they are dropped.
    over: Option<Attached>,
    span: Option<span::Entered<'a>>,
    context: Option<Attached>,
    outside: Option<Outside>,
}

/// What is rarely put in force.
struct Outside {
    _left: Option<Left>,
    _subscriber: Option<dispatcher::DefaultGuard>,
}

impl<'a> Entered<'a> {
    // Not a constant, which would be copied with all that is not in it.
    #[inline]
    pub(super) fn nothing() -> Self {
        Entered { changed: None, _not_send: PhantomData }
    }

    /// Whether anything had to be changed.
    #[inline]
    pub(super) fn is_elsewhere(&self) -> bool {
        self.changed.is_some()
    }

    #[inline]
    fn change(&mut self) -> &mut Changed<'a> {
        self.changed.get_or_insert_default()
    }
}

impl fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

impl Snapshot {
    /// Whether nothing was captured, and nothing is in force here.
    #[inline]
    pub(super) fn is_nothing_here(&self) -> bool {
        matches!(self.captured(), Captured::Nothing) && is_nothing_in_force() && !spans::is_any_current()
    }

    /// Puts it in force until `entered`, which is [nothing](Entered::nothing) yet, is dropped.
    ///
    /// Filled where it stands: it is large, and moving what was just written makes the processor wait.
    #[inline(never)]
    pub(super) fn enter_in<'a>(&'a self, entered: &mut Entered<'a>) {
        match self.captured() {
            Captured::All(all) => all.enter_in(entered),
            Captured::Nothing if self.is_nothing_here() => {}
            Captured::Nothing => enter_nothing(entered),
        }
    }
}

/// Takes all out of force that is.
#[cold]
fn enter_nothing(entered: &mut Entered<'_>) {
    if !spans::may_be_entered() {
        return;
    }
    let changed = entered.change();
    changed.outside = Some(Outside { _left: leave_all(), _subscriber: None });
    if !is_nothing_in_force() {
        changed.context = Some(attach_blank(&Context::new()));
    }
}

/// What is in force on this thread.
#[derive(PartialEq, Eq)]
enum Here {
    /// The span, fields and baggage of this snapshot.
    Mine,
    /// No fields and no baggage.
    Nothing,
    Other,
}

impl All {
    #[inline]
    fn enter_in<'a>(&'a self, entered: &mut Entered<'a>) {
        let here = if self.is_always_attached { Here::Other } else { self.here() };
        match (&self.within, here) {
            _ if self.subscriber.is_some() => self.enter_outside(entered),
            (Within::Span(span), Here::Mine) => {
                if spans::is_usable() && !spans::is_current(span) {
                    self.enter_span(span, entered.change());
                }
            }
            (Within::Span(span), here) => self.enter_elsewhere(span, &here, entered),
            // Another request's, which may say whose it is.
            (Within::NoSpan, _) if spans::is_any_current() => self.enter_outside(entered),
            (Within::NoSpan | Within::AnySpan, Here::Mine) => {}
            (Within::NoSpan | Within::AnySpan, _) => entered.change().context = Some(self.attach()),
        }
    }

    /// Where the span's context is not in force.
    #[inline]
    fn enter_elsewhere<'a>(&'a self, span: &'a Span, here: &Here, entered: &mut Entered<'a>) {
        if !spans::may_be_entered() {
            return;
        }
        let changed = entered.change();
        // What is in force would be taken for the span's own. Where nothing is, and the span brings nothing, it is enough to
        // attach the context once, afterwards.
        if *here == Here::Nothing && remembers_nothing(span) {
            if self.address == NOTHING && self.context.has_active_span() {
                // An OpenTelemetry layer knows its span's context, and puts it in force.
                return self.enter_span(span, changed);
            }
            changed.span = Some(span.enter());
            changed.over = Some(self.attach());
            return;
        }
        // Now the span finds its fields in force, and the layer has nothing to do.
        changed.context = Some(self.attach());
        self.enter_span(span, changed);
    }

    /// Under another subscriber, or where spans have to be left.
    #[cold]
    fn enter_outside<'a>(&'a self, entered: &mut Entered<'a>) {
        if !spans::may_be_entered() {
            return;
        }
        let changed = entered.change();
        let _subscriber = self.subscriber.as_deref().map(dispatcher::set_default);
        let _left = if matches!(self.within, Within::NoSpan) { leave_all() } else { None };
        changed.outside = Some(Outside { _left, _subscriber });
        changed.context = Some(self.attach());
        if let Within::Span(span) = &self.within {
            self.enter_span(span, changed);
        }
    }

    /// Enters the span where nothing is in force that is not its own.
    #[inline]
    fn enter_span<'a>(&self, span: &'a Span, changed: &mut Changed<'a>) {
        changed.span = Some(span.enter());
        if self.address == NOTHING && !self.context.has_active_span() {
            return;
        }
        // An OpenTelemetry layer attaches the context in which it saw the span made, without what was set since.
        match self.here() {
            Here::Mine => {}
            Here::Nothing => changed.over = Some(self.attach()),
            Here::Other => changed.over = Some(self.attach_over()),
        }
    }

    #[inline(never)]
    fn attach(&self) -> Attached {
        match self.address {
            NOTHING => attach_blank(&self.context),
            BAGGAGE => attach(self.context.clone()),
            address => attach_known(&self.context, address),
        }
    }

    /// Attaches the context where the span is entered, and has put another in force.
    fn attach_over(&self) -> Attached {
        let mine = self.context.fields();
        let here = read(late::effective).unwrap_or_default();
        if mine.is_same(&here) || !mine.is_within(&here) {
            self.attach()
        } else {
            // Recorded on the span since.
            attach(self.context.with_fields(here))
        }
    }

    /// What is in force here.
    #[inline]
    fn here(&self) -> Here {
        read_if_ready(|cx| self.compare(cx)).unwrap_or_else(|| self.here_otherwise())
    }

    // Not inlined, so that what calls it under the borrow of the thread's context is small enough to be.
    #[inline(never)]
    fn compare(&self, here: &Context) -> Here {
        match address_alone(here) {
            BAGGAGE => Here::Other,
            address if address == self.address && self.has_same_span(here) => Here::Mine,
            NOTHING => Here::Nothing,
            _ => Here::Other,
        }
    }

    /// The same where values were recorded late, on whatever span, or nothing is to be read.
    #[cold]
    fn here_otherwise(&self) -> Here {
        if !late::is_any() {
            return read(|cx| self.compare(cx)).unwrap_or(Here::Other);
        }
        let look = |cx: &Context| {
            let (mine, here) = (self.context.fields(), late::effective(cx));
            // What was recorded since is kept. That it was recorded in the same request is not known if there is nothing else.
            let is_mine = mine.is_same(&here) || (!mine.is_blank() && mine.is_within(&here));
            let is_alone = self.address != BAGGAGE && address_alone(cx) != BAGGAGE;
            is_mine && is_alone && self.has_same_span(cx)
        };
        if read(look) == Some(true) { Here::Mine } else { Here::Other }
    }

    /// Whether a context has the same OpenTelemetry span, or none either. Whatever else there may be beside spans, fields and
    /// baggage cannot be compared.
    #[inline]
    fn has_same_span(&self, here: &Context) -> bool {
        here.has_active_span() == self.context.has_active_span()
            && here.is_telemetry_suppressed() == self.context.is_telemetry_suppressed()
            && (!here.has_active_span() || is_same_span(here, &self.context))
    }
}

fn is_same_span(here: &Context, mine: &Context) -> bool {
    let (here, mine) = (here.span(), mine.span());
    let (here, mine) = (here.span_context(), mine.span_context());
    std::ptr::eq(here, mine)
        || (here.span_id() == mine.span_id()
            && here.trace_id() == mine.trace_id()
            && here.is_remote() == mine.is_remote())
}

/// Attaches a context that has no fields.
fn attach_blank(cx: &Context) -> Attached {
    if late::is_any() {
        // It would be laid over this context too, as over any that has nothing.
        return attach(cx.with_fields(Fields::emptied()));
    }
    attach_known(cx, NOTHING)
}
