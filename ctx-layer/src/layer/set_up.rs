//! What is wrong with the set-up of a stack: found when it is built, and said with the first span or event that comes through.
//!
//! Not when the stack is installed: the list of dispatchers is locked then, and a warning would wait for it for ever.

use std::{
    any::{TypeId, type_name},
    panic::Location,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing_core::{
    Dispatch, Event, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::Layer;

use super::other_version;
use crate::{field::warn_of_postponed, warning::warn};

/// How a [`ContextSubscriber`](super::ContextSubscriber) was put into its stack.
pub(super) struct SetUp {
    is_checked: AtomicBool,
    /// Another one is around it, which says what is to be said.
    is_wrapped: AtomicBool,
    has_layer_over: AtomicBool,
    /// By the type of what it wraps.
    has_opentelemetry_layer: bool,
    /// Where it was created.
    at: &'static Location<'static>,
}

impl SetUp {
    /// The set-up of one over a stack of type `S`.
    #[track_caller]
    pub(super) fn over<S>() -> Self {
        learn_marker();
        SetUp {
            is_checked: AtomicBool::new(false),
            is_wrapped: AtomicBool::new(false),
            has_layer_over: AtomicBool::new(false),
            has_opentelemetry_layer: other_version::names_opentelemetry_layer(type_name::<S>()),
            at: Location::caller(),
        }
    }

    /// Returns `true` if the stack is known to have an OpenTelemetry layer.
    pub(super) fn has_opentelemetry_layer(&self) -> bool {
        self.has_opentelemetry_layer
    }

    /// Notes that another one was put around it.
    pub(super) fn wrap(&self) {
        self.is_wrapped.store(true, Ordering::Relaxed);
    }

    /// Notes that it was asked for a type that is not its own.
    #[inline]
    pub(super) fn asked_for(&self, id: TypeId) {
        if MARKER.get() == Some(&id) && !self.is_wrapped.load(Ordering::Relaxed) {
            self.has_layer_over.store(true, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(super) fn is_checked(&self) -> bool {
        self.is_checked.load(Ordering::Relaxed)
    }

    /// Says what is wrong, once. `about_to` is what is passed on next: filters of single layers keep their answers until it is,
    /// so they are asked for it again.
    pub(super) fn check(&self, dispatch: &Dispatch, about_to: &Metadata<'_>) {
        if self.is_checked.swap(true, Ordering::Relaxed) {
            return;
        }
        let has_layer_over = self.has_layer_over.load(Ordering::Relaxed);
        let mut has_warned = warn_of_postponed(dispatch);
        if has_layer_over {
            has_warned = true;
            warn(
                dispatch,
                None,
                format_args!(
                    "a layer or filter was added over the `ContextSubscriber` that was created at {}: it sees spans and events \
                     without context fields, and what it switches off carries none. Call `with_context_fields` last, after every \
                     `with`, right before `.init()`",
                    self.at
                ),
            );
        } else if self.has_opentelemetry_layer
            && !self.is_wrapped.load(Ordering::Relaxed)
            && other_version::is_there(dispatch)
        {
            has_warned = true;
            warn(
                dispatch,
                None,
                format_args!(
                    "the stack under the `ContextSubscriber` that was created at {} has an OpenTelemetry layer {UNSEEN}",
                    self.at
                ),
            );
        }
        if has_warned {
            dispatch.enabled(about_to);
        }
    }
}

/// How the warning of an OpenTelemetry layer that cannot be seen goes on.
const UNSEEN: &str = if cfg!(feature = "tracing-opentelemetry") {
    "of another version of `tracing-opentelemetry` than `ctx-layer` uses: its spans are not seen, so events have no trace ids, \
     and the trace is not propagated. Depend on the same version, which `cargo tree -i tracing-opentelemetry` shows"
} else {
    "that `ctx-layer` cannot see: its spans get no status and no links, and some events have no trace ids. Add \
     `tracing-opentelemetry` to the `features` of `ctx-layer` in Cargo.toml"
};

/// The type that `tracing-subscriber` asks a subscriber for when a layer is added over it: whether there are filters of single
/// layers inside. It is private, and so is learned from what is asked.
static MARKER: OnceLock<TypeId> = OnceLock::new();

fn learn_marker() {
    if MARKER.get().is_none() {
        let _layered = LevelFilter::OFF.with_subscriber(Asked);
    }
}

/// A subscriber that notes the first type it is asked for.
struct Asked;

impl Subscriber for Asked {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    // Forced by the trait; see `ContextSubscriber`. Gives no pointer.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        let _ = MARKER.set(id);
        None
    }
}
