//! Errors, which are available as `dyn Error` only inside the visit that shows them.

use std::{error::Error, fmt};

use tracing_core::{Field, field::Visit};

use super::source::Source;

/// The errors of the visits that are in progress, innermost first.
pub(super) struct HeldValues<'a> {
    index: usize,
    error: &'a (dyn Error + 'static),
    outer: Option<&'a HeldValues<'a>>,
}

impl<'a> HeldValues<'a> {
    pub(super) fn find(&self, index: usize) -> Option<&&'a (dyn Error + 'static)> {
        if self.index == index { Some(&self.error) } else { self.outer?.find(index) }
    }
}

/// The function to call once all errors are held.
pub(super) type Finish<'a> = dyn FnMut(Option<&HeldValues<'_>>) + 'a;

/// Calls `finish` from inside nested visits that show the errors at `indices`.
#[cold]
pub(super) fn hold(source: &dyn Source, indices: &[usize], held: Option<&HeldValues<'_>>, finish: &mut Finish<'_>) {
    let Some((&index, rest)) = indices.split_first() else { return finish(held) };
    let mut visitor = HoldOne { source, index, rest, outer: held, finish: Some(finish) };
    source.record(&mut visitor);
    // The source showed the error only the first time: the span or event is passed on without it.
    if let Some(finish) = visitor.finish.take() {
        hold(source, rest, held, finish);
    }
}

struct HoldOne<'a> {
    source: &'a dyn Source,
    index: usize,
    rest: &'a [usize],
    outer: Option<&'a HeldValues<'a>>,
    finish: Option<&'a mut Finish<'a>>,
}

impl Visit for HoldOne<'_> {
    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        if field.index() == self.index
            && let Some(finish) = self.finish.take()
        {
            let held = HeldValues { index: self.index, error, outer: self.outer };
            hold(self.source, self.rest, Some(&held), finish);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
