//! The future of a call.
//!
//! Only little code is inlined into each function, and the rest is in separate functions: LLVM constructs a future where it is
//! polled, without copying it there, only if it sees at most 100 uses of it (`-capture-tracking-max-uses-to-explore`). The copy
//! takes 8 ns, even for a call that no output needs.

use std::{
    borrow::Borrow,
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tracing::{Level, field::Value};

use super::{
    failure::Failed,
    observed_call::{Clock, Inside, Log, ObservedCall},
    repeated::Notes,
    sites::Sites,
};
use crate::panic::{Payload, caught_with};

pin_project! {
    /// A future that runs as the body of a call: the call's span is entered at every poll, and while the future is dropped.
    #[must_use = "futures do nothing unless polled"]
    pub struct ObservedFuture<C, F, E>
    where
        C: Borrow<ObservedCall>,
    {
        // `None` only while it is being dropped.
        #[pin]
        body: Option<F>,
        call: C,
        ended: E,
        work: Work,
    }

    impl<C, F, E> PinnedDrop for ObservedFuture<C, F, E>
    where
        C: Borrow<ObservedCall>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if this.call.borrow().is_watched() {
                dropped(this);
            }
        }
    }
}

/// The work of a future or stream over all its polls.
#[derive(Debug)]
pub(super) struct Work {
    /// Nanoseconds within polls. During a poll of a timed call, less those up to its beginning.
    busy: u64,
    /// Errors that were logged inside it, between two polls. Dropped by [`dropped`](Self::dropped), so that not every function
    /// has to check for them once more.
    notes: ManuallyDrop<Option<Box<Notes>>>,
}

impl Work {
    pub(super) const NEW: Self = Work::after(None);

    /// Creates the work of a future or stream, with the errors that were logged while it was created.
    pub(super) const fn after(notes: Option<Box<Notes>>) -> Self {
        Work { busy: 0, notes: ManuallyDrop::new(notes) }
    }

    /// Begins a poll. The call's span is entered until the guard is dropped.
    // Always inlined: a call and passing the result through memory take 1 ns. Rare cases are in separate functions.
    #[inline(always)]
    pub(super) fn begin<'a>(&mut self, call: &'a ObservedCall) -> Inside<'a> {
        if self.notes.is_some() {
            self.put_back_notes(call);
        }
        let inside = call.enter();
        if call.is_timed() {
            self.start_clock();
        }
        inside
    }

    /// Ends a poll. `outcome` is whether it was the last.
    #[inline(always)]
    pub(super) fn end(&mut self, call: &ObservedCall, inside: Inside<'_>, outcome: Result<bool, Payload>) {
        if call.is_timed() {
            self.stop_clock();
        }
        let is_last = match outcome {
            Ok(is_last) => is_last,
            Err(payload) => self.panicked(call, payload),
        };
        if is_last {
            call.end();
        } else {
            *self.notes = call.take_notes();
        }
        drop(inside);
    }

    #[cold]
    fn put_back_notes(&mut self, call: &ObservedCall) {
        if let Some(notes) = self.notes.take() {
            call.put_back(*notes);
        }
    }

    #[inline(never)]
    fn start_clock(&mut self) {
        self.busy = self.busy.wrapping_sub(Clock::now());
    }

    #[inline(never)]
    fn stop_clock(&mut self) {
        self.busy = self.busy.wrapping_add(Clock::now());
    }

    #[cold]
    fn panicked(&self, call: &ObservedCall, payload: Payload) -> ! {
        call.end();
        call.panicked(payload, self.busy(call))
    }

    /// Returns the time within polls, between two polls.
    fn busy(&self, call: &ObservedCall) -> Option<Duration> {
        call.is_timed().then(|| Duration::from_nanos(self.busy))
    }

    /// Returns the time within polls, during a poll.
    fn busy_within(&self, call: &ObservedCall) -> Option<Duration> {
        call.is_timed().then(|| Duration::from_nanos(self.busy.wrapping_add(Clock::now())))
    }

    /// Completes the call after its body was dropped, inside its span.
    #[inline]
    pub(super) fn dropped(&mut self, call: &ObservedCall) {
        drop(self.notes.take());
        if !call.has_ended() {
            call.cancelled(self.busy(call));
        }
    }
}

/// The end of a call, inside its span.
pub struct Ending<'a> {
    sites: &'static Sites,
    /// `None` if the call is not watched.
    watched: Option<(&'a ObservedCall, &'a Work)>,
}

impl<'a> Ending<'a> {
    /// Creates the end of a call that is not watched.
    #[inline]
    pub(super) fn unwatched(sites: &'static Sites) -> Self {
        Ending { sites, watched: None }
    }

    /// Creates the end of a call with its work.
    #[inline]
    pub(super) fn of(call: &'a ObservedCall, work: &'a Work) -> Self {
        Ending { sites: call.sites(), watched: Some((call, work)) }
    }

    /// Returns `true` if the call's result may be logged. `level` is that of the event.
    #[inline(always)]
    pub fn may_log_result(&self, level: Level) -> bool {
        self.sites.returned.may_be_on(level)
    }

    /// Sets the status to OK, without an event.
    #[inline]
    pub fn succeeded(&self) {
        if let Some((call, _)) = self.watched {
            call.succeeded();
        }
    }

    /// Sets the status to OK, and logs this value.
    pub fn returned(&self, value: &dyn Value) {
        self.with_call(|call, busy| call.returned_after(value, busy));
    }

    /// Sets the status to OK, and logs the number of items of a stream.
    pub(super) fn returned_items(&self, items: u64) {
        self.returned(&items);
    }

    /// Sets the status to ERROR, and logs the error, unless a call inside this one logged the same error for every output.
    #[cold]
    pub fn failed(&self, failed: &dyn Failed, log: Log<'_>) {
        self.with_call(|call, busy| call.failed_after(failed, log, busy));
    }

    /// Calls `f` with the call and the time within polls, this poll included.
    fn with_call(&self, f: impl FnOnce(&ObservedCall, Option<Duration>)) {
        match self.watched {
            Some((call, work)) => f(call, work.busy_within(call)),
            // The call's events may be enabled even without a span.
            None => f(&ObservedCall::without_span(self.sites), None),
        }
    }
}

/// A future or stream, and the errors that were logged while it was created.
#[derive(Debug)]
pub struct Made<F> {
    pub(super) body: F,
    pub(super) notes: Option<Box<Notes>>,
}

impl ObservedCall {
    /// Runs a future as the body of this call. `ended` is called with its result.
    ///
    /// The call stays where it was constructed: moving it reads it in larger pieces than it was just written in, which takes
    /// 4 ns.
    #[inline]
    pub fn observe<F, E>(&self, body: F, ended: E) -> ObservedFuture<&Self, F, E>
    where
        F: Future,
        E: Fn(&F::Output, &Ending<'_>),
    {
        ObservedFuture { body: Some(body), call: self, ended, work: Work::NEW }
    }

    /// Runs a future that was created inside this call as its body. `ended` is called with its result.
    pub fn into_observed<F, E>(self, body: Made<F>, ended: E) -> ObservedFuture<Self, F, E>
    where
        F: Future,
        E: Fn(&F::Output, &Ending<'_>),
    {
        ObservedFuture { body: Some(body.body), call: self, ended, work: Work::after(body.notes) }
    }

    /// Wraps a future or stream that was created inside this call, which is still entered.
    pub fn made<F>(&self, body: F) -> Made<F> {
        Made { body, notes: self.take_notes() }
    }
}

impl<C, F, E> Future for ObservedFuture<C, F, E>
where
    C: Borrow<ObservedCall>,
    F: Future,
    E: Fn(&F::Output, &Ending<'_>),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Unreachable: a future is not polled while it is dropped.
        let Some(body) = this.body.as_pin_mut() else { return Poll::Pending };
        let call = (*this.call).borrow();
        if call.is_watched() {
            return watched(this.work, call, body, this.ended, task);
        }
        let polled = body.poll(task);
        if let Poll::Ready(ready) = &polled {
            (this.ended)(ready, &Ending::unwatched(call.sites()));
        }
        polled
    }
}

// Not inlined: a call that is not watched has little to drop.
#[inline(never)]
fn dropped<C: Borrow<ObservedCall>, F, E>(observed: Pin<&mut ObservedFuture<C, F, E>>) {
    let mut this = observed.project();
    let call = (*this.call).borrow();
    let _inside = call.enter();
    this.body.set(None);
    this.work.dropped(call);
}

// Not inlined, to keep the other path short.
#[inline(never)]
fn watched<F, E>(
    work: &mut Work,
    call: &ObservedCall,
    mut body: Pin<&mut F>,
    ended: &E,
    task: &mut Context<'_>,
) -> Poll<F::Output>
where
    F: Future,
    E: Fn(&F::Output, &Ending<'_>),
{
    let mut polled = Poll::Pending;
    let inside = work.begin(call);
    // Not a `dyn`: the result would go through memory, which takes 7 ns.
    let outcome = caught_with(|| {
        polled = body.as_mut().poll(task);
        if let Poll::Ready(ready) = &polled {
            ended(ready, &Ending::of(call, work));
        }
        polled.is_ready()
    });
    work.end(call, inside, outcome);
    polled
}
