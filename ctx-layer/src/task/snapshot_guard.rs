//! Making a snapshot current.
//!
//! # Entering a snapshot
//!
//! A future enters its snapshot at each poll. What is current already is not made current again, because attaching a context
//! and entering a span cost more than all the checks.
//!
//! | part | skipped if | check |
//! |---|---|---|
//! | all of it | nothing was captured, and nothing is current | flags of this thread, no context is read |
//! | attaching the context | the same span, fields and baggage are current: the [`View`] is compared | one look at the context |
//! | attaching the context of a server's span | the OpenTelemetry layer attached it when the span was entered ([`All::is_parent_of`]) | the same look |
//! | entering the span | it is the subscriber's current span ([`span_access::is_current`]): it is *borrowed* | one call into the subscriber |
//! | adding values that were recorded since | none was, on any span of the snapshot ([`in_snapshot`]) | one lookup in the table of spans |
//! | hiding the spans around it | the snapshot has a span of its own | |
//!
//! The guard is filled in place, and holds one `Option` that is `None` if there is nothing to restore. Figures are in
//! `benches/task.rs`.

use std::{fmt, marker::PhantomData};

use opentelemetry::{Context, baggage::BaggageExt, trace::TraceContextExt};
use tracing::{Span, dispatcher, span};

use super::{
    hidden_spans::HiddenSpans,
    snapshot::{All, Contents, Snapshot, Within},
    span_access,
};
use crate::{
    context::{
        ContextFieldsExt, ContextValueExt, Entering, Frame, FrameId, NOTHING, View, active_ids, attach, fields_in,
        frame_stack, is_nothing_current, is_recorded, read,
    },
    field::Fields,
    layer::in_snapshot,
};

/// A guard that keeps a [`Snapshot`] current on this thread, and restores what was current before on drop.
#[must_use = "the snapshot is current only until the guard is dropped: bind it, as in `let _entered = ...`"]
pub struct SnapshotGuard<'a> {
    /// `None` if there is nothing to restore. One field to check on drop, instead of five.
    changed: Option<Changed<'a>>,
    /// Makes the guard `!Send`: contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}

/// The state to restore.
#[derive(Default)]
struct Changed<'a> {
    frame: Option<FrameId>,
    span: Option<span::Entered<'a>>,
    /// The span, if it was current already.
    borrowed: Option<&'a Span>,
    hidden: Option<HiddenSpans>,
    subscriber: Option<dispatcher::DefaultGuard>,
}

impl<'a> SnapshotGuard<'a> {
    // Not a constant, which would be copied with all its unused bytes.
    #[inline]
    pub(super) fn nothing() -> Self {
        SnapshotGuard { changed: None, _not_send: PhantomData }
    }
}

impl fmt::Debug for SnapshotGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotGuard").finish_non_exhaustive()
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        if self.frame.is_some_and(frame_stack::remove)
            && let Some(span) = self.borrowed
        {
            // The code that entered the span has exited it.
            frame_stack::guarded(self.frame, || span.with_subscriber(|(id, subscriber)| subscriber.exit(id)));
            frame_stack::settle_recorded();
        }
        if let Some(span) = self.span.take() {
            frame_stack::guarded(self.frame, || drop(span));
            frame_stack::settle_recorded();
        }
        self.hidden = None;
        self.subscriber = None;
    }
}

impl Snapshot {
    /// Makes the snapshot current on this thread until the guard is dropped. Do not hold the guard across `.await`.
    #[inline]
    pub fn enter(&self) -> SnapshotGuard<'_> {
        let mut entered = SnapshotGuard::nothing();
        self.enter_in(&mut entered);
        entered
    }

    /// Calls `f` with the snapshot current.
    ///
    /// The values that `f` owns are dropped in it, too.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let mut entered = SnapshotGuard::nothing();
        self.enter_in(&mut entered);
        f()
    }

    /// Returns `true` if nothing was captured, and nothing is current here.
    #[inline]
    pub(super) fn is_nothing_here(&self) -> bool {
        matches!(self.captured(), Contents::Nothing)
            && is_nothing_current()
            && frame_stack::is_empty()
            && !span_access::is_any_current()
    }

    /// Makes the snapshot current until `entered`, which still holds [nothing](SnapshotGuard::nothing), is dropped.
    ///
    /// `entered` is filled in place: it is large, and moving what was just written makes the processor wait.
    #[inline(never)]
    pub(super) fn enter_in<'a>(&'a self, entered: &mut SnapshotGuard<'a>) {
        match self.captured() {
            Contents::All(all) => all.enter_in(entered),
            Contents::Nothing if self.is_nothing_here() => {}
            Contents::Nothing => enter_nothing(entered),
        }
    }
}

/// Hides everything that is current.
#[cold]
fn enter_nothing(entered: &mut SnapshotGuard<'_>) {
    let below = read(|cx| (View::of(cx), fields_in(cx)));
    let Some((over, below)) = below.filter(|_| span_access::may_be_entered()) else { return };
    let changed = entered.changed.get_or_insert_default();
    changed.hidden = Some(HiddenSpans::hide());
    let mut frame =
        Frame::new(View::NOTHING).with_fields(Fields::new()).around_span(None, Entering::Itself).hiding_spans(true);
    if over != View::NOTHING {
        frame = frame.with_attached(attach(Context::new()));
    }
    changed.push(frame.apart(!below.is_blank()), over, || below);
}

impl Changed<'_> {
    #[inline]
    fn push(&mut self, frame: Frame, over: View, below: impl FnOnce() -> Fields) {
        self.frame = frame_stack::push(frame, over, below);
        if let (Some(hidden), Some(frame)) = (&mut self.hidden, self.frame) {
            hidden.hidden_by(frame);
        }
    }
}

impl All {
    #[inline]
    fn enter_in<'a>(&'a self, entered: &mut SnapshotGuard<'a>) {
        let Some(before) = read(View::of).filter(|_| span_access::may_be_entered()) else { return };
        let captured = self.context.fields();
        let is_elsewhere = before.address != self.view.address || is_recorded();
        let below = if is_elsewhere { read(fields_in).unwrap_or_default() } else { Fields::new() };
        let changed = entered.changed.get_or_insert_default();
        changed.subscriber = self.subscriber.as_deref().map(dispatcher::set_default);
        let (mut key, mut recorded, mut entering) = (None, None, Entering::Itself);
        match &self.within {
            Within::Span(span) => {
                (key, recorded) = in_snapshot(span, &self.context, self.is_related);
                recorded = recorded.filter(|_| !self.is_span_apart);
                if span_access::is_current(span) {
                    entering = Entering::Borrowed;
                    changed.borrowed = Some(span);
                } else {
                    changed.span = Some(frame_stack::guarded(None, || span.enter()));
                }
            }
            Within::NoSpan => changed.hidden = Some(HiddenSpans::hide()),
            Within::AnySpan => {}
        }
        // What was recorded on the span since may be unknown here.
        let here = if is_elsewhere { &below } else { captured };
        let is_of_request = |fields| frame_stack::is_same_request(fields, here);
        let is_changed = is_elsewhere || recorded.is_some();
        let is_apart = self.is_span_apart || is_changed && !is_of_request(recorded.as_ref().unwrap_or(captured));
        let mut frame = match recorded {
            Some(fields) => self.with_recorded(fields),
            None => self.frame(before),
        };
        frame = frame
            .around_span(key, entering)
            .with_span_apart(self.is_span_apart)
            .apart(is_apart)
            .hiding_spans(matches!(self.within, Within::NoSpan));
        let below = || if is_elsewhere { below } else { captured.clone() };
        changed.push(frame.with_cover(self.cover.clone()), before, below);
    }

    /// Returns a frame in which the context is current.
    #[inline]
    fn frame(&self, before: View) -> Frame {
        // Values of other libraries in the context are not visible. They are there if this was current already, or if an
        // OpenTelemetry layer created the context for the span: without fields, nothing else was to be attached then.
        let is_whole = before == self.view || self.is_parent || self.view.address == NOTHING;
        if self.is_always_attached || !is_whole || !self.is_current() {
            let attached = attach(self.context.clone());
            return Frame::new(self.view).with_fields(self.context.fields().clone()).with_attached(attached);
        }
        let frame = Frame::new(read(View::of).unwrap_or(self.view));
        // The context is known to contain the values recorded on the frame below.
        if is_recorded() { frame.with_fields(self.context.fields().clone()) } else { frame }
    }

    /// Returns a frame in which the context is current with `fields`, which include values recorded on the span since.
    #[cold]
    fn with_recorded(&self, fields: Fields) -> Frame {
        let current = if self.is_parent && self.is_current() { read(Context::clone) } else { None };
        let context = current.as_ref().unwrap_or(&self.context);
        let context = context.with_carried(fields.clone(), context.remote().cloned());
        Frame::new(View::of(&context)).with_fields(fields).with_attached(attach(context))
    }

    #[inline]
    fn is_current(&self) -> bool {
        let is_current =
            if self.is_parent { read(|cx| self.is_parent_of(cx)) } else { read(|cx| View::of(cx) == self.view) };
        is_current.unwrap_or_default()
    }

    /// Returns `true` if `here` is the context that an OpenTelemetry layer created from this one for the span.
    fn is_parent_of(&self, here: &Context) -> bool {
        let span = here.span();
        let span = span.span_context();
        let is_of_trace = if span.is_valid() {
            !span.is_remote() && active_ids(&self.context).is_none_or(|(trace_id, _)| trace_id == span.trace_id())
        } else {
            // A provider that was shut down creates such spans. Only the fields show that it belongs to this request.
            here.has_active_span() && !self.context.fields().is_blank()
        };
        is_of_trace
            && here.fields().is_same(self.context.fields())
            && here.baggage().len() == self.context.baggage().len()
    }
}
