//! Runtimes inside runtimes.

use ctx_layer::task::{self, InContextExt};
use ctx_tests::Yield;
use tokio::runtime::{Builder, Handle};

use crate::request::{Carry, Seen, proves};

async fn look() -> Seen {
    Yield::default().await;
    Seen::here()
}

#[test]
fn context_crosses_block_on_inside_spawn_blocking() {
    proves(|world, carry| {
        let _runtime = world.runtime.enter();
        let blocking = || {
            let on_this_thread = Handle::current().block_on(look());
            vec![on_this_thread, Seen::here()]
        };
        let task = match carry {
            Carry::Ours => task::spawn_blocking(blocking),
            Carry::Bare => tokio::task::spawn_blocking(blocking),
        };
        Box::new(|| world.runtime.block_on(task).unwrap())
    });
}

#[test]
fn context_crosses_nested_runtimes() {
    proves(|world, carry| {
        let _runtime = world.runtime.enter();
        let dispatch = world.dispatch.clone();
        let blocking = move || {
            let inner = ctx_tests::runtime(&dispatch);
            let seen = inner.block_on(async {
                match carry {
                    Carry::Ours => vec![look().await, task::spawn(look()).await.unwrap()],
                    Carry::Bare => vec![look().await, tokio::spawn(look()).await.unwrap()],
                }
            });
            inner.shutdown_background();
            seen
        };
        let task = match carry {
            Carry::Ours => task::spawn_blocking(blocking),
            Carry::Bare => tokio::task::spawn_blocking(blocking),
        };
        Box::new(|| world.runtime.block_on(task).unwrap())
    });
}

#[test]
fn context_crosses_to_a_runtime_of_one_thread_and_to_another_of_many() {
    proves(|world, carry| {
        let one = Builder::new_current_thread().build().unwrap();
        let (here, there) = match carry {
            Carry::Ours => (one.spawn(look().in_current_context()), world.runtime.spawn(look().in_current_context())),
            Carry::Bare => (one.spawn(look()), world.runtime.spawn(look())),
        };
        Box::new(move || vec![one.block_on(here).unwrap(), world.runtime.block_on(there).unwrap()])
    });
}

#[test]
fn context_crosses_block_in_place() {
    proves(|world, carry| {
        let blocking = async {
            Yield::default().await;
            tokio::task::block_in_place(|| vec![Seen::here(), Handle::current().block_on(look())])
        };
        let task = match carry {
            Carry::Ours => world.runtime.spawn(blocking.in_current_context()),
            Carry::Bare => world.runtime.spawn(blocking),
        };
        Box::new(|| world.runtime.block_on(task).unwrap())
    });
}
