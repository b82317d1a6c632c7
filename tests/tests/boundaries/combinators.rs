//! Futures that are created inside a request, and polled together with others outside it.

use std::{future::Future, time::Duration};

use ctx_layer::task::{InContext, InContextExt};
use ctx_tests::Yield;
use futures_util::{
    future::{Either, join_all},
    stream::{FuturesUnordered, StreamExt},
};

use crate::request::{Carry, Seen, proves};

async fn look() -> Seen {
    Yield::default().await;
    Seen::here()
}

fn carried<F: Future>(future: F, carry: Carry) -> Either<InContext<F>, F> {
    match carry {
        Carry::Ours => Either::Left(future.in_current_context()),
        Carry::Bare => Either::Right(future),
    }
}

#[test]
fn context_crosses_join() {
    proves(|world, carry| {
        let (one, other) = (carried(look(), carry), carried(look(), carry));
        Box::new(|| {
            let between = async { Seen::without_child() };
            let (one, between, other) = world.runtime.block_on(async { tokio::join!(one, between, other) });
            assert_eq!(between, Seen::NOTHING, "what is polled beside it has nothing of it");
            vec![one, other]
        })
    });
}

#[test]
fn context_crosses_select() {
    proves(|world, carry| {
        let (winner, never) = (carried(look(), carry), carried(std::future::pending::<Seen>(), carry));
        Box::new(|| {
            vec![world.runtime.block_on(async {
                tokio::select! {
                    seen = winner => seen,
                    seen = never => seen,
                }
            })]
        })
    });
}

#[test]
fn context_crosses_timeout() {
    proves(|world, carry| {
        let work = carried(look(), carry);
        Box::new(|| {
            vec![world.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), work).await.unwrap() })]
        })
    });
}

#[test]
fn context_crosses_futures_unordered() {
    proves(|world, carry| {
        let all: FuturesUnordered<_> = (0..3).map(|_| carried(look(), carry)).collect();
        Box::new(|| world.runtime.block_on(all.collect()))
    });
}

#[test]
fn context_crosses_join_all() {
    proves(|world, carry| {
        let all = join_all((0..3).map(|_| carried(look(), carry)));
        Box::new(|| world.runtime.block_on(all))
    });
}
