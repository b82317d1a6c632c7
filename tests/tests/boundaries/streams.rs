//! Streams and sinks.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use ctx_layer::task::InContextExt;
use futures_util::{
    sink::{Sink, SinkExt},
    stream::{self, Stream, StreamExt},
};

use crate::request::{Carry, Seen, proves};

#[test]
fn context_crosses_a_stream_that_is_polled_elsewhere() {
    proves(|world, carry| {
        let looks = stream::iter(0..3).then(|_| async { Seen::here() });
        let looks: Pin<Box<dyn Stream<Item = Seen> + Send>> = match carry {
            Carry::Ours => Box::pin(looks.in_current_context()),
            Carry::Bare => Box::pin(looks),
        };
        assert_eq!(looks.size_hint(), (3, Some(3)));
        Box::new(|| world.runtime.block_on(looks.collect()))
    });
}

/// A sink that notes what is current in each of its methods.
struct Looks(Arc<Mutex<VecDeque<Seen>>>);

impl Looks {
    fn look(&self) {
        self.0.lock().unwrap().push_back(Seen::here());
    }
}

impl Sink<()> for Looks {
    type Error = ();

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.look();
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, (): ()) -> Result<(), ()> {
        self.look();
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.look();
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.look();
        Poll::Ready(Ok(()))
    }
}

#[test]
fn context_crosses_a_sink_that_is_fed_elsewhere() {
    proves(|world, carry| {
        let seen = Arc::new(Mutex::new(VecDeque::new()));
        let sink = Looks(seen.clone());
        let mut sink: Pin<Box<dyn Sink<(), Error = ()> + Send>> = match carry {
            Carry::Ours => Box::pin(sink.in_current_context()),
            Carry::Bare => Box::pin(sink),
        };
        Box::new(move || {
            world.runtime.block_on(async {
                sink.send(()).await.unwrap();
                sink.close().await.unwrap();
            });
            drop(sink);
            let seen: Vec<_> = seen.lock().unwrap().drain(..).collect();
            assert_eq!(seen.len(), 4, "ready, sent, flushed, closed");
            seen
        })
    });
}
