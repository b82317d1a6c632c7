//! The stack of frames.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::{
    context::{
        attach::Attached,
        context_value::NOTHING,
        frame::{Frame, FrameId, SpanKey},
        remembered::Remembered,
        view::View,
    },
    field::Fields,
};

/// The frames of a thread, the outermost first.
#[derive(Default)]
pub(super) struct FrameStack {
    pub(super) frames: Vec<Frame>,
    pub(super) hidden: Vec<HiddenSpan>,
    pub(super) lost: Vec<LostContext>,
    pub(super) next: u64,
}

/// A span that is entered around a frame which hides it.
pub(super) struct HiddenSpan {
    pub(super) frame: FrameId,
    pub(super) span: u64,
}

/// A frame whose context a layer attached for a span further down, which was exited while other frames were above this one.
pub(super) struct LostContext {
    pub(super) frame: FrameId,
    /// The values that the span remembers.
    pub(super) remembered: Remembered,
    /// Another library attached a context over the frame since. That may be an empty one, which looks like none: then nothing says
    /// when it ends, and the frame's context is not restored.
    pub(super) is_below_another: bool,
}

/// Values that are removed with a frame, or replaced in one. They have to be dropped while nothing is borrowed: values may have
/// destructors that log, and so may OpenTelemetry's spans.
#[derive(Default)]
#[must_use]
pub(super) struct Gone {
    pub(super) _frame: Option<Frame>,
    pub(super) _fields: SmallVec<[Fields; 2]>,
    pub(super) _lost: Vec<LostContext>,
}

/// The parts of a frame that was taken off the top which have destructors. See [`Gone`]. Dropped in this order.
#[must_use]
pub(super) struct TakenOff {
    pub(super) _fields: Option<Fields>,
    pub(super) _attached: Option<Attached>,
    pub(super) _cover: Option<Arc<Remembered>>,
}

impl FrameStack {
    /// Takes off the frame on top, without moving all of it: it is large.
    #[inline]
    pub(super) fn take_off(&mut self) -> Option<TakenOff> {
        let top = self.frames.last_mut()?;
        let (_fields, _attached, _cover) = (top.fields.take(), top.attached.take(), top.cover.take());
        // Nothing is left that has a destructor.
        std::mem::forget(self.frames.pop());
        Some(TakenOff { _fields, _attached, _cover })
    }

    pub(super) fn top_fields(&self) -> Fields {
        self.frames.len().checked_sub(1).map(|top| self.fields_of(top)).unwrap_or_default()
    }

    pub(super) fn top_view(&self) -> View {
        self.frames.last().map_or(View::NOTHING, |top| top.view)
    }

    #[inline]
    pub(super) fn position(&self, id: FrameId) -> Option<usize> {
        self.frames.iter().rposition(|frame| frame.id == id)
    }

    /// Returns the fields of a frame.
    pub(super) fn fields_of(&self, at: usize) -> Fields {
        let address = self.frames[at].view.address;
        if self.frames[at].fields.is_none() && address == NOTHING {
            return Fields::new();
        }
        let same = self.frames[..=at].iter().rev().filter(|frame| frame.view.address == address);
        same.filter_map(|frame| frame.fields.as_ref()).next().cloned().unwrap_or_default()
    }

    /// Returns the innermost frame that was pushed when the span was entered.
    #[inline]
    pub(super) fn own_frame_of(&self, span: SpanKey) -> Option<usize> {
        self.frames.iter().rposition(|frame| frame.span == Some(span) && !frame.is_guarded)
    }

    pub(super) fn lowest_of(&self, span: SpanKey) -> Option<usize> {
        self.frames.iter().position(|frame| frame.span == Some(span) && !frame.is_span_apart)
    }
}

/// Returns `true` if fields that replace others belong to the same request: then recorded values are set on both.
///
/// Fields without values belong to no request: receiving a message where nothing is current does not change that.
pub(crate) fn is_same_request(new: &Fields, below: &Fields) -> bool {
    new.is_same(below) || (!new.is_blank() && !below.is_blank() && new.is_related_to(below))
}
