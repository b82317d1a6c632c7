//! Values that were recorded on a span that was open already, on the threads where it is entered, until it is left.
//!
//! They are not attached as a context: OpenTelemetry's contexts end in any order and without telling, and one that was
//! made from another and outlives it would keep what the other set. They are laid over the context in which they were
//! recorded when that is read, and over no other.

use std::cell::{Cell, RefCell};

use opentelemetry::{Context, baggage::BaggageExt};

use super::{
    ContextFieldsExt,
    thread::{self, read},
};
use crate::field::{Fields, Shared};

thread_local! {
    /// Whether there are any: nearly always not, and then nobody need look.
    static IS_ANY: Cell<bool> = const { Cell::new(false) };
    static BINDINGS: RefCell<Vec<Binding>> = const { RefCell::new(Vec::new()) };
}

/// By whom values are bound: a subscriber and a span of it.
pub(crate) type Owner = (usize, u64);

struct Binding {
    owner: Owner,
    /// How often the span was entered since.
    entered: usize,
    /// The context over which the values are laid, kept so that no other can be taken for it.
    base: Context,
    values: Vec<Shared>,
    /// What is in force in that context: its own fields, and the values.
    fields: Fields,
}

impl Binding {
    fn is_over(&self, cx: &Context) -> bool {
        self.base.fields().is_same(cx.fields()) && std::ptr::eq(self.base.baggage(), cx.baggage())
    }
}

/// Whether anything is bound on this thread.
#[inline]
pub(crate) fn is_any() -> bool {
    IS_ANY.get()
}

/// The fields in force in a context of this thread, those set by the program: the context's own and what is laid over.
pub(crate) fn effective(cx: &Context) -> Fields {
    if !is_any() {
        return cx.fields().clone();
    }
    with(|bindings| over(bindings, cx).map(|binding| binding.fields.clone()))
        .flatten()
        .unwrap_or_else(|| cx.fields().clone())
}

fn over<'a>(bindings: &'a [Binding], cx: &Context) -> Option<&'a Binding> {
    bindings.iter().rfind(|binding| binding.is_over(cx))
}

/// Lays a value over the current context until `owner` releases it. `all` are all values recorded on that span.
pub(crate) fn bind(owner: Owner, value: &Shared, all: &Fields) {
    let Some(base) = read(Context::clone) else { return };
    let below = effective(&base);
    // A set of its own would be taken for another request's when the span is entered again.
    let fields = if below.is_blank() { all.clone() } else { below.with_shared(value.clone()) };
    let binding = Binding { owner, entered: 0, base, values: vec![value.clone()], fields };
    with(|bindings| bindings.push(binding));
}

/// Notes that a span was entered to which values may be bound.
pub(crate) fn enter(owner: Owner) {
    with(|bindings| {
        for binding in bindings.iter_mut().filter(|binding| binding.owner == owner) {
            binding.entered += 1;
        }
    });
}

/// Takes what `owner` bound out of force, unless it is entered still.
pub(crate) fn exit(owner: Owner, is_entered_still: impl FnOnce() -> bool) {
    let again = with(|bindings| {
        let mut again = false;
        for binding in bindings.iter_mut().filter(|binding| binding.owner == owner && binding.entered > 0) {
            binding.entered -= 1;
            again = true;
        }
        again
    });
    if again == Some(false) && !is_entered_still() {
        // Dropped here, outside the borrow: values may have destructors that log.
        let released = with(|bindings| bindings.extract_if(.., |binding| binding.owner == owner).collect::<Vec<_>>());
        drop(released);
    }
}

/// Has what was bound within a scope outlive it: `mine` is the scope's context, `before` the one it was made in.
pub(super) fn outlive(mine: &Fields, before: &Context) {
    with(|bindings| {
        for at in 0..bindings.len() {
            if !bindings[at].base.fields().is_same(mine) {
                continue;
            }
            let below = over(&bindings[..at], before).map_or_else(|| before.fields().clone(), |it| it.fields.clone());
            let binding = &mut bindings[at];
            binding.base = before.clone();
            binding.fields = binding.values.iter().cloned().fold(below, Fields::with_shared);
        }
    });
}

fn with<R>(f: impl FnOnce(&mut Vec<Binding>) -> R) -> Option<R> {
    BINDINGS
        .try_with(|bindings| {
            let mut bindings = bindings.borrow_mut();
            let result = f(&mut bindings);
            if IS_ANY.replace(!bindings.is_empty()) == bindings.is_empty() {
                thread::set_late(!bindings.is_empty());
            }
            result
        })
        .ok()
}
