//! Errors in the set-up of a stack: found when it is built, and logged with its first span or event.
//!
//! They are not logged when the stack is installed, because the list of dispatchers is locked then: a warning would deadlock.

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

use super::{opentelemetry_layer::UNSEEN, other_version};
use crate::{field::warn_of_postponed, warning::warn};

/// The position of a [`ContextSubscriber`](super::ContextSubscriber) in its stack.
pub(super) struct SetUp {
    is_checked: AtomicBool,
    /// Another one is around it, which logs the warnings.
    is_wrapped: AtomicBool,
    has_layer_over: AtomicBool,
    /// `true` if the type of the wrapped stack has an OpenTelemetry layer.
    has_opentelemetry_layer: bool,
    /// The place where it was created.
    at: &'static Location<'static>,
}

impl SetUp {
    /// Creates the set-up of a subscriber over a stack of type `S`.
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

    /// Notes that another one is around it.
    pub(super) fn wrap(&self) {
        self.is_wrapped.store(true, Ordering::Relaxed);
    }

    /// Notes a downcast to a type that is not its own.
    #[inline]
    pub(super) fn note_downcast(&self, id: TypeId) {
        if MARKER.get() == Some(&id) && !self.is_wrapped.load(Ordering::Relaxed) {
            self.has_layer_over.store(true, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(super) fn is_checked(&self) -> bool {
        self.is_checked.load(Ordering::Relaxed)
    }

    /// Logs what is wrong, once. `about_to` is the metadata of what is passed on next. Filters of single layers keep their answers
    /// until then, so they are asked for it again.
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
                     without context fields, and spans that it disables carry none. Call `with_context_fields` last, after every \
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

/// The type that `tracing-subscriber` downcasts a subscriber to when a layer is added over it, to find filters of single layers.
/// The type is private, so its id is learned from such a downcast.
static MARKER: OnceLock<TypeId> = OnceLock::new();

fn learn_marker() {
    if MARKER.get().is_none() {
        let _layered = LevelFilter::OFF.with_subscriber(MarkerProbe);
    }
}

/// A subscriber that stores the first type it is downcast to.
struct MarkerProbe;

impl Subscriber for MarkerProbe {
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

    // Required by the trait; see `ContextSubscriber`. Returns no pointer.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        let _ = MARKER.set(id);
        None
    }
}
