//! Errors that were logged already, so that one that passes through several annotated functions is logged once.
//!
//! An error has no identity: it is moved, wrapped and converted on its way. It counts as the same if a call fails with the same
//! message as a call inside it did, or with an error that has that one among its sources. It is skipped only if every output has
//! it already, at a level that is at least as high. Otherwise it is logged again: a duplicate is better than a missing error.
//!
//! A call is identified by its address while it is entered. Notes of the calls inside are dropped when it is exited, so reused
//! ids and addresses do not matter.

use std::cell::{Cell, RefCell};

use tracing::{Level, dispatcher};
use tracing_subscriber::Registry;

use super::failure::Failed;
use crate::site::Site;

/// The number of notes kept on a thread. More than one, because calls that run side by side in one task may all fail.
const MOST: usize = 16;

/// An error that was logged.
#[derive(Debug)]
pub(super) struct Note {
    place: NotePlace,
    text: String,
    level: Level,
    is_everywhere: bool,
    /// The address of the subscriber's registry.
    subscriber: Option<usize>,
}

/// The place where an error was logged, by the addresses of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotePlace {
    /// Logged by this call, which is still entered.
    By(usize),
    /// Logged by a call inside this one.
    Inside(usize),
}

/// The notes that a future keeps between two polls: boxed, because there are hardly ever any.
#[derive(Debug)]
pub(super) struct Notes(Vec<Note>);

/// The part of this thread's state that every call reads. Has no destructor, so that it can always be read, at little cost.
struct Here {
    /// The innermost entered call, or 0.
    call: Cell<usize>,
    has_notes: Cell<bool>,
}

thread_local! {
    static HERE: Here = const { Here { call: Cell::new(0), has_notes: Cell::new(false) } };
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// Enters a call. Returns the one around it.
#[inline]
pub(super) fn enter(call: usize) -> usize {
    HERE.with(|here| here.call.replace(call))
}

/// Exits a call.
#[inline]
pub(super) fn leave(call: usize, outer: usize) {
    let has_notes = HERE.with(|here| {
        here.call.set(outer);
        here.has_notes.get()
    });
    if has_notes {
        settle(call, outer);
    }
}

/// Drops the notes inside a call, and moves its own notes to the call around it.
#[cold]
fn settle(call: usize, outer: usize) {
    with_notes(|notes| {
        notes.retain_mut(|note| match note.place {
            NotePlace::Inside(inside) => inside != call,
            NotePlace::By(by) if by == call => {
                note.place = NotePlace::Inside(outer);
                outer != 0
            }
            NotePlace::By(_) => true,
        });
    });
}

/// Calls `f` with the notes of this thread. Does nothing while the thread ends and the notes are gone.
fn with_notes<R>(f: impl FnOnce(&mut Vec<Note>) -> R) -> Option<R> {
    let with = |notes: &RefCell<Vec<Note>>| {
        let mut notes = notes.try_borrow_mut().ok()?;
        let result = f(&mut notes);
        HERE.with(|here| here.has_notes.set(!notes.is_empty()));
        Some(result)
    };
    NOTES.try_with(with).ok().flatten()
}

#[inline]
fn has_notes() -> bool {
    HERE.with(|here| here.has_notes.get())
}

/// Returns the address of the current subscriber's registry, or `None` if it has none.
fn subscriber() -> Option<usize> {
    dispatcher::get_default(|default| default.downcast_ref::<Registry>().map(|it| std::ptr::from_ref(it).addr()))
}

impl Note {
    /// Creates a note of an error that was just logged from this callsite.
    #[cold]
    pub(super) fn of(site: &'static Site, text: String) -> Self {
        Note {
            place: NotePlace::By(0),
            text,
            level: site.level(),
            is_everywhere: site.is_on_everywhere(),
            subscriber: subscriber(),
        }
    }

    /// Returns the note with the message that the error has in the next function.
    pub(super) fn with_text(self, text: String) -> Self {
        Note { text, ..self }
    }

    /// Returns `true` if no output would miss an event of this level.
    pub(super) fn replaces(&self, level: Level) -> bool {
        self.is_everywhere && self.level <= level && self.subscriber.is_some() && self.subscriber == subscriber()
    }

    fn is_of(&self, failed: &dyn Failed, text: &str) -> bool {
        let mut sources = std::iter::successors(failed.source(), |error| error.source());
        // Two errors without a message are not the same.
        !self.text.is_empty() && (text == self.text || sources.any(|source| source.to_string() == self.text))
    }
}

/// Returns `true` if there is a call for which a note would be kept.
#[inline]
pub(super) fn is_kept(call: Option<usize>) -> bool {
    call.is_some() || HERE.with(|here| here.call.get() != 0)
}

/// Keeps a note of an error that this call logged; for a call without a span, for the call around it.
#[cold]
pub(super) fn keep(note: Note, call: Option<usize>) {
    let place = match call {
        Some(call) => NotePlace::By(call),
        None => NotePlace::Inside(HERE.with(|here| here.call.get())),
    };
    if place == NotePlace::Inside(0) {
        return;
    }
    with_notes(|notes| {
        if notes.len() == MOST {
            notes.remove(0);
        }
        notes.push(Note { place, ..note });
    });
}

/// Takes the notes inside this call. Returns that of this error, and if there are several, the one that replaces most.
#[cold]
pub(super) fn noted(call: usize, failed: &dyn Failed, text: &str) -> Option<Note> {
    // Only now: `Display` may run other annotated functions, which may fail.
    let inside = take(call)?.0;
    let same = inside.into_iter().filter(|note| note.is_of(failed, text));
    same.max_by_key(|note| (note.is_everywhere, std::cmp::Reverse(note.level)))
}

/// Takes the notes inside this call, for a future that may continue on another thread.
#[inline]
pub(super) fn take(call: usize) -> Option<Box<Notes>> {
    if has_notes() { take_inside(call) } else { None }
}

#[cold]
fn take_inside(call: usize) -> Option<Box<Notes>> {
    let inside = NotePlace::Inside(call);
    let taken: Vec<Note> = with_notes(|notes| notes.extract_if(.., |note| note.place == inside).collect())?;
    (!taken.is_empty()).then(|| Box::new(Notes(taken)))
}

/// Puts notes back for the call, which may have moved.
#[cold]
pub(super) fn put_back(taken: Notes, call: usize) {
    with_notes(|notes| {
        notes.extend(taken.0.into_iter().map(|note| Note { place: NotePlace::Inside(call), ..note }));
        let surplus = notes.len().saturating_sub(MOST);
        notes.drain(..surplus);
    });
}
