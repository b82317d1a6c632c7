//! Errors that were logged already, so that one that passes through several annotated functions is logged once.
//!
//! An error has no identity: it is moved, wrapped and converted on its way. It counts as the same where a call fails with
//! the same text as a call inside of it did, or with an error that has that one among its sources. It is left out only
//! where every output has it already, at a level that is at least as high; else it is logged again: rather twice than
//! never.
//!
//! A call is known by its address while it is entered. What was noted inside of it is forgotten when it is left, so that
//! neither ids nor addresses that are used again matter.

use std::cell::{Cell, RefCell};

use tracing::{Level, dispatcher};
use tracing_subscriber::Registry;

use super::{failure::Failed, site::Site};

/// The latest that are kept on a thread. More than one, as calls that run side by side in one task may all fail.
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

/// Where an error was logged, by the addresses of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotePlace {
    /// By this call, which is not left yet.
    By(usize),
    /// By a call inside this one.
    Inside(usize),
}

/// Those that a future keeps between two polls: one word of it, as there hardly ever are any.
#[derive(Debug)]
pub(super) struct Notes(Vec<Note>);

/// The calls and notes of this thread, as far as every call looks at them. Has no destructor, so that it is always there
/// and takes little time.
struct Here {
    /// The innermost call that is entered, or 0.
    call: Cell<usize>,
    has_notes: Cell<bool>,
}

thread_local! {
    static HERE: Here = const { Here { call: Cell::new(0), has_notes: Cell::new(false) } };
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// A call is entered. Returns the one around it.
#[inline]
pub(super) fn enter(call: usize) -> usize {
    HERE.with(|here| here.call.replace(call))
}

/// It is left.
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

/// Forgets what was noted inside a call, and notes for the one around it what that call logged.
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

/// Does nothing while the thread ends, when there are no notes any more.
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

/// The subscriber of this thread. Unknown where it has no registry.
fn subscriber() -> Option<usize> {
    dispatcher::get_default(|default| default.downcast_ref::<Registry>().map(|it| std::ptr::from_ref(it).addr()))
}

impl Note {
    /// An error that was logged just now, from this callsite.
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

    /// The same error, as the next function has it.
    pub(super) fn with_text(self, text: String) -> Self {
        Note { text, ..self }
    }

    /// Returns `true` if no output would miss anything without an event of this level.
    pub(super) fn replaces(&self, level: Level) -> bool {
        self.is_everywhere && self.level <= level && self.subscriber.is_some() && self.subscriber == subscriber()
    }

    fn is_of(&self, failed: &dyn Failed, text: &str) -> bool {
        let mut sources = std::iter::successors(failed.source(), |error| error.source());
        // That two errors say nothing does not make them the same.
        !self.text.is_empty() && (text == self.text || sources.any(|source| source.to_string() == self.text))
    }
}

/// Returns `true` if there is a call for which a note would be kept.
#[inline]
pub(super) fn is_kept(call: Option<usize>) -> bool {
    call.is_some() || HERE.with(|here| here.call.get() != 0)
}

/// Keeps a note of what this call logged; of a call without a span, for the one that it is in.
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

/// Takes the notes of what was logged inside this call. Gives that of this error, the one that replaces most if there are
/// several.
#[cold]
pub(super) fn noted(call: usize, failed: &dyn Failed, text: &str) -> Option<Note> {
    // Only now: `Display` is not ours, and may fail in turn.
    let inside = take(call)?.0;
    let same = inside.into_iter().filter(|note| note.is_of(failed, text));
    same.max_by_key(|note| (note.is_everywhere, std::cmp::Reverse(note.level)))
}

/// Takes the notes of what was logged inside this call, for a future that may go on on another thread.
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

/// Brings them back for the call, which may have moved.
#[cold]
pub(super) fn put_back(taken: Notes, call: usize) {
    with_notes(|notes| {
        notes.extend(taken.0.into_iter().map(|note| Note { place: NotePlace::Inside(call), ..note }));
        let surplus = notes.len().saturating_sub(MOST);
        notes.drain(..surplus);
    });
}
