//! Values that were recorded on frames: they are read from there, because the OpenTelemetry context does not have them.

use opentelemetry::Context;

use super::{stack::FrameStack, thread_frames::with_frames};
use crate::{
    context::{
        attach::attach,
        context_value::{ContextValueExt, NOTHING},
        thread_state,
        view::View,
    },
    field::Fields,
};

impl FrameStack {
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
}

/// Returns the fields that the program set in a context, with values recorded since if a frame of this thread has the context.
#[inline]
pub(crate) fn fields_in(cx: &Context) -> Fields {
    if thread_state::is_recorded() { recorded_in(cx) } else { cx.fields_alone().clone() }
}

#[cold]
fn recorded_in(cx: &Context) -> Fields {
    let view = View::of(cx);
    let recorded = with_frames(|stack| stack.recorded_in(view).cloned()).flatten();
    recorded.unwrap_or_else(|| cx.fields_alone().clone())
}

/// Ensures that values recorded on the frame on top can be read, after another context was removed from above it.
#[inline]
pub(crate) fn settle_recorded() {
    if thread_state::is_recorded() {
        settle();
    }
}

#[cold]
pub(super) fn settle() {
    thread_state::update_recorded();
    let top = with_frames(|stack| {
        let top = stack.frames.last_mut().filter(|top| top.is_recorded && top.view.address == NOTHING)?;
        Some((top.id, top.view, top.fields.clone()?))
    });
    // The context has no fields that identify it, so the frame gets one that has.
    let Some((id, view, fields)) = top.flatten() else { return };
    let address = fields.address();
    let context =
        thread_state::read(|cx| (View::of(cx) == view).then(|| cx.with_carried(fields, cx.remote().cloned())));
    let Some(context) = context.flatten() else { return };
    // Dropped first, so that recording on a frame again and again does not accumulate contexts.
    drop(with_frames(|stack| stack.frames.iter_mut().find(|frame| frame.id == id)?.attached.take()));
    let attached = attach(context, address);
    let view = thread_state::read(View::of);
    let unused = with_frames(|stack| {
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
