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
    /// From here on the rules leave open what is current.
    pub(crate) is_open: bool,
    /// A snapshot was left around another frame of its span: `tracing` has another order of spans from then on.
    is_order_lost: bool,
}

impl Thread {
    /// Returns the set of the top frame.
    pub(crate) fn current(&self) -> Set {
        self.frames.last().map(|frame| self.set_of(frame)).unwrap_or_default()
    }

    /// Rule 10: a foreign context that comes from a frame of this thread has that frame's fields and its own baggage.
    fn set_of(&self, frame: &Frame) -> Set {
        match self.made_from(frame) {
            Some(from) => from.set.with_baggage(frame.set.baggage.clone()),
            None => frame.set.clone(),
        }
    }

    fn made_from(&self, frame: &Frame) -> Option<&Frame> {
        if frame.is_foreign() { self.with_first(&frame.set) } else { None }
    }

    /// Returns the last frame that began with a set.
    fn with_first(&self, set: &Set) -> Option<&Frame> {
        self.frames.iter().rfind(|frame| !frame.is_foreign() && frame.first.is_same_as(set))
    }

    /// Pushes a frame with a set. `written_in` is for wrappers that replace around a future.
    pub(crate) fn push(&mut self, number: Number, kind: Kind, set: Set, written_in: Option<Set>) {
        let below = self.current();
        let mut frame = Frame {
            number,
            first: set.clone(),
            set,
            kind,
            made_from: None,
            cuts: false,
            is_unsettled: false,
            may_cut: false,
            is_recorded: false,
            written_in,
        };
        let set = self.set_of(&frame);
        let is_apart = matches!(frame.kind, Kind::SnapshotApart(_));
        let is_over_another = !frame.is_foreign() && self.is_in_another();
        let replaces = frame.replaces() || matches!(frame.kind, Kind::SnapshotOf(_));
        frame.cuts = is_apart || is_over_another || (replaces && set.cuts_off(&below));
        self.frames.push(frame);
    }

    /// Pushes the frame of a span that is entered. One that brings its own fields replaces, for spans of other subscribers around
    /// it, too.
    pub(crate) fn enter(&mut self, number: Number, name: Name, span: &Span) {
        let brings_its_own = span.base().is_some_and(|base| !self.counts_as_descending(&self.current(), base));
        self.push(number, Kind::Span(name), self.entering(span), None);
        if let Some(top) = self.frames.last_mut() {
            top.cuts |= brings_its_own;
        }
    }

    /// Attaches a foreign context.
    pub(crate) fn attach(&mut self, number: Number, context: &Carried) {
        // A frame pushed on the one from which it comes may have taken over its context.
        let is_gone = |from: Number| !self.frames.iter().any(|frame| frame.number == from);
        self.is_open |= context.made_from.is_some_and(is_gone) && self.frames.iter().any(|frame| frame.is_recorded);
        self.push(number, Kind::Foreign, context.set.clone(), None);
        if let Some(top) = self.frames.last_mut() {
            top.made_from = context.made_from;
        }
    }

    /// Rule 8: a frame is removed, wherever it is, and no other changes.
    pub(crate) fn pop(&mut self, number: Number) {
        let Some(at) = self.frames.iter().position(|frame| frame.number == number) else { return };
        let gone = self.frames.remove(at);
        // `tracing` takes the last of them for left.
        let is_entered_again = |frame: &Frame| frame.current_span() == gone.current_span();
        let is_guarded = !matches!(gone.kind, Kind::Span(_)) && gone.current_span().is_some();
        self.is_order_lost |= is_guarded && self.frames[at..].iter().any(is_entered_again);
        self.is_order_lost &= !self.frames.is_empty();
        // A snapshot of another request does not cut, for it has its span; what came on it may, once that is gone.
        let below = self.frames[..at].iter().rfind(|frame| !frame.is_foreign());
        let is_unrelated =
            gone.span().is_none() || gone.set.cuts_off(&below.map(|below| below.set.clone()).unwrap_or_default());
        if let Some(above) = self.frames[at..].iter_mut().find(|frame| !frame.is_foreign() && !gone.is_foreign()) {
            above.cuts |= gone.cuts && is_unrelated;
            above.may_cut |= (gone.may_cut || matches!(gone.kind, Kind::SnapshotOf(_))) && is_unrelated;
        }
        // The rules leave open whether recorded values stay in contexts that come from the frame.
        let is_of_gone = |frame: &Frame| frame.is_foreign() && frame.made_from == Some(number);
        self.is_open |= self.frames.iter().any(is_of_gone) && self.frames.iter().any(|frame| frame.is_recorded);
        let is_copy = |frame: &Frame| frame.is_foreign() && gone.first.is_same_as(&frame.set);
        self.is_open |= gone.is_recorded && self.frames.iter().any(is_copy);
        // Neither does OpenTelemetry say what is current where a foreign context ends that looks like the frame below it, while
        // another is between the two, and a frame above.
        let is_same = |below: &&Frame| gone.is_foreign() && !below.is_foreign() && self.set_of(&gone) == below.set;
        let is_foreign = |at: Option<usize>| at.and_then(|at| self.frames.get(at)).map(Frame::is_foreign);
        let is_between = is_foreign(at.checked_sub(1)) == Some(true) && is_foreign(Some(at)).is_some();
        let below = self.frames[..at].iter().rfind(|frame| !frame.is_foreign());
        self.is_open |= is_between && below.map_or(gone.set.is_nothing(), |below| is_same(&below));
        self.settle();
    }

    /// Leaves a span. The call does not say which of its frames is meant: the last.
    pub(crate) fn leave(&mut self, span: Name) {
        let last = self.frames.iter().rfind(|frame| frame.kind == Kind::Span(span)).map(|frame| frame.number);
        if let Some(last) = last {
            self.pop(last);
        }
    }

    /// Rule 5: returns what is current in a span that is entered here.
    pub(crate) fn entering(&self, span: &Span) -> Set {
        let below = self.current();
        match span.base() {
            None => below,
            Some(base) if self.counts_as_descending(&below, base) => span.over_related(below),
            Some(_) => span.whole(),
        }
    }

    /// Rule 4: returns what a future changes: what is below, or, in another request, what was current where it was
    /// written. The future then replaces something unrelated, and what is recorded in it is not for the other request's
    /// span.
    pub(crate) fn setting(&self, remembered: &Set) -> (Kind, Set) {
        let below = self.current();
        match self.counts_as_descending(&below, remembered) {
            true => (Kind::Sets, below),
            false => (Kind::Replaces, remembered.clone()),
        }
    }

    /// Returns `true` if what is current here descends from a set, or some wrapper around the future that runs replaced something that
    /// does, and what is current descends from what it put there: wrappers nest in any order.
    /// From nothing everything descends: what a wrapper of nothing is around counts only while nothing replaced it. Baggage is no
    /// call, and so makes no difference there.
    fn counts_as_descending(&self, below: &Set, from: &Set) -> bool {
        let covers = |at: usize| {
            let frame = &self.frames[at];
            let descends_from_it = match frame.set.calls_are_none() {
                true => !self.is_in_another() && !self.frames[at + 1..].iter().any(|above| above.cuts),
                false => below.descends_from(&frame.set),
            };
            descends_from_it && frame.written_in.as_ref().is_some_and(|written_in| written_in.descends_from(from))
        };
        below.descends_from(from) || (0..self.frames.len()).any(covers)
    }

    /// Returns the innermost span of a subscriber that is entered here. `None` also in a frame that hides the thread's
    /// spans.
    pub(crate) fn span(&self, is_own: impl Fn(Name) -> bool) -> Option<Name> {
        for frame in self.frames.iter().rev() {
            if let Some(span) = frame.current_span().filter(|span| is_own(*span)) {
                return Some(span);
            }
            if frame.kind == Kind::HidesSpans {
                return None;
            }
        }
        None
    }

    /// Rule 10: whether a foreign context on top is unrelated to the frame below it. Foreign contexts that are attached over one
    /// another count as one, which is compared where something comes on it.
    fn is_in_another(&self) -> bool {
        let below = self.frames.iter().rfind(|frame| !frame.is_foreign());
        let below = below.map(|frame| frame.set.clone()).unwrap_or_default();
        self.frames.last().is_some_and(|top| top.is_foreign() && self.set_of(top).cuts_off(&below))
    }

    /// The last frame that replaced something unrelated inside the innermost span. It is the one on top if that is foreign.
    pub(crate) fn cut(&mut self, is_own: impl Fn(Name) -> bool) -> Option<usize> {
        if self.is_in_another() {
            return self.frames.len().checked_sub(1);
        }
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if frame.span().is_some_and(&is_own) {
                return None;
            }
            self.is_open |= frame.may_cut && !frame.cuts;
            if frame.cuts {
                return Some(at);
            }
        }
        None
    }

    /// Returns the span that is current for `tracing`. Where a span is entered again inside another one, that is the
    /// other one; the rules do not say.
    pub(crate) fn current_span(&self, is_own: impl Fn(Name) -> bool) -> Result<Option<Name>, IsEnteredAgain> {
        let hidden = self.frames.iter().rposition(|frame| frame.kind == Kind::HidesSpans).map_or(0, |at| at + 1);
        let entered = self.frames[hidden..].iter().filter_map(Frame::current_span);
        let entered: Vec<_> = entered.filter(|span| is_own(*span)).collect();
        let is_first = |at: &usize| !entered[..*at].contains(&entered[*at]);
        let first = (0..entered.len()).rfind(is_first).map(|at| entered[at]);
        if first == entered.last().copied() && !self.is_order_lost { Ok(first) } else { Err(IsEnteredAgain) }
    }

    /// Returns the part of a new OpenTelemetry context that comes from the current frame.
    pub(crate) fn context(&self) -> Carried {
        let Some(top) = self.frames.last() else { return Carried::default() };
        let from = self.made_from(top).unwrap_or(top);
        let set = if top.is_foreign() { &top.set } else { &top.first };
        Carried { set: set.clone(), made_from: Some(from.number), is_recorded: from.is_recorded }
    }

    /// Returns `true` if something was recorded on the frame from which a context comes, and that frame is not current
    /// here: the rules leave open whether the context has it.
    pub(crate) fn is_unclear(&self, context: &Carried) -> bool {
        let from = self.frames.iter().find(|frame| Some(frame.number) == context.made_from);
        let is_current = self.frames.last().is_some_and(|top| Some(top.number) == context.made_from);
        let is_recorded = |frame: Option<&Frame>| frame.is_some_and(|frame| frame.is_recorded);
        let mut found = self.frames.iter().filter(|frame| !frame.is_foreign() && frame.first.is_same_as(&context.set));
        (context.is_recorded || is_recorded(from) || found.any(|found| found.is_recorded)) && !is_current
    }

    /// Returns the set of a context that a replacing operation is given. Whether it has what was recorded since is left
    /// open.
    pub(crate) fn given(&mut self, context: &Carried) -> Set {
        let is_recorded = self.with_first(&context.set).is_some_and(|from| from.is_recorded);
        self.is_open |= is_recorded || context.is_recorded;
        context.set.clone()
    }

    /// Returns `true` if there is a foreign context without fields over a frame without fields that has the same baggage, or none either.
    /// Without an OpenTelemetry layer they look the same, and the rules leave open what `record` does.
    fn has_nothing_over_nothing(&self) -> bool {
        let looks_same = |at: usize, frame: &Frame| {
            let is_same = |other: &Frame| other.set.calls_are_none() && other.set.baggage == frame.set.baggage;
            self.frames[at..].iter().any(|other| other.is_foreign() && is_same(other))
        };
        let frames = self.frames.iter().enumerate();
        frames.clone().any(|(at, frame)| !frame.is_foreign() && frame.set.calls_are_none() && looks_same(at, frame))
    }

    /// Notes that what was recorded on the frame on top has an OpenTelemetry context.
    fn settle(&mut self) {
        if let Some(top) = self.frames.last_mut().filter(|top| !top.is_foreign()) {
            top.is_unsettled = false;
        }
    }

    /// Returns `true` if a foreign context is right above a frame on which something was recorded that has no context of its own yet: there
    /// were no fields, and so nothing by which it would be known once the foreign context ends. The rules leave open when
    /// that is seen.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.frames.windows(2).any(|two| two[0].is_unsettled && two[1].is_foreign())
    }

    /// Rule 6: `record`. Returns the span that was set.
    pub(crate) fn record(
        &mut self,
        spans: &mut Spans,
        is_own: impl Fn(Name) -> bool,
        field: Field,
        call: Call,
    ) -> Option<Name> {
        self.is_open |= self.has_nothing_over_nothing();
        let top = self.frames.last()?;
        if top.is_foreign() {
            // Over the frame from which it comes it looks like that frame, if it has the same baggage, too.
            let below = self.frames.iter().rfind(|frame| !frame.is_foreign())?;
            // One that comes from no frame, and has nothing but the frame's baggage, looks the same.
            self.is_open |=
                below.set.calls_are_none() && top.set.calls_are_none() && below.set.baggage == top.set.baggage;
            let is_same = self.made_from(top)?.number == below.number && below.set.baggage == top.set.baggage;
            // Only their OpenTelemetry span and their recorded values distinguish frames that began with the same set.
            let is_exact = top.made_from == Some(below.number);
            self.is_open |= !is_exact && (is_same || self.frames.iter().any(|frame| frame.is_recorded));
            if !is_same {
                return None;
            }
        }
        let span = self.span(&is_own)?;
        let Some(cut) = self.cut(&is_own) else {
            self.record_on(spans, span, field, call);
            return Some(span);
        };
        let cutting = self.set_of(&self.frames[cut]);
        self.record_from(cut, &cutting, field, call);
        None
    }

    /// Records on a given span.
    pub(crate) fn record_on(&mut self, spans: &mut Spans, span: Name, field: Field, call: Call) {
        self.is_open |= self.has_nothing_over_nothing();
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
                frame.is_recorded = true;
                if frame.first.calls_are_none() {
                    frame.first = frame.set.clone();
                    frame.is_unsettled = true;
                }
            }
        }
        // A context of another frame, which is gone, may look as if it came from one of these.
        let is_of_another = |frame: &Frame| {
            let from = self.made_from(frame).filter(|from| from.is_recorded);
            from.is_some_and(|from| Some(from.number) != frame.made_from)
        };
        self.is_open |= self.frames.iter().any(is_of_another);
        self.settle();
    }
}
