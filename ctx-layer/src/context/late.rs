//! Values that are set on a thread until some moment that no guard marks: until a span is left.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use opentelemetry::Context;

use super::{
    ContextFieldsExt,
    attach::{Attached, attach},
    thread::read,
};
use crate::field::{Entry, Fields};

thread_local! {
    /// How many there are: nearly always none, and then nobody need look.
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// Numbers scopes and bindings of this thread in the order in which they were made.
    static CLOCK: Cell<u64> = const { Cell::new(0) };
    static BINDINGS: RefCell<Vec<Binding>> = {
        // Before this list, so that OpenTelemetry's thread-local outlives it: what is attached in it needs that.
        let _ = read(|_| ());
        const { RefCell::new(Vec::new()) }
    };
}

/// By whom values are bound.
pub(crate) type Owner = (usize, u64);

struct Binding {
    owner: Owner,
    made_at: u64,
    entries: Vec<Arc<Entry>>,
    attached: Option<Attached>,
}

impl Binding {
    /// Puts the values over whatever is in force.
    fn attach(&mut self) {
        let cx = read(|cx| {
            let fields = self.entries.iter().cloned().fold(cx.fields().clone(), Fields::with_entry);
            cx.with_fields(fields)
        });
        self.attached = cx.map(attach);
    }
}

/// The number of a scope that is being made.
pub(super) fn tick() -> u64 {
    let now = CLOCK.get();
    CLOCK.set(now + 1);
    now
}

/// Whether anything is bound on this thread.
#[inline]
pub(crate) fn is_any() -> bool {
    COUNT.get() > 0
}

/// Puts a value in force until `owner` releases it.
pub(crate) fn bind(owner: Owner, entry: Arc<Entry>) {
    let mut binding = take(|binding| binding.owner == owner).pop().unwrap_or(Binding {
        owner,
        made_at: 0,
        entries: Vec::new(),
        attached: None,
    });
    binding.entries.retain(|other| !std::ptr::eq(other.declaration(), entry.declaration()));
    binding.entries.push(entry);
    binding.made_at = tick();
    put_back(vec![binding]);
}

/// Takes what `owner` bound out of force.
pub(crate) fn release(owner: Owner) {
    drop(take(|binding| binding.owner == owner));
}

/// Calls `detach`, which ends a scope, so that what was bound within it stays in force and what was set by the scope
/// does not: each binding attached a context that was made from the scope's.
pub(super) fn outlive(scope_made_at: u64, detach: impl FnOnce()) {
    if !is_any() {
        return detach();
    }
    let within = take(|binding| binding.made_at > scope_made_at);
    detach();
    put_back(within);
}

/// Takes bindings off the list and out of force, the last-made first.
fn take(is_wanted: impl Fn(&Binding) -> bool) -> Vec<Binding> {
    let mut taken = BINDINGS
        .try_with(|bindings| {
            let mut bindings = bindings.borrow_mut();
            let taken: Vec<_> = bindings.extract_if(.., |binding| is_wanted(binding)).collect();
            COUNT.set(bindings.len());
            taken
        })
        .unwrap_or_default();
    for binding in taken.iter_mut().rev() {
        binding.attached = None;
    }
    taken
}

/// Puts bindings in force, in their order, and on the list.
fn put_back(mut bindings: Vec<Binding>) {
    for binding in &mut bindings {
        binding.attach();
    }
    let _ = BINDINGS.try_with(|all| {
        let mut all = all.borrow_mut();
        all.append(&mut bindings);
        COUNT.set(all.len());
    });
}

/// The current context, to make another from.
pub(super) fn current() -> Context {
    read(Context::clone).unwrap_or_default()
}
