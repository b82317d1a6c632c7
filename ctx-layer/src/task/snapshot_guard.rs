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
//! The context is read again before the frame is pushed only if a span was entered or hidden and the context may be current already.
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
        ContextFieldsExt, ContextValueExt, Entering, Frame, FrameId, NOTHING, View, active_ids, fields_in, frame_stack,
        is_nothing_current, is_recorded, read,
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
    /// The spans that were hidden, if there were any.
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
        let removed = self.frame.map(frame_stack::remove).unwrap_or_default();
        if removed.leaves_span
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
        if removed.may_hide && self.hidden.is_none() {
            self.hidden = self.frame.map(HiddenSpans::passed_on_to);
        }
        // After this the hidden spans are shown again, and then the subscriber is dropped.
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
    changed.hidden = HiddenSpans::hide();
    let mut frame = match over {
        View::NOTHING => Frame::new(View::NOTHING),
        _ => Frame::attaching(Context::new(), View::NOTHING),
    };
    frame.with_fields(Fields::new()).around_span(None, Entering::Itself).hiding_spans(true).apart(!below.is_blank());
    changed.push(frame, over, || below);
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
        let look = |cx: &Context| {
            let before = View::of(cx);
            let is_elsewhere = before.address != self.view.address || is_recorded();
            (before, is_elsewhere.then(|| fields_in(cx)))
        };
        // The fields are `None` if they are the captured ones.
        let Some((before, below)) = read(look).filter(|_| span_access::may_be_entered()) else { return };
        // An OpenTelemetry layer attaches a context when a span is entered.
        let mut may_have_changed = false;
        let changed = entered.changed.get_or_insert_default();
        // Only what is there is stored: that the guard holds nothing yet is not known to the compiler.
        if let Some(subscriber) = self.subscriber.as_deref() {
            changed.subscriber = Some(dispatcher::set_default(subscriber));
        }
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
                    may_have_changed = true;
                }
            }
            Within::NoSpan => {
                if let Some(hidden) = HiddenSpans::hide() {
                    changed.hidden = Some(hidden);
                    may_have_changed = true;
                }
            }
            Within::AnySpan => {}
        }
        // What was recorded on the span since may be unknown here.
        let captured = self.context.fields();
        let is_changed = below.is_some() || recorded.is_some();
        let is_of_request = |fields| frame_stack::is_same_request(fields, below.as_ref().unwrap_or(captured));
        let is_apart = self.is_span_apart || is_changed && !is_of_request(recorded.as_ref().unwrap_or(captured));
        let mut frame = match recorded {
            Some(fields) => self.with_recorded(fields),
            None => self.frame(before, may_have_changed),
        };
        frame
            .around_span(key, entering)
            .with_span_apart(self.is_span_apart)
            .apart(is_apart)
            .hiding_spans(matches!(self.within, Within::NoSpan))
            .with_cover(self.cover.clone());
        changed.push(frame, before, || below.unwrap_or_else(|| self.context.fields().clone()));
    }

    /// Returns a frame in which the context is current. `before` is the view before the span was entered.
    #[inline]
    fn frame(&self, before: View, may_have_changed: bool) -> Frame {
        // Values of other libraries in the context are not visible. They are there if this was current already, or if an
        // OpenTelemetry layer created the context for the span: without fields, nothing else was to be attached then.
        let is_whole = before == self.view || self.is_parent || self.view.address == NOTHING;
        let now = || if may_have_changed { read(View::of) } else { Some(before) };
        let now = if self.is_always_attached || !is_whole { None } else { now().filter(|now| self.is_current(*now)) };
        let Some(now) = now else {
            let fields = self.context.fields().clone();
            let mut frame = Frame::attaching(self.context.clone(), self.view);
            frame.with_fields(fields);
            return frame;
        };
        let mut frame = Frame::new(now);
        if is_recorded() {
            // The context is known to contain the values recorded on the frame below.
            frame.with_fields(self.context.fields().clone());
        }
        frame
    }

    /// Returns a frame in which the context is current with `fields`, which include values recorded on the span since.
    #[cold]
    fn with_recorded(&self, fields: Fields) -> Frame {
        let current =
            if self.is_parent { read(|cx| self.is_parent_of(cx).then(|| cx.clone())).flatten() } else { None };
        let context = current.as_ref().unwrap_or(&self.context);
        let context = context.with_carried(fields.clone(), context.remote().cloned());
        let view = View::of(&context);
        let mut frame = Frame::attaching(context, view);
        frame.with_fields(fields);
        frame
    }

    /// Returns `true` if the context is current, whose view is `now`.
    #[inline]
    fn is_current(&self, now: View) -> bool {
        if self.is_parent { read(|cx| self.is_parent_of(cx)) == Some(true) } else { now == self.view }
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
