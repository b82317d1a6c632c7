//! Recording a value on frames.

use std::num::NonZeroUsize;

use opentelemetry::baggage::BaggageExt;

use super::{
    recorded::settle_recorded,
    stack::{FrameStack, Gone},
    thread_frames::with_frames,
};
use crate::{
    context::{
        remembered::Remembered,
        thread_state,
        view::{View, baggage_hash},
    },
    field::{Call, Fields, Shared},
};

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

impl FrameStack {
    /// Returns the frames and the span on which a value has to be recorded.
    fn reach(&self, subscriber: NonZeroUsize, view: View) -> Reach {
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
            if !frame.is_recorded {
                frame.is_recorded = true;
                thread_state::add_recorded();
            }
            gone._fields.extend(frame.fields.replace(fields.with_recorded(call, value)));
        }
        gone
    }
}

/// Returns the frames and the span on which a value has to be recorded here.
pub(crate) fn reach(subscriber: NonZeroUsize) -> Reach {
    let view = thread_state::read(View::of);
    view.and_then(|view| with_frames(|stack| stack.reach(subscriber, view))).unwrap_or(Reach::Nothing)
}

/// Returns the contents of a frame, by its place.
pub(crate) fn anchor_of(at: usize) -> Anchor {
    let anchor = with_frames(|stack| Anchor { fields: stack.fields_of(at), baggage: stack.frames[at].baggage });
    anchor.unwrap_or_else(|| Anchor::of(Remembered::default()))
}

/// Sets a value in the frames from `from` up that are related to `anchor`.
pub(crate) fn record(from: usize, anchor: &Anchor, call: Call, value: &Shared) {
    after(with_frames(|stack| stack.record(from, anchor, call, value)));
}

/// Drops removed values, and ensures that values recorded on the frame on top can be read.
#[inline]
fn after(gone: Option<Gone>) {
    drop(gone);
    settle_recorded();
}
