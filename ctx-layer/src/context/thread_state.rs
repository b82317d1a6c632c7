//! The state of this thread: if its OpenTelemetry context can be read, and is the intended one.

use std::cell::Cell;

use opentelemetry::Context;

use crate::thread_probe::ThreadProbe;

thread_local! {
    /// Has no destructor, and so can always be read, at little cost.
    static STATE: Cell<State> = const { Cell::new(State::NotKnown) };
    /// The number of frames on which something was recorded. Not among the frames, which are built on this.
    static RECORDED: Cell<usize> = const { Cell::new(0) };
    /// Destroyed before OpenTelemetry's.
    static PROBE: ThreadProbe = ThreadProbe::new(set_usable, || Context::map_current(|_| ()));
}

/// The state of this thread's OpenTelemetry context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    NotKnown,
    Ready,
    /// Ready, and a value was recorded on a frame since it was pushed.
    Recorded,
    /// This many attached contexts were refused: the current context is not the intended one.
    Refused(u32),
    /// The thread is being torn down.
    Gone,
}

fn set_usable(is_usable: bool) {
    STATE.set(if is_usable { State::Ready } else { State::Gone });
}

#[inline]
pub(crate) fn state() -> State {
    match STATE.get() {
        State::NotKnown => find_out(),
        known => known,
    }
}

#[cold]
fn find_out() -> State {
    match PROBE.try_with(|_| ()) {
        Ok(()) => STATE.get(),
        Err(_) => State::Gone,
    }
}

/// Returns `true` if this thread is being torn down.
#[inline]
pub(crate) fn is_gone() -> bool {
    state() == State::Gone
}

/// Notes that this thread is being torn down.
pub(super) fn set_gone() {
    STATE.set(State::Gone);
}

/// Returns `true` if the context may be read, is the intended one, and has all that was recorded.
#[inline]
pub(super) fn is_ready() -> bool {
    STATE.get() == State::Ready
}

/// Changes the number of refused contexts by `more`.
#[cold]
pub(super) fn refuse(more: i32) {
    let refused = match STATE.get() {
        State::Refused(refused) => refused,
        // Guards that the frames have are dropped then.
        State::Gone => return,
        _ => 0,
    };
    STATE.set(match refused.saturating_add_signed(more) {
        0 if RECORDED.get() > 0 => State::Recorded,
        0 => State::Ready,
        refused => State::Refused(refused),
    });
}

/// Notes that something was recorded on one frame more.
pub(super) fn add_recorded() {
    RECORDED.set(RECORDED.get() + 1);
    update_recorded();
}

/// Notes that a frame was removed on which something was recorded. The state stays until the frame is dropped: see
/// [`update_recorded`].
pub(super) fn remove_recorded() {
    RECORDED.set(RECORDED.get() - 1);
}

/// Sets the state to whether there is a frame on which something was recorded.
#[inline]
pub(super) fn update_recorded() {
    if matches!(STATE.get(), State::Ready | State::Recorded) {
        STATE.set(if RECORDED.get() > 0 { State::Recorded } else { State::Ready });
    }
}

/// Returns `true` if something was recorded on a frame of this thread since it was pushed: then the OpenTelemetry context does
/// not have it.
#[inline]
pub(crate) fn is_recorded() -> bool {
    STATE.get() == State::Recorded
}

/// Reads the current OpenTelemetry context. Returns `None` if it must not be read, or is not the intended one.
///
/// `f` must not call other libraries: they could attach a context while this one is borrowed.
#[inline]
pub(crate) fn read<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    matches!(state(), State::Ready | State::Recorded).then(|| Context::map_current(f))
}

/// Reads the current OpenTelemetry context, if the state is `Ready`.
#[inline]
pub(crate) fn read_if_ready<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    is_ready().then(|| Context::map_current(f))
}
