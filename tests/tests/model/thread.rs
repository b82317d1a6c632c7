//! A thread's frames: rules 4 to 8 and 10.

use std::collections::HashMap;

use super::{
    frame::{Carried, Frame, Kind, Number},
    operation::Name,
    set::Set,
    span::Span,
    value::{Call, Field},
};

/// All spans that a program created, by name.
pub(crate) type Spans = HashMap<Name, Span>;

/// A span is entered more than once.
#[derive(Debug)]
pub(crate) struct IsEnteredAgain;

#[derive(Debug, Default)]
pub(crate) struct Thread {
    frames: Vec<Frame>,
}

impl Thread {
    /// The set of the top frame.
    pub(crate) fn current(&self) -> Set {
        self.frames.last().map(|frame| self.set_of(frame)).unwrap_or_default()
    }

    /// Rule 10: a foreign context made from a frame that is still here has that frame's fields and its own baggage.
    fn set_of(&self, frame: &Frame) -> Set {
        match self.made_from(frame) {
            Some(from) => from.set.with_baggage(frame.set.baggage.clone()),
            None => frame.set.clone(),
        }
    }

    fn made_from(&self, frame: &Frame) -> Option<&Frame> {
        match frame.kind {
            Kind::Foreign(Some(number)) => self.frame(number),
            _ => None,
        }
    }

    fn frame(&self, number: Number) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.number == number)
    }

    /// Pushes a frame with a set. `written_in` is of what replaces around a future.
    pub(crate) fn push(&mut self, number: Number, kind: Kind, set: Set, written_in: Option<Set>) {
        let below = self.current();
        let mut frame = Frame { number, first: set.clone(), set, kind, cuts: false, written_in };
        // A foreign context that was made elsewhere replaces, too.
        let replaces = frame.replaces() || (frame.is_foreign() && self.made_from(&frame).is_none());
        frame.cuts = replaces && frame.set.cuts_off(&below);
        self.frames.push(frame);
    }

    /// Rule 8: a frame goes, wherever it is, and no other changes.
    pub(crate) fn pop(&mut self, number: Number) {
        let Some(at) = self.frames.iter().position(|frame| frame.number == number) else { return };
        let gone = self.frames.remove(at);
        for frame in &mut self.frames {
            if frame.kind == Kind::Foreign(Some(number)) {
                frame.set = gone.set.with_baggage(frame.set.baggage.clone());
            }
        }
    }

    /// Leaves a span. It says nothing of which of its frames is meant: the last.
    pub(crate) fn leave(&mut self, span: Name) {
        let last = self.frames.iter().rfind(|frame| frame.kind == Kind::Span(span)).map(|frame| frame.number);
        if let Some(last) = last {
            self.pop(last);
        }
    }

    /// Rule 5: what is current in a span that is entered here.
    pub(crate) fn entering(&self, span: &Span) -> Set {
        let below = self.current();
        match span.base() {
            None => below,
            Some(base) if self.counts_as_descending(&below, base) => span.over_related(below),
            Some(_) => span.whole(),
        }
    }

    /// Rule 4: what a future that sets changes: what is below, or, in another request, what was current where it was written.
    /// Then it replaces something unrelated, and what is recorded in it is not for the other request's span.
    pub(crate) fn setting(&self, remembered: &Set) -> (Kind, Set) {
        let below = self.current();
        match self.counts_as_descending(&below, remembered) {
            true => (Kind::Sets, below),
            false => (Kind::Replaces, remembered.clone()),
        }
    }

    /// Whether what is current here descends from a set, or some wrapper around the future that runs replaced something that
    /// does, and what is current descends from what it put there: wrappers nest in any order.
    fn counts_as_descending(&self, below: &Set, from: &Set) -> bool {
        below.descends_from(from)
            || self.frames.iter().any(|frame| {
                frame
                    .written_in
                    .as_ref()
                    .is_some_and(|written_in| written_in.descends_from(from) && below.descends_from(&frame.set))
            })
    }

    /// The innermost span that is entered here, and where: its last frame. `None` also in what hides the thread's spans.
    pub(crate) fn span(&self) -> Option<(Name, usize)> {
        self.span_if(&|_| true)
    }

    fn span_if(&self, is_meant: &dyn Fn(Name) -> bool) -> Option<(Name, usize)> {
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if let Some(span) = frame.span().filter(|span| is_meant(*span)) {
                return Some((span, at));
            }
            if frame.kind == Kind::HidesSpans {
                return None;
            }
        }
        None
    }

    /// The span that is current for layers. Where a span is entered again inside another one, `tracing` goes on taking the
    /// other for current; the rules do not say.
    pub(crate) fn current_span(&self, is_own: impl Fn(Name) -> bool) -> Result<Option<Name>, IsEnteredAgain> {
        let entered: Vec<_> = self.frames.iter().filter_map(Frame::span).filter(|span| is_own(*span)).collect();
        let is_entered_once = |span: &Name| entered.iter().filter(|other| *other == span).count() == 1;
        match self.span_if(&is_own) {
            Some(_) if !entered.iter().all(is_entered_once) => Err(IsEnteredAgain),
            span => Ok(span.map(|(span, _)| span)),
        }
    }

    /// What an OpenTelemetry context that is made from the current one carries.
    pub(crate) fn context(&self) -> Carried {
        match self.frames.last() {
            None => Carried::default(),
            Some(Frame { kind: Kind::Foreign(made_from), .. }) => {
                let top = self.frames.last().expect("there is one");
                let baggage = top.set.baggage.clone();
                Carried { made_from: *made_from, set: top.first.with_baggage(baggage) }
            }
            Some(top) => Carried { made_from: Some(top.number), set: top.first.clone() },
        }
    }

    /// The set of a context that is given to what replaces. Made from a frame of this thread, it has that frame's fields.
    pub(crate) fn given(&self, context: &Carried) -> Set {
        match context.made_from.and_then(|number| self.frame(number)) {
            Some(from) => from.set.with_baggage(context.set.baggage.clone()),
            None => context.set.clone(),
        }
    }

    /// Rule 6: `record`. Returns the span that was set.
    pub(crate) fn record(&mut self, spans: &mut Spans, field: Field, call: Call) -> Option<Name> {
        let top = self.frames.last()?;
        if top.is_foreign() {
            // It cannot be told from the frame it was made from if it has the same baggage, too.
            let from = self.made_from(top)?;
            if from.set.baggage != top.set.baggage {
                return None;
            }
        }
        let (span, at) = self.span()?;
        let Some(cut) = (at + 1..self.frames.len()).rev().find(|above| self.frames[*above].cuts) else {
            self.record_on(spans, span, field, call);
            return Some(span);
        };
        let cutting = self.frames[cut].set.clone();
        self.record_from(cut, &cutting, field, call);
        None
    }

    /// Records on a given span.
    pub(crate) fn record_on(&mut self, spans: &mut Spans, span: Name, field: Field, call: Call) {
        let current = self.current();
        let base = spans.get_mut(&span).expect("it was created").record(field, call, &current);
        if let Some(lowest) = self.frames.iter().position(|frame| frame.span() == Some(span)) {
            self.record_from(lowest, &base, field, call);
        }
    }

    /// Sets a value on the frames from one up, as far as their sets are related. Foreign ones cannot be changed.
    fn record_from(&mut self, lowest: usize, related: &Set, field: Field, call: Call) {
        for frame in &mut self.frames[lowest..] {
            if !frame.is_foreign() && frame.set.is_related_to(related) {
                frame.set.records(field, call);
            }
        }
    }
}
