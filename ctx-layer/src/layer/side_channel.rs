//! The side channel of this crate's layers: facts about a span, event or record that `tracing` does not pass on, kept for this
//! thread while the item is passed on.
//!
//! A layer could find the subscriber over the stack through its dispatcher, but `tracing-subscriber` does not give the dispatcher to
//! every layer (not to those in an `Option` or a `Vec`, nor to those added by `reload`).
//!
//! | fact | from | to |
//! |---|---|---|
//! | [`Marks`]: the fields that are filled, and the metadata with all fields | whatever adds fields | the layers below |
//! | what the explicit parent remembers, if that is not current | the subscriber | the layers below |
//! | the policies by which fields are shown | the subscriber, the wrapper of one output | outputs that encode fields themselves |
//! | the fields that are among the values already | a span of this crate | the subscriber |

use std::cell::{Cell, RefCell};
#[cfg(feature = "_output")]
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_core::Metadata;

#[cfg(feature = "_output")]
use super::policies::Policies;
use crate::context::Remembered;
#[cfg(feature = "_received")]
use crate::field::Fields;

/// The facts about an item that is passed on.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    /// The address of the item. It is unique as long as that lives.
    pub(super) item: usize,
    /// The bits of the fields that are filled.
    pub(super) filled: u64,
    /// The metadata that has all fields of an event with added fields.
    pub(super) all: Option<&'static Metadata<'static>>,
}

thread_local! {
    /// The item that is passed on now, if anything is known about it. Has no destructor, and so can always be read.
    static MARKED: Cell<Marks> = const { Cell::new(Marks { item: 0, filled: 0, all: None }) };
    static ELSEWHERE: RefCell<Option<Remembered>> = const { RefCell::new(None) };
}

/// Returns the marks of the item that is passed on now, which may be another than the one asked about.
#[inline]
pub(super) fn marks() -> Marks {
    MARKED.get()
}

/// Sets the marks until the guard is dropped.
pub(super) fn mark(marks: Marks) -> RestoreMarks {
    RestoreMarks(MARKED.replace(marks))
}

/// A guard that restores the previous marks on drop.
pub(super) struct RestoreMarks(Marks);

impl Drop for RestoreMarks {
    fn drop(&mut self) {
        MARKED.set(self.0);
    }
}

/// Calls `f` with [`elsewhere`] set to what the explicit parent remembers, if that is not current.
#[cold]
pub(super) fn with_elsewhere<R>(elsewhere: Option<Remembered>, f: impl FnOnce() -> R) -> R {
    let _restore = RestoreElsewhere(replace(elsewhere));
    f()
}

/// Returns what the explicit parent of the span or event that is being passed on remembers, if that is not current.
pub(crate) fn elsewhere() -> Option<Remembered> {
    ELSEWHERE.try_with(|elsewhere| elsewhere.borrow().clone()).ok().flatten()
}

struct RestoreElsewhere(Option<Remembered>);

impl Drop for RestoreElsewhere {
    fn drop(&mut self) {
        drop(replace(self.0.take()));
    }
}

fn replace(elsewhere: Option<Remembered>) -> Option<Remembered> {
    ELSEWHERE.try_with(|current| current.replace(elsewhere)).ok().flatten()
}

#[cfg(feature = "_output")]
thread_local! {
    /// Has no destructor, and so can always be read.
    static PUBLISHED: Cell<Option<&'static Policies>> = const { Cell::new(None) };
}

/// `true` if any output was created that reads the published policies.
#[cfg(feature = "_output")]
static IS_READ: AtomicBool = AtomicBool::new(false);

#[cfg(feature = "_output")]
impl Policies {
    /// Returns the policies that apply to the event that is passed on here.
    #[inline]
    pub(crate) fn published() -> &'static Self {
        PUBLISHED.get().unwrap_or(Policies::declared())
    }

    /// Makes layers publish the policies from now on.
    pub(crate) fn ask_for() {
        IS_READ.store(true, Ordering::Relaxed);
    }

    /// Publishes these policies until the guard is dropped.
    #[inline]
    pub(super) fn publish(&'static self) -> Option<Published> {
        IS_READ.load(Ordering::Relaxed).then(|| Published(PUBLISHED.replace(Some(self))))
    }

    /// Publishes these policies in addition to the current ones, which they override, until the guard is dropped.
    #[inline]
    pub(super) fn publish_besides(&'static self) -> Option<Published> {
        IS_READ.load(Ordering::Relaxed).then(|| {
            let all = Self::published().with(self);
            Published(PUBLISHED.replace(Some(all)))
        })
    }
}

/// A guard that restores the previous policies on drop.
#[cfg(feature = "_output")]
pub(super) struct Published(Option<&'static Policies>);

#[cfg(feature = "_output")]
impl Drop for Published {
    #[inline]
    fn drop(&mut self) {
        PUBLISHED.set(self.0);
    }
}

#[cfg(feature = "_received")]
thread_local! {
    /// The address of the complete values. Has no destructor, and so can always be read.
    static COMPLETE: Cell<usize> = const { Cell::new(0) };
    /// The fields among them.
    static FIELDS: Cell<Fields> = const { Cell::new(Fields::new()) };
}

/// Notes that the values at an address have these fields, until the guard is dropped. Returns `None` while the thread is being torn
/// down.
#[cfg(feature = "_received")]
pub(super) fn complete(values: usize, fields: &Fields) -> Option<RestoreCompleted> {
    FIELDS.try_with(|kept| kept.set(fields.clone())).ok()?;
    Some(RestoreCompleted(COMPLETE.replace(values)))
}

/// Takes the fields that are among the values at an address, if they all are.
#[cfg(feature = "_received")]
#[inline]
pub(super) fn take_completed(values: usize) -> Option<Fields> {
    if COMPLETE.get() != values {
        return None;
    }
    // The fields are gone if a layer around the subscriber has created another complete span first.
    FIELDS.try_with(Cell::take).ok().filter(|fields| !fields.is_blank())
}

/// Restores the previous address when the span is created, or when another was created meanwhile.
#[cfg(feature = "_received")]
pub(super) struct RestoreCompleted(usize);

#[cfg(feature = "_received")]
impl Drop for RestoreCompleted {
    fn drop(&mut self) {
        COMPLETE.set(self.0);
        // The fields are still there if what was passed on was another span.
        drop(FIELDS.try_with(Cell::take));
    }
}
