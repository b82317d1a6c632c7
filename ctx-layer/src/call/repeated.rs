//! Errors that were logged already, so that one that passes through several annotated functions is logged once.
//!
//! An error has no identity: it is moved, wrapped and converted on its way. What can be said is that a call failed with
//! it *directly inside* a span, and that the function of that span then fails with the same text, or with an error that
//! has it as a source, quotes it, or holds it by its `Debug`. Where there is no span, nothing is known, and all levels log: rather an error twice
//! than one not at all.

use std::cell::RefCell;

use tracing::{Span, span::Id};

use super::failure::Failed;

/// The latest that are kept on a thread. More than one, as calls that run side by side in one task may all fail.
const MOST: usize = 8;

/// An error that was logged by a call inside a span.
#[derive(Debug)]
struct Note {
    /// `None` until the failing call's own span is left.
    inside: Option<Id>,
    text: String,
}

/// Those taken along by a future: one word of it, as there hardly ever are any.
#[derive(Debug)]
pub(super) struct Notes(Vec<Note>);

thread_local! {
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// Does nothing while the thread ends, when there are no notes any more.
fn with_notes<R>(f: impl FnOnce(&mut Vec<Note>) -> R) -> Option<R> {
    NOTES.try_with(|notes| notes.try_borrow_mut().ok().map(|mut notes| f(&mut notes))).ok().flatten()
}

/// The current span, without keeping it open as [`Span::current`] does.
fn current() -> Option<Id> {
    tracing::dispatcher::get_default(|dispatch| dispatch.current_span().id().cloned())
}

/// Notes that a call failed with this text, and was logged. [`note`] says where, once its span is left.
pub(super) fn will_note(text: String) {
    with_notes(|notes| {
        if notes.len() == MOST {
            notes.remove(0);
        }
        notes.push(Note { inside: None, text });
    });
}

/// The span of a call that failed was left: what is current now is what the call was made in.
#[cold]
pub(super) fn note() {
    let current = current();
    with_notes(|notes| match current {
        Some(current) => {
            notes.iter_mut().filter(|note| note.inside.is_none()).for_each(|note| note.inside = Some(current.clone()))
        }
        None => notes.retain(|note| note.inside.is_some()),
    });
}

/// Whether a call inside the current span logged this error: to be called before that span is left.
#[cold]
pub(super) fn is_noted(failed: &dyn Failed, text: &str) -> bool {
    let current = current();
    if current.is_none() {
        return false;
    }
    let noted: Vec<Note> =
        with_notes(|notes| notes.extract_if(.., |note| note.inside == current).collect()).unwrap_or_default();
    noted.iter().any(|note| is_same(note, failed, text))
}

fn is_same(note: &Note, failed: &dyn Failed, text: &str) -> bool {
    let mut sources = std::iter::successors(failed.source(), |error| error.source());
    text == note.text
        || quotes(text, &note.text)
        || sources.any(|source| source.to_string() == note.text)
        // One that holds it, and says so nowhere else.
        || failed.debug_text().is_some_and(|debug| quotes(&debug, &note.text))
}

/// Whether a text stands within another, and not merely as a part of its words.
fn quotes(text: &str, quoted: &str) -> bool {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let is_cut = |outside: Option<char>, inside: Option<char>| is_word(outside) && is_word(inside);
    !quoted.is_empty()
        && text.match_indices(quoted).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + quoted.len()..]);
            !is_cut(before.chars().next_back(), quoted.chars().next())
                && !is_cut(after.chars().next(), quoted.chars().next_back())
        })
}

/// What is noted for this span, taken along by a future that may go on on another thread.
pub(super) fn take(inside: &Span) -> Option<Box<Notes>> {
    let any = with_notes(|notes| !notes.is_empty()).unwrap_or(false);
    if !any {
        return None;
    }
    let inside = Some(inside.id()?);
    let taken: Vec<Note> = with_notes(|notes| notes.extract_if(.., |note| note.inside == inside).collect())?;
    (!taken.is_empty()).then(|| Box::new(Notes(taken)))
}

/// Brings back what was taken along.
pub(super) fn put_back(taken: Notes) {
    with_notes(|notes| {
        notes.extend(taken.0);
        let surplus = notes.len().saturating_sub(MOST);
        notes.drain(..surplus);
    });
}
