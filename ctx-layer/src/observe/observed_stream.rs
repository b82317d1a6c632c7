//! The stream of a call.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{
    observed_call::ObservedCall,
    observed_future::{Ending, Made, Work},
};
use crate::panic::caught_with;

pin_project! {
    /// A stream that runs as the body of a call: the call's span is entered at every poll, and while the stream is dropped.
    #[must_use = "streams do nothing unless polled"]
    pub struct ObservedStream<S, E> {
        // `None` only once it is being dropped.
        #[pin]
        body: Option<S>,
        call: ObservedCall,
        item: E,
        work: Work,
        has_failed: bool,
        items: u64,
    }

    impl<S, E> PinnedDrop for ObservedStream<S, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.call.is_watched() {
                let _inside = this.call.enter();
                this.body.set(None);
                this.work.dropped(this.call);
            }
        }
    }
}

impl ObservedCall {
    /// Runs a stream as the body of this call. `item` is called with each item, and returns `true` if it is an error. The end of
    /// the stream is the end of the call, which succeeds if no item was an error.
    pub fn observe_stream<S, E>(self, body: Made<S>, item: E) -> ObservedStream<S, E>
    where
        S: Stream,
        E: Fn(&S::Item, &Ending<'_>) -> bool,
    {
        ObservedStream {
            body: Some(body.body),
            work: Work::after(body.notes),
            call: self,
            item,
            has_failed: false,
            items: 0,
        }
    }
}

impl<S, E> Stream for ObservedStream<S, E>
where
    S: Stream,
    E: Fn(&S::Item, &Ending<'_>) -> bool,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        // `None` is unreachable: a stream is not polled while it is dropped.
        let Some(mut body) = this.body.as_pin_mut() else { return Poll::Pending };
        // A stream that is polled after its end returns its own answer; the call has ended.
        if this.call.has_ended() {
            return body.poll_next(task);
        }
        if !this.call.is_watched() {
            let polled = body.poll_next(task);
            if let Poll::Ready(Some(item)) = &polled {
                (this.item)(item, &Ending::unwatched(this.call.sites()));
            }
            return polled;
        }
        let mut polled = Poll::Pending;
        let inside = this.work.begin(this.call);
        let ending = Ending::of(this.call, this.work);
        let outcome = caught_with(|| {
            polled = body.as_mut().poll_next(task);
            match &polled {
                Poll::Pending => false,
                Poll::Ready(Some(item)) => {
                    *this.items += 1;
                    *this.has_failed |= (this.item)(item, &ending);
                    false
                }
                Poll::Ready(None) => {
                    if !*this.has_failed {
                        ending.returned_items(*this.items);
                    }
                    true
                }
            }
        });
        this.work.end(this.call, inside, outcome);
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.body.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
