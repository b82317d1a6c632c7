//! The frames of a thread.
//!
//! The OpenTelemetry context has the fields of the frame on top, so code that reads or carries the context has them, and reading
//! them does not need the frames. There are two exceptions, in which the thread's [state](super::thread::State) is not
//! `Ready`: frames on which something was recorded since they were pushed, and contexts that OpenTelemetry refused to attach.

use std::cell::Cell;

use opentelemetry::{Context, baggage::BaggageExt};
use smallvec::SmallVec;

use super::{
    BAGGAGE, ContextFieldsExt, ContextRemoteExt, NOTHING, attach, fields_in,
    frame::{Entering, Frame, FrameId, SpanKey},
    remembered::Remembered,
    thread,
    view::{View, baggage_hash},
};
use crate::field::{Call, Fields, Shared};

/// The frames of a thread, the outermost first.
#[derive(Default)]
pub(super) struct FrameStack {
    frames: Vec<Frame>,
    hidden: Vec<HiddenSpan>,
    lost: Vec<LostContext>,
    next: u64,
    /// The number of frames on which something was recorded.
    recorded: usize,
}

/// A span that is entered around a frame which hides it.
struct HiddenSpan {
    frame: FrameId,
    span: u64,
}

/// A frame whose context a layer attached for a span further down, which was exited while other frames were above this one.
struct LostContext {
    frame: FrameId,
    /// The values that the span remembers.
    remembered: Remembered,
}

/// Values that are removed with a frame, or replaced in one. They have to be dropped while nothing is borrowed: values may have
/// destructors that log, and so may OpenTelemetry's spans.
#[derive(Default)]
#[must_use]
pub(super) struct Gone {
    _frame: Option<Frame>,
    _fields: SmallVec<[Fields; 2]>,
}

impl FrameStack {
    /// Pushes a frame. `over` is the view before that, and `below` returns the fields that were current then.
    #[inline]
    fn push(&mut self, mut frame: Frame, over: View, below: impl FnOnce() -> Fields) -> FrameId {
        self.next += 1;
        frame.id = FrameId(self.next);
        let top = self.frames.last().map_or(View::NOTHING, |top| top.view);
        if over.address != top.address || frame.view.address != top.address {
            self.look_below(&mut frame, over.address != top.address, below);
        }
        if frame.fields.as_ref().is_some_and(|fields| fields.address() != frame.view.address) {
            frame.is_recorded = true;
            self.recorded += 1;
            thread::set_recorded(true);
        }
        let id = frame.id;
        self.frames.push(frame);
        id
    }

    /// Completes a frame that may not have the same fields as the one below.
    #[inline(never)]
    fn look_below(&self, frame: &mut Frame, is_over_another: bool, below: impl FnOnce() -> Fields) {
        if frame.fields.is_none() && frame.view.address != NOTHING {
            frame.fields = thread::read(fields_in_alone);
        }
        // Another library attached a context between this frame and the one below.
        if is_over_another && !frame.is_apart {
            frame.is_apart = !is_same_request(&below(), &self.top_fields());
        }
    }

    fn top_fields(&self) -> Fields {
        self.frames.len().checked_sub(1).map(|top| self.fields_of(top)).unwrap_or_default()
    }

    fn top_view(&self) -> View {
        self.frames.last().map_or(View::NOTHING, |top| top.view)
    }

    /// Removes a frame. The frame above it keeps the context that this one attached, if it uses that. `is_seen` is `true` if no
    /// other library's context is above.
    #[inline]
    fn remove(&mut self, at: usize, is_seen: bool) -> Gone {
        let is_apart = self.frames[at].is_apart && self.is_above_apart(at);
        let mut frame = self.frames.remove(at);
        if is_apart && let Some(above) = self.frames.get_mut(at) {
            above.is_apart = true;
        }
        if let Some(above) = self.frames.get_mut(at)
            && above.view.address == frame.view.address
        {
            if above.attached.is_none() {
                above.attached = frame.attached.take();
            }
            if above.fields.is_none() && frame.fields.is_some() {
                above.fields = frame.fields.clone();
                if frame.is_recorded && !above.is_recorded {
                    above.is_recorded = true;
                    self.recorded += 1;
                }
            }
        } else if (!is_seen || frame.is_holding) && at == self.frames.len() {
            self.leave_context_to_below(at, &mut frame);
        }
        self.recorded -= usize::from(frame.is_recorded);
        Gone { _frame: Some(frame), _fields: SmallVec::new() }
    }

    /// Returns `true` if the frame above one that replaced another request's fields is apart from those below by itself.
    fn is_above_apart(&self, at: usize) -> bool {
        if at + 1 == self.frames.len() {
            return false;
        }
        let frame = &self.frames[at];
        let below = at.checked_sub(1).map(|below| self.fields_of(below)).unwrap_or_default();
        frame.span.is_none() || frame.is_span_apart || !is_same_request(&self.fields_of(at), &below)
    }

    /// Makes the frame below keep the context of a removed one, if it has none. This crate is not called when another
    /// library's context above ends, and a context that a layer had attached for a span may have ended.
    #[cold]
    fn leave_context_to_below(&mut self, at: usize, frame: &mut Frame) {
        let below = at.checked_sub(1).and_then(|below| self.frames.get_mut(below));
        let Some(below) = below.filter(|below| below.attached.is_none()) else { return };
        let is_known_by_it = below.is_recorded && below.view.address == NOTHING && frame.view.address != NOTHING;
        if is_known_by_it || (frame.is_holding && below.view == frame.view) {
            below.attached = frame.attached.take();
            below.view = frame.view;
            below.baggage = frame.baggage;
            below.is_holding = frame.is_holding;
        }
    }

    pub(super) fn is_recorded(&self) -> bool {
        self.recorded > 0
    }

    /// Returns `true` if frames may be taken off the top without a look at those below.
    #[inline]
    fn is_plain(&self) -> bool {
        self.hidden.is_empty() && self.lost.is_empty()
    }

    /// Returns the frames that lose their context when the span of a frame is exited. The frame on top keeps its context: see
    /// [`Leaving`].
    fn relying_on(&self, span: SpanKey) -> SmallVec<[FrameId; 4]> {
        let Some(at) = self.own_frame_of(span) else { return SmallVec::new() };
        let (frame, top) = (&self.frames[at], self.frames.len() - 1);
        let below = at.checked_sub(1).map_or(View::NOTHING, |below| self.frames[below].view);
        if frame.attached.is_some() || frame.view == below || at >= top {
            return SmallVec::new();
        }
        let above = self.frames[at + 1..top].iter();
        let relying = above.take_while(|above| above.view == frame.view && above.attached.is_none());
        relying.map(|above| above.id).collect()
    }

    #[inline]
    fn position(&self, id: FrameId) -> Option<usize> {
        self.frames.iter().rposition(|frame| frame.id == id)
    }

    /// Returns the fields of the frame whose context has this view, if something was recorded on it.
    fn recorded_in(&self, view: View) -> Option<&Fields> {
        if view.address == NOTHING {
            // It is identified by its span. Without one, it may be an empty context that another library attached.
            let top = self.frames.last().filter(|top| top.view == view && view.has_span)?;
            return top.fields.as_ref();
        }
        let same = self.frames.iter().rev().filter(|frame| frame.view.address == view.address);
        same.filter_map(|frame| frame.fields.as_ref()).next()
    }

    /// Returns the fields of a frame.
    fn fields_of(&self, at: usize) -> Fields {
        let address = self.frames[at].view.address;
        if self.frames[at].fields.is_none() && address == NOTHING {
            return Fields::new();
        }
        let same = self.frames[..=at].iter().rev().filter(|frame| frame.view.address == address);
        same.filter_map(|frame| frame.fields.as_ref()).next().cloned().unwrap_or_default()
    }

    /// Returns the frames and the span on which a value has to be recorded.
    fn reach(&self, subscriber: usize, view: View) -> Reach {
        // The context on top is another library's.
        if self.frames.last().is_none_or(|top| top.view != view) {
            return Reach::Nothing;
        }
        let mut apart = None;
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if frame.is_span_apart {
                return Reach::Frames { from: apart.unwrap_or(at) };
            }
            if let Some((of, span)) = frame.span
                && of == subscriber
            {
                return match apart {
                    Some(from) => Reach::Frames { from },
                    None => Reach::Span { span, from: self.lowest_of((of, span)).unwrap_or(at) },
                };
            }
            if frame.is_apart && apart.is_none() {
                apart = Some(at);
            }
            if frame.hides_spans {
                return Reach::Nothing;
            }
        }
        Reach::Nothing
    }

    /// Returns the innermost frame that was pushed when the span was entered.
    #[inline]
    fn own_frame_of(&self, span: SpanKey) -> Option<usize> {
        self.frames.iter().rposition(|frame| frame.span == Some(span) && !frame.is_guarded)
    }

    /// Makes a guard's frame, from `from` up, exit a span that it found entered. Returns `false` if there is none.
    fn hand_over(&mut self, span: Option<SpanKey>, from: usize) -> bool {
        // One that comes after another entering of the span found that one.
        match self.frames[from..].iter_mut().find(|frame| frame.span == span) {
            Some(frame) if frame.entering == Entering::Borrowed => {
                frame.entering = Entering::TakenOver;
                true
            }
            _ => false,
        }
    }

    /// Notes that a hidden span was exited. Returns `true` if it was hidden by a frame above the given one.
    fn unhide(&mut self, frame: FrameId, span: SpanKey) -> bool {
        // The first frame above it that hides spans has hidden it; others hide where it was entered again.
        let hidden = self.hidden.iter().enumerate().rev();
        let hidden = hidden.filter(|(_, hidden)| hidden.span == span.1 && hidden.frame > frame);
        let at = hidden.min_by_key(|(_, hidden)| hidden.frame).map(|(at, _)| at);
        if let Some(at) = at {
            self.hidden.remove(at);
        }
        at.is_some()
    }

    /// Returns the span of a subscriber that was entered last, unless it is hidden.
    fn current_span(&self, subscriber: usize) -> Option<u64> {
        let visible = self.frames.iter().rev().take_while(|frame| !frame.hides_spans);
        visible.filter_map(|frame| frame.span).find(|(of, _)| *of == subscriber).map(|(_, span)| span)
    }

    /// Returns the spans of a subscriber that are entered here, the innermost first, up to the beginning of another request,
    /// each with the index of its frame.
    fn visible_spans(&self, subscriber: usize) -> SmallVec<[(usize, u64); 8]> {
        let mut visible = SmallVec::new();
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if let Some((of, span)) = frame.span
                && of == subscriber
                && !frame.is_span_apart
            {
                visible.push((at, span));
            }
            if frame.is_apart || frame.hides_spans {
                break;
            }
        }
        visible
    }

    /// Returns `true` if the span entered last is around fields that replaced those of another request. `view` is the current
    /// view, and `fields` returns the current fields.
    fn is_span_around_another(&self, view: View, fields: impl FnOnce() -> Fields) -> bool {
        if view.address != self.top_view().address && !is_same_request(&fields(), &self.top_fields()) {
            return true;
        }
        let frame = self.frames.iter().rev().find(|frame| frame.span.is_some() || frame.is_apart);
        frame.is_some_and(|frame| frame.span.is_none() || frame.is_span_apart)
    }

    fn lowest_of(&self, span: SpanKey) -> Option<usize> {
        self.frames.iter().position(|frame| frame.span == Some(span) && !frame.is_span_apart)
    }

    /// Sets a value in the frames from `from` up, those related to `anchor`.
    fn record(&mut self, from: usize, anchor: &Anchor, call: Call, value: &Shared) -> Gone {
        let mut gone = Gone::default();
        // From the top down: a frame's fields may be those of one below it.
        for at in (from..self.frames.len()).rev() {
            let fields = self.fields_of(at);
            if !anchor.is_related_to(&fields, self.frames[at].baggage) {
                continue;
            }
            let frame = &mut self.frames[at];
            self.recorded += usize::from(!frame.is_recorded);
            frame.is_recorded = true;
            gone._fields.extend(frame.fields.replace(fields.with_recorded(call, value)));
        }
        thread::set_recorded(self.recorded > 0);
        gone
    }

    /// Returns `true` if a future around has a context of its own, from which the current fields descend, and was wrapped where
    /// the fields descended from `remembered`. `view` is the current view, and `current` are the fields.
    fn is_covered(&self, remembered: &Remembered, view: View, current: &Fields) -> bool {
        // All fields descend from nothing: a wrapper of nothing is around what is current only while nothing replaced that.
        let mut is_replaced = view.address != self.top_view().address && !is_same_request(current, &self.top_fields());
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if frame.cover.as_ref().is_some_and(|cover| cover.descends_from(remembered)) {
                let fields = self.fields_of(at);
                if if fields.is_blank() { !is_replaced } else { current.descends_from(&fields) } {
                    return true;
                }
            }
            is_replaced |= frame.is_apart;
        }
        false
    }
}

/// Selects the frames on which a value is recorded, by what they are related to.
pub(crate) struct Anchor {
    fields: Fields,
    /// The [hash](baggage_hash) of the baggage.
    baggage: u64,
}

impl Anchor {
    pub(crate) fn of(remembered: Remembered) -> Self {
        let baggage = remembered.baggage().map_or(0, |cx| baggage_hash(cx.baggage()));
        Anchor { fields: remembered.fields, baggage }
    }

    /// Returns `true` if a frame with these fields and the baggage of this hash is related to it. As
    /// [`Remembered::is_related_to`]: what has no fields is known by its baggage.
    fn is_related_to(&self, fields: &Fields, baggage: u64) -> bool {
        let is_nothing = |fields: &Fields, baggage| fields.is_blank() && baggage == 0;
        match fields.is_blank() || self.fields.is_blank() {
            false => fields.is_related_to(&self.fields),
            true => self.baggage == baggage || is_nothing(fields, baggage) || is_nothing(&self.fields, self.baggage),
        }
    }
}

/// The frames and the span on which a value is recorded.
pub(crate) enum Reach {
    Nothing,
    /// The frames from this one up.
    Frames {
        from: usize,
    },
    /// A span, and the frames from this one up.
    Span {
        span: u64,
        from: usize,
    },
}

/// Returns `true` if fields that replace others belong to the same request: then recorded values are set on both.
///
/// Fields without values belong to no request: receiving a message where nothing is current does not change that.
pub(crate) fn is_same_request(new: &Fields, below: &Fields) -> bool {
    new.is_same(below) || (!new.is_blank() && !below.is_blank() && new.is_related_to(below))
}

/// Returns the fields of a context, without values recorded since.
fn fields_in_alone(cx: &Context) -> Fields {
    cx.fields().clone()
}

/// Pushes a frame on this thread. `over` is the view before that, and `below` returns the fields that were current then.
/// Returns `None` while the thread is being torn down.
#[inline]
pub(crate) fn push(frame: Frame, over: View, below: impl FnOnce() -> Fields) -> Option<FrameId> {
    let frame = match () {
        () if frame.is_held() => frame,
        () if frame.is_changed() => hold_changed(frame),
        () if over == frame.view && is_seen_from_top(over) => frame,
        () => hold(frame, over),
    };
    let frame = if over != frame.view && !frame.is_held() && is_entered(frame.span) { hold_own(frame) } else { frame };
    let frame = if frame.view.baggage == 0 { frame } else { with_baggage(frame) };
    thread::with_frames(|stack| stack.push(frame, over, below))
}

/// The frame on top, and the address of its fields. Small enough for two registers.
#[derive(Clone, Copy)]
pub(crate) struct Top {
    /// The address of the fields, or [`BAGGAGE`] if more has to be checked.
    pub(crate) address: usize,
    /// The id of the frame, or 0 if there is none.
    frame: u64,
}

impl Top {
    const CLOSER_LOOK: Self = Top { address: BAGGAGE, frame: 0 };

    #[inline]
    fn of(stack: &FrameStack) -> (Self, &View) {
        let (view, frame) = stack.frames.last().map_or((&View::NOTHING, 0), |top| (&top.view, top.id.0));
        (Top { address: if view.baggage == 0 { view.address } else { BAGGAGE }, frame }, view)
    }
}

/// Returns the frame on top. Another library may have attached a context since.
#[inline]
pub(crate) fn top() -> Top {
    thread::with_frames_if_ready(|stack| Top::of(stack).0).unwrap_or(Top::CLOSER_LOOK)
}

/// Returns the frame on top, if no other library attached a context since.
#[inline]
pub(crate) fn top_if_seen() -> Top {
    let top = thread::with_frames_if_ready(|stack| {
        let (top, view) = Top::of(stack);
        Context::map_current(|cx| view.is_of(cx)).then_some(top)
    });
    top.flatten().unwrap_or(Top::CLOSER_LOOK)
}

/// Returns the view of a frame that was on top.
pub(crate) fn view_of(top: Top) -> View {
    let view = thread::with_frames(|stack| Some(stack.frames[stack.position(FrameId(top.frame))?].view));
    view.flatten().unwrap_or(View::NOTHING)
}

/// Pushes the frame of an entered span, if nothing has changed since `before`, and the frame on top is still current. Returns
/// `false` if more has to be checked.
#[inline]
pub(crate) fn push_bare(span: SpanKey, before: Top) -> bool {
    let pushed = thread::with_frames_if_ready(|stack| {
        let (top, view) = Top::of(stack);
        let is_unchanged = top.frame == before.frame && Context::map_current(|cx| view.is_of(cx));
        if is_unchanged {
            let (view, id) = (*view, FrameId(stack.next + 1));
            stack.next += 1;
            stack.frames.push(Frame { id, span: Some(span), is_as_below: true, ..Frame::new(view) });
        }
        is_unchanged
    });
    pushed.unwrap_or_default()
}

/// Pops the frame of a span that is about to be exited by itself, if it is on top and [bare](Frame::is_bare). Returns
/// `false` if more has to be checked.
#[inline]
pub(crate) fn pop_bare(span: SpanKey) -> bool {
    let popped = thread::with_frames(|stack| {
        let top = stack.frames.last()?;
        let is_bare = top.span == Some(span) && top.is_bare() && stack.is_plain();
        // A bare frame has nothing that has a destructor.
        is_bare.then(|| std::mem::forget(stack.frames.pop()))
    });
    popped.flatten().is_some()
}

/// Returns `true` if the view is that of the frame on top.
#[inline]
fn is_seen_from_top(view: View) -> bool {
    thread::with_frames(|stack| stack.top_view() == view) == Some(true)
}

/// Makes a frame hold the context that another library attached, because that may end first.
#[cold]
fn hold(frame: Frame, over: View) -> Frame {
    // A context that a layer attached when the span was entered ends when the span is exited.
    match thread::read(Context::clone).filter(|_| frame.view == over) {
        Some(current) => frame.with_attached(attach(current)),
        None => frame,
    }
}

/// Returns `true` if a span has a frame on this thread.
#[inline]
fn is_entered(span: Option<SpanKey>) -> bool {
    span.is_some() && thread::with_frames(|stack| stack.frames.iter().any(|frame| frame.span == span)) == Some(true)
}

/// Has a frame hold the context that a layer attached for its span: of a span that is entered twice, the layer may take away
/// that of the one for that of the other.
#[cold]
fn hold_own(frame: Frame) -> Frame {
    match thread::read(Context::clone) {
        Some(current) => frame.with_attached(attach(current)),
        None => frame,
    }
}

/// Gives a frame a context that has its fields. A frame that comes where something was recorded is so distinguished from the frames below
/// it, and contexts that are created from it have what was recorded.
#[cold]
fn hold_changed(frame: Frame) -> Frame {
    let fields = frame.fields.clone().unwrap_or_default();
    match thread::read(|cx| cx.with_carried(fields, cx.remote().cloned())) {
        Some(context) => Frame { view: View::of(&context), ..frame }.with_attached(attach(context)),
        None => frame,
    }
}

/// Notes the baggage of a frame whose context is current.
#[cold]
fn with_baggage(frame: Frame) -> Frame {
    Frame { baggage: thread::read(|cx| baggage_hash(cx.baggage())).unwrap_or_default(), ..frame }
}

/// Returns `true` if there is no frame on this thread.
#[inline]
pub(crate) fn is_empty() -> bool {
    thread::with_frames(|stack| stack.frames.is_empty()).unwrap_or(true)
}

/// Removes a frame at any position. Returns `true` if the owner of the frame has to exit its span.
#[inline]
pub(crate) fn remove(id: FrameId) -> bool {
    let on_top = thread::with_frames_if_ready(|stack| {
        let is_on_top = stack.frames.last().is_some_and(|top| top.id == id && !top.is_holding && !top.is_recorded);
        if is_on_top && stack.lost.is_empty() { stack.frames.pop() } else { None }
    });
    match on_top {
        Some(Some(frame)) => frame.entering == Entering::TakenOver,
        _ => remove_anywhere(id),
    }
}

/// Removes a frame that is not on top, or on which something was recorded.
#[inline(never)]
fn remove_anywhere(id: FrameId) -> bool {
    // Values recorded on the frame below can be read only if no other context is above this one.
    let is_checked = thread::is_recorded() || has_lost();
    let is_seen = is_checked && thread::read(View::of).is_some_and(is_seen_from_top);
    let removed = thread::with_frames(|stack| {
        let at = stack.position(id)?;
        let leaves = stack.frames[at].entering == Entering::TakenOver;
        Some((leaves, stack.remove(at, !is_checked || is_seen)))
    });
    let (leaves, gone) = removed.flatten().unzip();
    drop(gone);
    removed_below(is_seen);
    leaves.unwrap_or_default()
}

/// Makes the context of the frame that is on top now current. `is_seen` is `true` if no other library's context was above the one
/// that was removed.
#[inline]
fn removed_below(is_seen: bool) {
    if is_seen && has_lost() {
        restore_lost();
    }
    if thread::is_recorded() {
        thread::with_frames(|stack| thread::set_recorded(stack.recorded > 0));
        if is_seen {
            settle();
        }
    }
}

#[inline]
fn has_lost() -> bool {
    thread::with_frames(|stack| !stack.lost.is_empty()).unwrap_or_default()
}

/// Notes the frames that lose their context when a span is exited. `remembered` returns what the span remembers.
pub(crate) fn note_lost(span: SpanKey, remembered: impl FnOnce() -> Remembered) {
    let relying = thread::with_frames(|stack| stack.relying_on(span)).filter(|relying| !relying.is_empty());
    let Some(relying) = relying else { return };
    let remembered = remembered();
    thread::with_frames(|stack| {
        let lost = relying.into_iter().map(|frame| LostContext { frame, remembered: remembered.clone() });
        stack.lost.extend(lost);
    });
}

/// Gives the frame on top a context with its fields, if it lost the one that it had. What else was in that is not known.
#[cold]
fn restore_lost() {
    let (lost, gone) = thread::with_frames(|stack| {
        let top = stack.frames.last().map(|top| (top.id, top.view, top.fields.clone()));
        let is_there = |lost: &mut LostContext| stack.frames.iter().any(|frame| frame.id == lost.frame);
        let gone: Vec<_> = stack.lost.extract_if(.., |lost| !is_there(lost)).collect();
        let lost = top.and_then(|(id, view, fields)| {
            let at = stack.lost.iter().position(|lost| lost.frame == id)?;
            Some((stack.lost.swap_remove(at), view, fields))
        });
        (lost, gone)
    })
    .unzip();
    drop(gone);
    let Some((LostContext { frame: id, remembered }, view, fields)) = lost.flatten() else { return };
    if thread::read(View::of) == Some(view) {
        return;
    }
    let remembered = fields.map_or(remembered.clone(), |fields| remembered.with_fields(fields));
    let Some(context) = thread::read(|cx| remembered.put_in(cx)) else { return };
    let (view, attached) = (View::of(&context), attach(context));
    let unused = thread::with_frames(|stack| match stack.frames.iter_mut().rfind(|frame| frame.id == id) {
        Some(frame) => {
            frame.view = view;
            frame.is_holding = true;
            frame.attached.replace(attached)
        }
        None => Some(attached),
    });
    drop(unused);
}

/// The effect of exiting a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The subscriber exits the span. If the span was entered again since, it may exit that entering instead.
    Here { is_entered_again: bool },
    /// The span is hidden by a frame: the subscriber exits it, and does not have it on its stack, unless it was entered again
    /// since.
    Hidden { is_entered_again: bool },
    /// A guard has the span, and exits it when it is dropped.
    TakenOver,
}

/// Returns the effect of exiting a span that was entered by itself, or by the guard of a frame.
#[inline]
pub(crate) fn leaving(span: SpanKey, guard: Option<FrameId>) -> Left {
    let left = thread::with_frames(|stack| {
        let last = stack.frames.last();
        if guard.is_none() && last.is_some_and(|last| last.span == Some(span) && !last.is_guarded) {
            return Some(Left::Here { is_entered_again: false });
        }
        let frame = match guard {
            Some(frame) => frame,
            None => stack.frames[stack.own_frame_of(span)?].id,
        };
        let above = stack.frames.partition_point(|other| other.id <= frame);
        if stack.hand_over(Some(span), above) {
            return Some(Left::TakenOver);
        }
        let is_entered_from = |from: usize| {
            stack.frames[from..].iter().any(|other| other.span == Some(span) && other.entering != Entering::Borrowed)
        };
        // The subscriber has only spans on its stack that are not hidden.
        let visible = stack.frames.iter().rposition(|frame| frame.hides_spans).map_or(0, |hides| hides + 1);
        let is_entered_again = is_entered_from(above.max(visible));
        let is_hidden = !stack.hidden.is_empty() && stack.unhide(frame, span);
        Some(if is_hidden { Left::Hidden { is_entered_again } } else { Left::Here { is_entered_again } })
    });
    left.flatten().unwrap_or(Left::Here { is_entered_again: false })
}

/// Returns `true` if another frame was pushed since this one, which may be gone.
pub(crate) fn is_below_another(frame: FrameId) -> bool {
    thread::with_frames(|stack| stack.frames.last().is_some_and(|last| last.id > frame)).unwrap_or_default()
}

/// Returns the spans of a subscriber that are entered here and not hidden, the outermost first.
pub(crate) fn entered_spans(subscriber: usize) -> SmallVec<[u64; 8]> {
    let entered = thread::with_frames(|stack| {
        let from = stack.frames.iter().rposition(|frame| frame.hides_spans).map_or(0, |hides| hides + 1);
        let visible = stack.frames[from..].iter().filter(|frame| frame.entering != Entering::Borrowed);
        visible.filter_map(|frame| frame.span).filter(|(of, _)| *of == subscriber).map(|(_, span)| span).collect()
    });
    entered.unwrap_or_default()
}

/// The state before a span is exited.
pub(crate) struct Leaving {
    /// `None` if a guard removes the frame.
    span: Option<SpanKey>,
    /// The context of the frame on top, if the span's frame is further down: a layer may have attached it for that span.
    held: Option<Context>,
    /// No other library's context is above.
    is_seen: bool,
}

impl Leaving {
    #[inline]
    pub(crate) fn new(span: SpanKey) -> Self {
        let is_below = thread::with_frames(|stack| {
            stack.frames.last().is_some_and(|last| last.span != Some(span) || last.is_guarded)
        });
        let held = if is_below == Some(true) { thread::read(Context::clone) } else { None };
        let is_checked = thread::is_recorded() || has_lost();
        let is_seen = !is_checked || thread::read(View::of).is_some_and(is_seen_from_top);
        Leaving { span: Some(span), held, is_seen }
    }

    /// Returns the state for a span whose frame a guard has removed.
    #[cold]
    pub(crate) fn of_guard() -> Self {
        Leaving { span: None, held: thread::read(Context::clone), is_seen: false }
    }
}

/// Removes the innermost frame that was pushed when the span was entered, also if a layer panics. The context that was
/// current before stays current for the frame on top.
impl Drop for Leaving {
    #[inline]
    fn drop(&mut self) {
        let is_seen = self.is_seen;
        if let Some(span) = self.span {
            drop(thread::with_frames(|stack| Some(stack.remove(stack.own_frame_of(span)?, is_seen))));
        }
        if let Some(held) = self.held.take() {
            hold_on_top(held);
        }
        removed_below(is_seen);
    }
}

/// Makes the frame on top hold a context that it had before.
#[cold]
fn hold_on_top(held: Context) {
    let view = View::of(&held);
    if thread::read(View::of) == Some(view) || !is_seen_from_top(view) {
        return;
    }
    let mut attached = Some(attach(held));
    thread::with_frames(|stack| {
        if let Some(top) = stack.frames.last_mut() {
            // What it has may be further down, taken over from the frame below it.
            std::mem::swap(&mut top.attached, &mut attached);
            top.is_holding = true;
        }
    });
    drop(attached);
}

thread_local! {
    /// Has no destructor, and so can always be read.
    static GUARDED: Cell<Option<FrameId>> = const { Cell::new(None) };
}

/// Calls `f`, which enters or exits a span that belongs to a guard's frame, or to one that is not pushed yet: no other frame
/// is pushed or removed with it.
#[inline]
pub(crate) fn guarded<R>(frame: Option<FrameId>, f: impl FnOnce() -> R) -> R {
    /// Resets the id, because another subscriber does not take it, and a layer may panic.
    struct Reset;

    impl Drop for Reset {
        fn drop(&mut self) {
            GUARDED.set(None);
        }
    }
    GUARDED.set(Some(frame.unwrap_or(FrameId(u64::MAX))));
    let _reset = Reset;
    f()
}

/// Returns the guard's frame of the span that is being entered or exited, if it has one. The next span has none, because
/// spans of a layer do not belong to the guard.
#[inline]
pub(crate) fn take_guarded() -> Option<FrameId> {
    GUARDED.take()
}

/// Stores the spans that are hidden by a frame, the innermost first.
pub(crate) fn hide(frame: FrameId, spans: impl Iterator<Item = u64>) {
    thread::with_frames(|stack| stack.hidden.extend(spans.map(|span| HiddenSpan { frame, span })));
}

/// Passes the spans that a frame hides on to the next frame above it that hides spans. Returns `false` if there is none.
pub(crate) fn hand_hidden_on(frame: FrameId) -> bool {
    let handed_on = thread::with_frames(|stack| {
        let next = stack.frames.iter().find(|other| other.hides_spans && other.id > frame)?.id;
        let (mine, mut hidden): (Vec<_>, Vec<_>) =
            std::mem::take(&mut stack.hidden).into_iter().partition(|hidden| hidden.frame == frame);
        // They are further out than those that it hides already.
        hidden.extend(mine.into_iter().map(|mine| HiddenSpan { frame: next, ..mine }));
        stack.hidden = hidden;
        Some(())
    });
    handed_on.flatten().is_some()
}

/// Returns the spans that are hidden by a frame and were not exited meanwhile, the innermost first.
pub(crate) fn hidden_by(frame: FrameId) -> SmallVec<[u64; 4]> {
    let hidden = thread::with_frames(|stack| {
        let hidden = stack.hidden.extract_if(.., |hidden| hidden.frame == frame);
        let mut hidden: SmallVec<[u64; 4]> = hidden.map(|hidden| hidden.span).collect();
        // One of a span that was entered twice may have been left meanwhile: they come back in the order of the frames.
        let mut ordered = SmallVec::new();
        let around = stack.frames.iter().rev().filter(|around| around.id < frame);
        for (_, span) in around.filter(|around| around.entering != Entering::Borrowed).filter_map(|frame| frame.span) {
            if let Some(at) = hidden.iter().position(|hidden| *hidden == span) {
                ordered.push(hidden.remove(at));
            }
        }
        ordered.extend(hidden);
        ordered
    });
    hidden.unwrap_or_default()
}

/// Returns the frames and the span on which a value has to be recorded here.
pub(crate) fn reach(subscriber: usize) -> Reach {
    let view = thread::read(View::of);
    view.and_then(|view| thread::with_frames(|stack| stack.reach(subscriber, view))).unwrap_or(Reach::Nothing)
}

/// Returns the span of a subscriber that was entered last on this thread, unless it is hidden.
pub(crate) fn current_span(subscriber: usize) -> Option<u64> {
    thread::with_frames(|stack| stack.current_span(subscriber)).flatten()
}

/// Returns `true` if the span entered last on this thread is around fields that replaced those of another request, such as
/// a message's. Values recorded there are not set on the span.
#[inline]
pub(crate) fn is_span_around_another(view: View) -> bool {
    let fields = || thread::read(fields_in_alone).unwrap_or_default();
    thread::with_frames(|stack| stack.is_span_around_another(view, fields)).unwrap_or_default()
}

/// Calls `find` with the spans of a subscriber that are entered here, the innermost first, up to the beginning of another
/// request. Returns the index of the span's frame, and the first result.
pub(crate) fn find_span<R>(subscriber: usize, find: impl Fn(u64) -> Option<R>) -> Option<(usize, R)> {
    let view = thread::read(View::of)?;
    let visible = thread::with_frames(|stack| (stack.top_view() == view).then(|| stack.visible_spans(subscriber)));
    visible.flatten()?.into_iter().find_map(|(at, span)| Some((at, find(span)?)))
}

/// Returns the index of the lowest frame of a span on this thread.
pub(crate) fn lowest_of(span: SpanKey) -> Option<usize> {
    thread::with_frames(|stack| stack.lowest_of(span)).flatten()
}

/// Returns the contents of a frame, by its place.
pub(crate) fn anchor_of(at: usize) -> Anchor {
    let anchor = thread::with_frames(|stack| Anchor { fields: stack.fields_of(at), baggage: stack.frames[at].baggage });
    anchor.unwrap_or_else(|| Anchor::of(Remembered::default()))
}

/// Sets a value in the frames from `from` up that are related to `anchor`.
pub(crate) fn record(from: usize, anchor: &Anchor, call: Call, value: &Shared) {
    after(thread::with_frames(|stack| stack.record(from, anchor, call, value)));
}

/// Returns `true` if a future around may have a context of its own.
#[inline]
pub(crate) fn has_cover() -> bool {
    thread::with_frames(|stack| stack.frames.iter().any(|frame| frame.cover.is_some())).unwrap_or_default()
}

/// Returns `true` if a future around has a context of its own, and was wrapped where the current fields descended from
/// `remembered`.
pub(super) fn is_covered(remembered: &Remembered) -> bool {
    // Nearly always there is none, and then nothing more has to be checked.
    if !has_cover() {
        return false;
    }
    let Some((view, current)) = thread::read(|cx| (View::of(cx), fields_in(cx))) else { return false };
    let covered = thread::with_frames(|stack| stack.is_covered(remembered, view, &current));
    covered.unwrap_or_default()
}

/// Returns the fields of the frame that has a context, if something was recorded on it.
pub(super) fn recorded_in(cx: &Context) -> Option<Fields> {
    let view = View::of(cx);
    thread::with_frames(|stack| stack.recorded_in(view).cloned()).flatten()
}

/// Drops removed values, and ensures that values recorded on the frame on top can be read.
#[inline]
fn after(gone: Option<Gone>) {
    drop(gone);
    settle_recorded();
}

/// Ensures that values recorded on the frame on top can be read, after another context was removed from above it.
#[inline]
pub(crate) fn settle_recorded() {
    if thread::is_recorded() {
        settle();
    }
}

#[cold]
fn settle() {
    let top = thread::with_frames(|stack| {
        thread::set_recorded(stack.recorded > 0);
        let top = stack.frames.last_mut().filter(|top| top.is_recorded && top.view.address == NOTHING)?;
        Some((top.id, top.view, top.fields.clone()?))
    });
    // The context has no fields that identify it, so the frame gets one that has.
    let Some((id, view, fields)) = top.flatten() else { return };
    let context = thread::read(|cx| (View::of(cx) == view).then(|| cx.with_carried(fields, cx.remote().cloned())));
    let Some(context) = context.flatten() else { return };
    // Dropped first, so that recording on a frame again and again does not accumulate contexts.
    drop(thread::with_frames(|stack| stack.frames.iter_mut().find(|frame| frame.id == id)?.attached.take()));
    let attached = attach(context);
    let view = thread::read(View::of);
    let unused = thread::with_frames(|stack| {
        let frame = stack.frames.iter_mut().rfind(|frame| frame.id == id);
        match (frame, view) {
            (Some(frame), Some(view)) => {
                frame.view = view;
                frame.attached = Some(attached);
                None
            }
            _ => Some(attached),
        }
    });
    drop(unused);
}
