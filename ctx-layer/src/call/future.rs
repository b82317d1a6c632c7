//! The future of a call.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;
use tracing::field::Value;

use super::{
    failure::Failed,
    observed::{Call, Log, nanoseconds},
    repeated::{self, Notes},
    site::Sites,
};
use crate::panic::caught;

pin_project! {
    /// Runs a future as the body of a call: its span is entered at every poll, and while it is dropped.
    #[project = ObservedProjection]
    #[must_use = "futures do nothing unless polled"]
    pub enum Observed<F, E> {
        // Nobody wants to know how it ends: there is little to make, to look at and to drop.
        Unwatched { #[pin] body: F, ended: E, sites: &'static Sites },
        Watched { #[pin] watched: Watched<F, E> },
    }
}

pin_project! {
    /// A future that somebody watches.
    pub struct Watched<F, E> {
        // `None` only while it is being dropped.
        #[pin]
        body: Option<F>,
        call: Call,
        ended: E,
        work: Work,
    }

    impl<F, E> PinnedDrop for Watched<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.work.dropped(this.call, &mut || this.body.set(None));
        }
    }
}

/// What a future or stream did, over all of its polls.
#[derive(Debug)]
pub(super) struct Work {
    /// Nanoseconds within polls.
    busy: u64,
    /// Errors logged inside of it, between two polls.
    notes: Option<Box<Notes>>,
    pub(super) has_ended: bool,
    is_timed: bool,
}

impl Work {
    pub(super) fn of(call: &Call) -> Self {
        Work { busy: 0, notes: None, has_ended: false, is_timed: call.is_timed() }
    }

    pub(super) fn busy(&self) -> Option<Duration> {
        self.is_timed.then(|| Duration::from_nanos(self.busy))
    }

    /// Polls inside the call's span. `poll` says whether that was the end, and tells of it.
    ///
    /// `dyn`, so that this is compiled once and not for every function.
    pub(super) fn poll(&mut self, call: &mut Call, poll: &mut dyn FnMut(&Ending<'_>) -> bool) {
        if let Some(notes) = self.notes.take() {
            repeated::put_back(*notes);
        }
        {
            let _entered = call.span().enter();
            let started = self.is_timed.then(Instant::now);
            let ending = Ending { sites: call.sites(), call: Some(call), busy: Busy { before: self.busy, started } };
            let has_ended = &mut self.has_ended;
            let outcome = caught(&mut || *has_ended = poll(&ending));
            if let Some(started) = started {
                self.busy = self.busy.saturating_add(nanoseconds(started.elapsed()));
            }
            if let Err(payload) = outcome {
                self.has_ended = true;
                call.panicked(payload, self.busy());
            }
        }
        if self.has_ended {
            call.left();
        } else {
            self.notes = repeated::take(call.span());
        }
    }

    /// Drops the body inside the call's span.
    pub(super) fn dropped(&self, call: &Call, drop_body: &mut dyn FnMut()) {
        let _entered = call.span().enter();
        drop_body();
        if !self.has_ended {
            call.cancelled(self.busy());
        }
    }
}

/// How long a future or stream was polled, this poll included.
#[derive(Clone, Copy)]
struct Busy {
    before: u64,
    started: Option<Instant>,
}

impl Busy {
    fn get(self) -> Option<Duration> {
        Some(Duration::from_nanos(self.before) + self.started?.elapsed())
    }
}

/// A call that comes to its end, inside its span.
pub struct Ending<'a> {
    sites: &'static Sites,
    /// `None` where nobody watched it.
    call: Option<&'a Call>,
    busy: Busy,
}

impl Ending<'_> {
    /// The end of a call that nobody watched.
    #[inline]
    pub(super) fn unwatched(sites: &'static Sites) -> Self {
        Ending { sites, call: None, busy: Busy { before: 0, started: None } }
    }

    /// Whether its result is to be logged.
    #[inline]
    pub fn is_timed(&self) -> bool {
        self.call.is_some_and(Call::is_timed)
    }

    /// It ended well, which nobody asked to have logged.
    #[inline]
    pub fn succeeded(&self) {
        if let Some(call) = self.call {
            call.succeeded();
        }
    }

    /// It ended well, with this value.
    pub fn returned(&self, value: &dyn Value) {
        self.with_call(|call| call.returned_after(value, self.busy.get()));
    }

    /// A stream ended well, after so many items.
    pub(super) fn returned_items(&self, items: u64) {
        self.returned(&items);
    }

    /// It failed. The event is logged unless a call inside of this one did so.
    #[cold]
    pub fn failed(&self, failed: &dyn Failed, log: Log<'_>) {
        self.with_call(|call| call.failed_after(failed, log, self.busy.get()));
    }

    fn with_call(&self, f: impl FnOnce(&Call)) {
        match self.call {
            Some(call) => f(call),
            // Its events may be wanted all the same.
            None => f(&Call::without_span(self.sites)),
        }
    }
}

impl Call {
    /// Makes a future the body of this call. `ended` is told what it comes to.
    #[inline]
    pub fn observe<F, E>(self, body: F, ended: E) -> Observed<F, E>
    where
        F: Future,
        E: Fn(&F::Output, &Ending<'_>),
    {
        if self.is_watched() {
            Observed::Watched { watched: Watched { body: Some(body), work: Work::of(&self), call: self, ended } }
        } else {
            Observed::Unwatched { body, ended, sites: self.unwatched() }
        }
    }
}

impl<F, E> Future for Observed<F, E>
where
    F: Future,
    E: Fn(&F::Output, &Ending<'_>),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            ObservedProjection::Watched { watched } => watched.poll(task),
            ObservedProjection::Unwatched { body, ended, sites } => {
                let polled = body.poll(task);
                if let Poll::Ready(ready) = &polled {
                    ended(ready, &Ending::unwatched(sites));
                }
                polled
            }
        }
    }
}

impl<F, E> Watched<F, E>
where
    F: Future,
    E: Fn(&F::Output, &Ending<'_>),
{
    // Apart from the other, which is to be short.
    #[inline(never)]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Unreachable: a future that is being dropped is not polled.
        let Some(mut body) = this.body.as_pin_mut() else { return Poll::Pending };
        let mut polled = Poll::Pending;
        this.work.poll(this.call, &mut |ending| {
            polled = body.as_mut().poll(task);
            if let Poll::Ready(ready) = &polled {
                (this.ended)(ready, ending);
            }
            polled.is_ready()
        });
        polled
    }
}
