//! The state that the subscriber, the outputs and `record` share: the schema, and what the open spans remember.
//!
//! # Entering a span
//!
//! A future enters its spans at each poll. There are four ways, because reading the context, cloning fields and attaching a context
//! each cost about as much as the rest. Each way is tried only if the ones above it do not apply.
//!
//! | way | applies if | reads the context | clones fields | attaches |
//! |---|---|---|---|---|
//! | a guard of this crate enters it | [`SnapshotGuard`](crate::task::SnapshotGuard) pushes the frame itself | | | |
//! | [`push_bare`](frame_stack::push_bare) | the span remembers what the top frame has, by address: nearly always | once, after entering | no | no |
//! | [`entered`](Core::entered) | the same, but an OpenTelemetry layer attached a context meanwhile; or nothing is current, and that layer will attach what the span remembers | before and after | no | if that layer attached other fields |
//! | [`enter_elsewhere`](Core::enter_elsewhere) | there is baggage, a recorded value, or another request's fields | before and after | yes | if the fields differ |
//!
//! `contexts` saves the first way from reading the context *before* entering, until a layer was seen to attach one.
//!
//! | instructions, entered and exited | registry alone | ours |
//! |---|--:|--:|
//! | no field is current | 182 | 557 |
//! | its fields are current | 182 | 672 |

use std::{
    num::NonZeroUsize,
    ptr::NonNull,
    sync::atomic::{AtomicU8, Ordering},
};

use opentelemetry::Context;
use tracing::Span;
use tracing_core::{Dispatch, LevelFilter, Metadata, span::Id};
use tracing_subscriber::{
    Registry,
    registry::{LookupSpan, SpanData},
};

use super::{
    ambient::Ambient,
    kept_spans::KeptSpans,
    metadata::Augmentation,
    parent::Parentage,
    set_up::SetUp,
    span_memory::{Mark, SpanMemory},
    stack_dispatch::StackDispatch,
};
use crate::{
    context::{
        BAGGAGE, ContextFieldsExt, Frame, NOTHING, Remembered, SpanKey, View, fields_in,
        frame_stack::{self, Anchor, Reach},
        give_back, read, read_if_ready,
    },
    field::{Call, Fields, Shared},
};

/// The state of a [`ContextSubscriber`](super::ContextSubscriber) that does not depend on what it wraps.
pub(super) struct Core {
    pub(super) augmentation: Augmentation,
    pub(super) home: StackDispatch,
    pub(super) kept: KeptSpans,
    pub(super) set_up: SetUp,
    spans: SpanMemory,
    contexts: AtomicU8,
}

/// The contexts that layers attach when a span is entered, as an OpenTelemetry layer does.
mod contexts {
    /// No span was entered yet.
    pub(super) const NOT_KNOWN: u8 = 0;
    /// None was attached for the first span: the context need not be read before a span is entered.
    pub(super) const KEPT: u8 = 1;
    /// A context was seen that is not that of a frame.
    pub(super) const CHANGED: u8 = 2;
}

impl Core {
    /// Creates the state. Disabled spans are kept up to the level `kept`.
    pub(super) fn new(augmentation: Augmentation, kept: LevelFilter, set_up: SetUp) -> Self {
        let contexts = if set_up.has_opentelemetry_layer() { contexts::CHANGED } else { contexts::NOT_KNOWN };
        let (home, kept, spans) = (StackDispatch::new(), KeptSpans::new(kept), SpanMemory::new());
        Core { augmentation, home, kept, set_up, spans, contexts: AtomicU8::new(contexts) }
    }

    /// Returns the innermost span entered on this thread, if it is disabled and kept.
    pub(super) fn kept_current(&self) -> Option<Id> {
        let id = Id::from_u64(frame_stack::current_span(self.key())?);
        self.kept.contain(&id).then_some(id)
    }

    /// Returns a key that distinguishes this subscriber's spans from another's.
    pub(super) fn key(&self) -> NonZeroUsize {
        NonNull::from(self).addr()
    }

    /// Returns what entering an explicit parent here would make current, if that is not current already.
    pub(super) fn elsewhere_of(&self, parent: Parentage<'_>) -> Option<Remembered> {
        match parent {
            Parentage::Explicit(parent) => self.wanted(parent, &Remembered::current()).elsewhere,
            Parentage::Contextual | Parentage::Root => None,
        }
    }

    /// Returns what has to be current in a span that is entered here.
    fn wanted(&self, id: &Id, below: &Remembered) -> Wanted {
        let (remembered, recorded) = self.spans.get(id);
        if remembered.is_blank() && recorded.is_none() {
            let may_have_parent = !self.spans.is_marked(id, Mark::WithoutParentsFields);
            return Wanted { elsewhere: None, is_apart: false, may_have_parent };
        }
        if below.counts_as_descending_from(&remembered) {
            // Only over related fields: what is below may be a message's, in a future that was given the message here.
            let recorded = recorded.filter(|_| below.is_related_to(&remembered));
            let fields = recorded.map(|recorded| recorded.over(&below.fields, &remembered.fields));
            let fields = fields.filter(|fields| !fields.is_same(&below.fields));
            let elsewhere = fields.map(|fields| below.with_fields(fields));
            return Wanted { elsewhere, is_apart: false, may_have_parent: !remembered.has_baggage() };
        }
        let whole = recorded.map(|recorded| remembered.with_fields(recorded.whole().clone()));
        Wanted { elsewhere: Some(whole.unwrap_or(remembered)), is_apart: true, may_have_parent: false }
    }

    /// Returns the fields of a span that is entered by a snapshot of this context: values that were recorded on the span since
    /// is added if it is of the same request.
    fn in_snapshot(&self, id: &Id, captured: &Context, is_related: bool) -> Option<Fields> {
        let (remembered, recorded) = self.spans.get(id);
        let recorded =
            recorded.filter(|_| is_related || Remembered::carried_by(captured).is_related_to(&remembered))?;
        let captured = captured.fields();
        Some(recorded.over(captured, &remembered.fields)).filter(|fields| !fields.is_same(captured))
    }

    /// Stores the fields that a new span remembers, which may be empty.
    #[inline]
    pub(super) fn remember(&self, id: &Id, fields: Fields) {
        self.spans.remember(id, fields);
    }

    /// Stores the fields and the baggage that a new span remembers.
    pub(super) fn remember_all(&self, id: &Id, remembered: Remembered) {
        self.spans.remember_all(id, remembered);
    }

    /// Stores the fields and the baggage that a new span remembers which has an explicit parent.
    pub(super) fn remember_with_parent(&self, id: &Id, parent: &Id, remembered: Remembered) {
        let is_blank = remembered.is_blank();
        self.spans.remember_all(id, remembered);
        // Where nothing was current, and so nothing of the parent applied, an OpenTelemetry layer has taken the parent's context.
        if is_blank {
            let (of_parent, recorded) = self.spans.get(parent);
            if !of_parent.is_blank() || recorded.is_some() || self.spans.is_marked(parent, Mark::WithoutParentsFields) {
                self.spans.mark(id, Mark::WithoutParentsFields);
            }
        }
    }

    /// Returns what a span remembers.
    pub(super) fn remembered(&self, id: &Id) -> Remembered {
        self.spans.get(id).0
    }

    /// Returns the fields that a span was created with.
    pub(super) fn created_with(&self, id: &Id) -> Option<Fields> {
        let remembered = match self.spans.get(id) {
            (_, Some(recorded)) if recorded.was_nothing() => return None,
            (remembered, _) => remembered,
        };
        Some(Ambient::resolve(&self.augmentation, Some(&remembered), None)?.parts().0.clone())
    }

    pub(super) fn forget(&self, id: &Id) {
        let fields = self.spans.forget(id);
        // Fields that no other span has are dropped now, and not while the next request's are alive too.
        if fields.is_shared() {
            give_back(fields);
        }
    }

    /// Enters a span with `enter`, and ensures that its fields are current afterwards.
    ///
    /// An OpenTelemetry layer below attaches the context in which *it* saw the span created. So the fields are chosen before
    /// that, and compared after it.
    #[inline]
    pub(super) fn enter(&self, id: &Id, enter: impl FnOnce()) {
        if frame_stack::take_guarded().is_some() {
            return enter();
        }
        let contexts = self.contexts.load(Ordering::Relaxed);
        let top = if contexts == contexts::KEPT { frame_stack::top() } else { frame_stack::top_if_seen() };
        if top.address == BAGGAGE || self.spans.known_to_remember(id) != Some(top.address) {
            return self.enter_otherwise(id, enter);
        }
        enter();
        if frame_stack::push_bare(self.span_key(id), top) {
            if contexts == contexts::NOT_KNOWN {
                self.contexts.store(contexts::KEPT, Ordering::Relaxed);
            }
            return;
        }
        if contexts != contexts::CHANGED {
            self.contexts.store(contexts::CHANGED, Ordering::Relaxed);
        }
        if contexts == contexts::KEPT {
            // The context before is not known. If a layer changed it, and this is the first time, it is treated as another
            // library's: a layer that attaches contexts for some spans only was not seen to do it for the first span.
            self.enter_otherwise(id, || ());
        } else {
            self.entered(id, top.address, frame_stack::view_of(top));
        }
    }

    /// Enters a span if the attached context may be what the span remembers, or if nothing is current.
    #[inline(never)]
    fn enter_otherwise(&self, id: &Id, enter: impl FnOnce()) {
        let Some(before) = read_if_ready(View::of) else { return self.enter_elsewhere(id, enter) };
        let wanted = match before {
            View { baggage: 0, address, .. } => self.spans.known_to_remember(id).filter(|remembered| {
                // In a server's task between requests, what the span remembers is not current, and will be once an
                // OpenTelemetry layer has entered it.
                *remembered == address || (address == NOTHING && !frame_stack::has_cover())
            }),
            _ => None,
        };
        let Some(wanted) = wanted else { return self.enter_elsewhere(id, enter) };
        enter();
        self.entered(id, wanted, before);
    }

    /// Pushes the frame of a span that was entered when the context was `before`. `wanted` is the address of the fields that
    /// it remembers.
    #[inline(never)]
    fn entered(&self, id: &Id, wanted: usize, before: View) {
        let Some(after) = read_if_ready(View::of) else { return };
        let is_apart = wanted != before.address;
        // If the span brings nothing and nothing was current, an OpenTelemetry layer may have been given a parent that has
        // fields, or baggage. Otherwise it has taken them from the explicit parent. There was no baggage before.
        if (after.address != wanted || after.baggage != 0)
            && (wanted != NOTHING || self.spans.is_marked(id, Mark::WithoutParentsFields))
        {
            return self.restore(id, is_apart, before);
        }
        let mut frame = Frame::new(after);
        frame.of_span(self.span_key(id)).apart(is_apart);
        frame_stack::push(frame, before, || read(fields_in).unwrap_or_default());
    }

    /// Makes the remembered values of an entered span current.
    #[cold]
    #[inline(never)]
    fn restore(&self, id: &Id, is_apart: bool, over: View) {
        let (remembered, _) = self.spans.get(id);
        if let Some(cx) = read(|cx| remembered.put_in(cx)) {
            self.attach(id, cx, is_apart, over, remembered.fields);
        }
    }

    /// Enters a span that may remember other values than the current ones.
    #[inline(never)]
    fn enter_elsewhere(&self, id: &Id, enter: impl FnOnce()) {
        let Some((below, before)) = read(|cx| (Remembered::of(cx), View::of(cx))) else { return enter() };
        let Wanted { elsewhere, is_apart, may_have_parent } = self.wanted(id, &below);
        let is_changed = elsewhere.is_some();
        let wanted = elsewhere.unwrap_or_else(|| below.clone());
        let below = below.fields;
        enter();
        let attach = read(|cx| {
            let after = View::of(cx);
            // An OpenTelemetry layer may have been given a parent that has fields, or baggage.
            let is_of_parent = after != before && !wanted.has_baggage() && may_have_parent;
            let is_as_wanted = match () {
                () if is_of_parent && !is_changed && wanted.is_blank() => true,
                () if is_of_parent && after.baggage != 0 => fields_in(cx).is_same(&wanted.fields),
                () => wanted.is_in(cx),
            };
            (after, (!is_as_wanted).then(|| wanted.put_in(cx)))
        });
        match attach {
            Some((_, Some(cx))) => self.attach(id, cx, is_apart, before, below),
            Some((after, None)) => {
                let mut frame = Frame::new(after);
                frame.of_span(self.span_key(id)).apart(is_apart);
                if after.address != wanted.fields.address() {
                    frame.with_fields(wanted.fields);
                }
                frame_stack::push(frame, before, || below);
            }
            None => {}
        }
    }

    fn attach(&self, id: &Id, cx: Context, is_apart: bool, over: View, below: Fields) {
        let mut frame = Frame::attaching_all(cx);
        frame.of_span(self.span_key(id)).apart(is_apart);
        frame_stack::push(frame, over, || below);
    }

    /// Returns a key that distinguishes a span of this subscriber from one of another.
    #[inline]
    pub(super) fn span_key(&self, id: &Id) -> SpanKey {
        (self.key(), id.into_u64())
    }

    /// Records a value in the current scope. Returns the span on which it has to be recorded in outputs, if any.
    pub(super) fn record(&self, value: &Shared) -> Option<Id> {
        match frame_stack::reach(self.key()) {
            Reach::Nothing => None,
            Reach::Frames { from } => {
                let anchor = frame_stack::anchor_of(from);
                frame_stack::record(from, &anchor, Call::repeated(), value);
                None
            }
            Reach::Span { span, from } => {
                let id = Id::from_u64(span);
                self.record_from(&id, Some(from), value);
                Some(id)
            }
        }
    }

    /// Records a value on a given span.
    pub(super) fn record_on(&self, id: &Id, value: &Shared) {
        let from = frame_stack::lowest_of(self.span_key(id));
        self.record_from(id, from, value);
    }

    /// Marks a span as that of a request.
    pub(super) fn mark_request(&self, id: &Id) {
        self.spans.mark(id, Mark::Request);
    }

    /// Records a value on the span of the current request. Returns that span, if there is one.
    pub(super) fn record_on_request(&self, value: &Shared, registry: Option<&Registry>) -> Option<Id> {
        let (at, id) = frame_stack::find_span(self.key(), |span| self.request_around(&Id::from_u64(span), registry))?;
        // A task of the request may run where that span is not entered.
        let from = frame_stack::lowest_of(self.span_key(&id)).unwrap_or(at);
        self.record_from(&id, Some(from), value);
        Some(id)
    }

    /// Returns the nearest span of a request: the span itself, or one around it.
    fn request_around(&self, id: &Id, registry: Option<&Registry>) -> Option<Id> {
        let mut id = id.clone();
        loop {
            if self.spans.is_marked(&id, Mark::Request) {
                return Some(id);
            }
            id = registry?.span_data(&id)?.parent()?.clone();
        }
    }

    fn record_from(&self, id: &Id, from: Option<usize>, value: &Shared) {
        let call = self.spans.record(id, value, Remembered::current);
        if let Some(from) = from {
            let (remembered, _) = self.spans.get(id);
            frame_stack::record(from, &Anchor::of(remembered), call, value);
        }
    }
}

/// The values that have to be current in a span.
struct Wanted {
    /// `None` if they are those that are current around it.
    elsewhere: Option<Remembered>,
    /// The values belong to another request.
    is_apart: bool,
    /// Baggage that an OpenTelemetry layer has for the span is not that of the place where the span was created.
    may_have_parent: bool,
}

#[cfg(feature = "_output")]
impl StackDispatch {
    /// Stores the dispatcher of an output. Returns `true` if a [`ContextSubscriber`](super::ContextSubscriber) is over it.
    pub(crate) fn set_of_output(&self, dispatch: &Dispatch) -> bool {
        let is_watched = dispatch.downcast_ref::<Core>().is_some();
        self.set(dispatch, is_watched);
        is_watched
    }
}

/// Returns `true` for a span that no output of the current subscriber enables until the filters change, and that carries
/// fields nonetheless.
pub(crate) fn is_kept_only(metadata: &'static Metadata<'static>) -> bool {
    let look =
        |default: &Dispatch| default.downcast_ref::<Core>().is_some_and(|core| core.kept.is_never_wanted(metadata));
    tracing::dispatcher::get_default(look)
}

/// Returns how a snapshot enters a span: its key if it belongs to a [`ContextSubscriber`](super::ContextSubscriber), and the
/// captured fields with the values recorded on it since, if there are any. `is_related` is whether they are known to belong to
/// the span's request.
#[inline]
pub(crate) fn in_snapshot(span: &Span, captured: &Context, is_related: bool) -> (Option<SpanKey>, Option<Fields>) {
    let look = |(id, dispatch): (&Id, &Dispatch)| {
        let core = dispatch.downcast_ref::<Core>()?;
        let is_recorded = core.spans.known_to_remember(id).is_none();
        let fields = if is_recorded { core.in_snapshot(id, captured, is_related) } else { None };
        Some((core.span_key(id), fields))
    };
    match span.with_subscriber(look).flatten() {
        Some((key, fields)) => (Some(key), fields),
        None => (None, None),
    }
}

/// Returns `true` for events of the `opentelemetry` crate about its context stack, which are passed on unchanged. It emits them
/// while the stack is borrowed, and reading the context then would panic (`ContextStack::push` and `pop_id` in opentelemetry 0.33).
#[inline]
pub(crate) fn is_about_the_context(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "opentelemetry" && metadata.name().starts_with("Context.")
}
