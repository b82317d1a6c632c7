//! Reading this thread's OpenTelemetry context, if that is possible.

use std::{
    cell::{Cell, RefCell},
    panic,
};

use opentelemetry::{Context, baggage::BaggageExt};

use super::{ContextFieldsExt, fields_in, frame_stack::FrameStack, reading::has_nothing};
use crate::field::Fields;

thread_local! {
    /// Has no destructor, and so can always be read, at little cost.
    static STATE: Cell<State> = const { Cell::new(State::NotKnown) };
    static LOCAL: Local = Local::new();
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

/// The state that is kept per thread, as long as OpenTelemetry's thread-local may be used.
///
/// Thread-locals are destroyed in reverse order of creation, so this one is destroyed before OpenTelemetry's.
struct Local {
    /// The fields of the last event of this thread. See [`give_back`].
    kept: Cell<Fields>,
    frames: RefCell<FrameStack>,
}

impl Local {
    fn new() -> Self {
        // Set first, for a panic hook that logs while this panics: it gets here again, and a panic inside a panic hook aborts.
        STATE.set(State::Gone);
        // Panics only if a thread that used nothing of this crate before logs from the destructor of a thread-local, after
        // OpenTelemetry's is gone. There is no way to check; with `panic = "abort"` this aborts.
        let ready = panic::catch_unwind(|| Context::map_current(|_| ())).is_ok();
        STATE.set(if ready { State::Ready } else { State::Gone });
        Local { kept: Cell::new(Fields::new()), frames: RefCell::default() }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        STATE.set(State::Gone);
    }
}

#[inline]
pub(crate) fn state() -> State {
    match STATE.get() {
        State::NotKnown => find_out(),
        known => known,
    }
}

/// Returns `true` if this thread is being torn down.
#[inline]
pub(crate) fn is_gone() -> bool {
    state() == State::Gone
}

#[cold]
fn find_out() -> State {
    match LOCAL.try_with(|_| ()) {
        Ok(()) => STATE.get(),
        Err(_) => State::Gone,
    }
}

/// Changes the number of refused contexts by `more`.
#[cold]
pub(super) fn refuse(more: i32) {
    let refused = match STATE.get() {
        State::Refused(refused) => refused,
        _ => 0,
    };
    STATE.set(match refused.saturating_add_signed(more) {
        0 if with_frames(|stack| stack.is_recorded()) == Some(true) => State::Recorded,
        0 => State::Ready,
        refused => State::Refused(refused),
    });
}

/// Sets whether something was recorded on a frame since it was pushed.
#[inline]
pub(super) fn set_recorded(is_recorded: bool) {
    if matches!(STATE.get(), State::Ready | State::Recorded) {
        STATE.set(if is_recorded { State::Recorded } else { State::Ready });
    }
}

/// Returns `true` if something was recorded on a frame of this thread since it was pushed: then the OpenTelemetry context does
/// not have it.
#[inline]
pub(crate) fn is_recorded() -> bool {
    STATE.get() == State::Recorded
}

/// Calls `f` with the frames of this thread. It must not call other libraries, nor drop values with destructors of other crates.
#[inline]
pub(super) fn with_frames<R>(f: impl FnOnce(&mut FrameStack) -> R) -> Option<R> {
    LOCAL.try_with(|local| local.frames.try_borrow_mut().ok().map(|mut frames| f(&mut frames))).ok().flatten()
}

/// Calls `f` with the frames of this thread, if the state is `Ready`.
#[inline]
pub(super) fn with_frames_if_ready<R>(f: impl FnOnce(&mut FrameStack) -> R) -> Option<R> {
    if STATE.get() == State::Ready { with_frames(f) } else { None }
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
    (STATE.get() == State::Ready).then(|| Context::map_current(f))
}

/// Keeps fields that were current for the next event of this thread, which nearly always has the same ones.
///
/// So two threads that work for one request do not pass the cache line with the reference count back and forth with every
/// event. Only sets of [plain](Fields::is_plain) values are kept: dropping others may have effects.
#[inline]
pub(crate) fn give_back(fields: Fields) {
    if !fields.is_blank() && fields.is_plain() {
        let _ = LOCAL.try_with(|local| local.kept.set(fields));
    }
}

/// The values of the current context for a layer. Small enough to be returned in registers.
pub(crate) enum InForce {
    Nothing,
    /// To be [given back](give_back).
    Fields(Fields),
    /// More has to be checked: there is baggage.
    More,
}

/// The address of the empty set.
pub(crate) const NOTHING: usize = 0;
/// Not the address of any set.
pub(crate) const BAGGAGE: usize = usize::MAX;

/// Returns the address of a context's fields, or [`BAGGAGE`] if there is baggage.
///
/// Returns only a number, in a register, to keep the function as small as possible.
#[inline]
pub(crate) fn address_alone(cx: &Context) -> usize {
    if cx.baggage().is_empty() { cx.fields().address() } else { BAGGAGE }
}

/// Returns `true` if there certainly is no active span, no field, no baggage, and no recorded value.
#[inline(never)]
pub(crate) fn is_nothing_in_force() -> bool {
    read_if_ready(has_nothing) == Some(true)
}

/// Returns the current values.
#[inline]
pub(crate) fn in_force() -> InForce {
    if STATE.get() == State::Ready { in_context() } else { in_force_otherwise() }
}

/// Returns the values of the current context. The state must be `Ready`.
#[inline]
fn in_context() -> InForce {
    match Context::map_current(address_alone) {
        NOTHING => InForce::Nothing,
        BAGGAGE => InForce::More,
        address => InForce::Fields(fields_at(address)),
    }
}

#[cold]
fn in_force_otherwise() -> InForce {
    match state() {
        State::Ready => in_context(),
        State::Recorded => in_force_recorded(),
        State::NotKnown | State::Refused(_) | State::Gone => InForce::Nothing,
    }
}

/// Returns the current values if something was recorded on a frame.
#[cold]
fn in_force_recorded() -> InForce {
    match read(|cx| cx.baggage().is_empty().then(|| fields_in(cx))) {
        Some(None) => InForce::More,
        Some(Some(fields)) if !fields.is_blank() => InForce::Fields(fields),
        _ => InForce::Nothing,
    }
}

/// Returns the current fields, whose address is given.
#[inline]
fn fields_at(address: usize) -> Fields {
    let kept = LOCAL.try_with(|local| local.kept.take()).unwrap_or_default();
    if kept.address() == address { kept } else { other_than(kept) }
}

#[cold]
fn other_than(kept: Fields) -> Fields {
    let fields = read(|cx| cx.fields().clone()).unwrap_or_default();
    drop(kept);
    fields
}
