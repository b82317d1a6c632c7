//! The name of the span that a line is in.

use std::cell::Cell;

use tracing_core::span::Current;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

thread_local! {
    /// The last span that a line of this thread was in: of which output, its id and where its metadata are. Has no destructor.
    static LAST: Cell<(usize, u64, usize)> = const { Cell::new((usize::MAX, 0, 0)) };
}

/// The name of the innermost entered span that this output is to see. That is `current` itself nearly always, and is known of the
/// last one: then the span need not be looked up again.
#[inline]
pub(super) fn name_of_current<'a, S: LookupSpan<'a> + 'a>(
    output: usize,
    current: &Current,
    look_up: impl FnOnce() -> Option<SpanRef<'a, S>>,
) -> Option<&'static str> {
    let (id, metadata) = (current.id()?, current.metadata()?);
    let key = (output, id.into_u64(), std::ptr::from_ref(metadata).addr());
    if LAST.get() == key {
        return Some(metadata.name());
    }
    let span = look_up()?;
    if span.id() == *id {
        LAST.set(key);
    }
    Some(span.name())
}
