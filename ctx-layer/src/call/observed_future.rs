//! The future of a call.
//!
//! What is inlined into each function is little, and the rest stands apart: LLVM makes a future where it is polled, and
//! does not copy it there, only where it sees no more than 100 uses of it (`-capture-tracking-max-uses-to-explore`). The
//! copy takes 8 ns, of a call that nobody watches, too.

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
    site::Sites,
};
use crate::panic::{Payload, caught_with};

pin_project! {
    /// Runs a future as the body of a call: its span is entered at every poll, and while the future is dropped.
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

/// What a future or stream did, over all of its polls.
#[derive(Debug)]
pub(super) struct Work {
    /// Nanoseconds within polls; within a poll of a call that is timed, less those up to its begin.
    busy: u64,
    /// Errors that were logged inside of it, between two polls. [`dropped`](Self::dropped) drops them, so that not every
    /// function has to look for them once more.
    notes: ManuallyDrop<Option<Box<Notes>>>,
}

impl Work {
    pub(super) const NEW: Self = Work::after(None);

    /// With what was logged while the future or stream was created.
    pub(super) const fn after(notes: Option<Box<Notes>>) -> Self {
        Work { busy: 0, notes: ManuallyDrop::new(notes) }
    }

    /// Begins a poll, inside the call's span until the guard is dropped.
    // Always: a call and its way through memory take 1 ns. What is rare stands apart, so that it is short.
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

    /// Ends it. `outcome` says whether it was the last.
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

    /// Between polls.
    fn busy(&self, call: &ObservedCall) -> Option<Duration> {
        call.is_timed().then(|| Duration::from_nanos(self.busy))
    }

    /// Within a poll, this one included.
    fn busy_within(&self, call: &ObservedCall) -> Option<Duration> {
        call.is_timed().then(|| Duration::from_nanos(self.busy.wrapping_add(Clock::now())))
    }

    /// Its body was dropped, inside the call's span. Comes last.
    #[inline]
    pub(super) fn dropped(&mut self, call: &ObservedCall) {
        drop(self.notes.take());
        if !call.has_ended() {
            call.cancelled(self.busy(call));
        }
    }
}

/// A call that comes to its end, inside its span.
pub struct Ending<'a> {
    sites: &'static Sites,
    /// `None` where it was not watched.
    watched: Option<(&'a ObservedCall, &'a Work)>,
}

impl<'a> Ending<'a> {
    /// The end of a call that was not watched.
    #[inline]
    pub(super) fn unwatched(sites: &'static Sites) -> Self {
        Ending { sites, watched: None }
    }

    /// The end of a call that did so much.
    #[inline]
    pub(super) fn of(call: &'a ObservedCall, work: &'a Work) -> Self {
        Ending { sites: call.sites(), watched: Some((call, work)) }
    }

    /// Returns `true` if its result may be logged. `level` is that of the event.
    #[inline(always)]
    pub fn may_log_result(&self, level: Level) -> bool {
        self.sites.returned.may_be_on(level)
    }

    /// It ended well, and that is not logged.
    #[inline]
    pub fn succeeded(&self) {
        if let Some((call, _)) = self.watched {
            call.succeeded();
        }
    }

    /// It ended well, with this value.
    pub fn returned(&self, value: &dyn Value) {
        self.with_call(|call, busy| call.returned_after(value, busy));
    }

    /// A stream ended well, after so many items.
    pub(super) fn returned_items(&self, items: u64) {
        self.returned(&items);
    }

    /// It failed. The event is logged unless a call inside of this one logged the same error for every output.
    #[cold]
    pub fn failed(&self, failed: &dyn Failed, log: Log<'_>) {
        self.with_call(|call, busy| call.failed_after(failed, log, busy));
    }

    /// With how long it was polled, this poll included.
    fn with_call(&self, f: impl FnOnce(&ObservedCall, Option<Duration>)) {
        match self.watched {
            Some((call, work)) => f(call, work.busy_within(call)),
            // Its events may be enabled all the same.
            None => f(&ObservedCall::without_span(self.sites), None),
        }
    }
}

/// A future or stream, and what was logged while it was created.
#[derive(Debug)]
pub struct Made<F> {
    pub(super) body: F,
    pub(super) notes: Option<Box<Notes>>,
}

impl ObservedCall {
    /// Makes a future the body of this call. `ended` is told what it comes to.
    ///
    /// The call stays where it was made: moved, it would be read in larger pieces than it was just written in, which
    /// takes 4 ns.
    #[inline]
    pub fn observe<F, E>(&self, body: F, ended: E) -> ObservedFuture<&Self, F, E>
    where
        F: Future,
        E: Fn(&F::Output, &Ending<'_>),
    {
        ObservedFuture { body: Some(body), call: self, ended, work: Work::NEW }
    }

    /// Makes a future that was created inside this call its body. `ended` is told what it comes to.
    pub fn into_observed<F, E>(self, body: Made<F>, ended: E) -> ObservedFuture<Self, F, E>
    where
        F: Future,
        E: Fn(&F::Output, &Ending<'_>),
    {
        ObservedFuture { body: Some(body.body), call: self, ended, work: Work::after(body.notes) }
    }

    /// A future or stream that was created inside this call, which is not left yet.
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
        // Unreachable: a future that is being dropped is not polled.
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

// Apart: of one that nobody watches there is little to drop.
#[inline(never)]
fn dropped<C: Borrow<ObservedCall>, F, E>(observed: Pin<&mut ObservedFuture<C, F, E>>) {
    let mut this = observed.project();
    let call = (*this.call).borrow();
    let _inside = call.enter();
    this.body.set(None);
    this.work.dropped(call);
}

// Apart from the other, which is to be short.
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
    // Not behind a `dyn`: what is returned would go through memory, which takes 7 ns.
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
