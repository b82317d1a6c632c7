//! The frames of this thread.

use std::cell::RefCell;

use super::stack::FrameStack;
use crate::context::{thread_state, view::View};

thread_local! {
    static FRAMES: ThreadFrames = ThreadFrames::new();
}

/// The frames, as long as OpenTelemetry's thread-local may be used.
struct ThreadFrames(RefCell<FrameStack>);

impl ThreadFrames {
    fn new() -> Self {
        // Thread-locals are destroyed in reverse order of creation. The frames have contexts, so they have to be destroyed before
        // OpenTelemetry's: finding out the state creates that.
        thread_state::state();
        ThreadFrames(RefCell::default())
    }
}

impl Drop for ThreadFrames {
    fn drop(&mut self) {
        // First, so that what the frames have is dropped as on a thread that is being torn down.
        thread_state::set_gone();
    }
}

/// Calls `f` with the frames of this thread. It must not call other libraries, nor drop values with destructors of other crates.
#[inline]
pub(super) fn with_frames<R>(f: impl FnOnce(&mut FrameStack) -> R) -> Option<R> {
    FRAMES.try_with(|frames| frames.0.try_borrow_mut().ok().map(|mut frames| f(&mut frames))).ok().flatten()
}

/// Calls `f` with the frames of this thread, if the state is `Ready`.
#[inline]
pub(super) fn with_frames_if_ready<R>(f: impl FnOnce(&mut FrameStack) -> R) -> Option<R> {
    if thread_state::is_ready() { with_frames(f) } else { None }
}

/// Returns `true` if the view is that of the frame on top.
#[inline]
pub(super) fn is_seen_from_top(view: View) -> bool {
    with_frames(|stack| stack.top_view() == view) == Some(true)
}

/// Returns `true` if there is no frame on this thread.
#[inline]
pub(crate) fn is_empty() -> bool {
    with_frames(|stack| stack.frames.is_empty()).unwrap_or(true)
}
