//! Tasks of tokio.

use ctx_layer::task::{self, InContextExt, JoinSetExt};
use ctx_tests::Yield;
use tokio::task::{JoinSet, LocalSet};

use crate::request::{Afterwards, Carry, Seen, World, proves};

/// Returns what is current after a pending poll, perhaps on another thread.
async fn look_twice() -> Vec<Seen> {
    let first = Seen::here();
    Yield::default().await;
    tokio::task::yield_now().await;
    vec![first, Seen::here()]
}

#[test]
fn context_crosses_spawn() {
    proves(|world, carry| {
        let _runtime = world.runtime.enter();
        let task = match carry {
            Carry::Ours => task::spawn(look_twice()),
            Carry::Bare => tokio::spawn(look_twice()),
        };
        Box::new(|| world.runtime.block_on(task).unwrap())
    });
}

#[test]
fn context_crosses_spawn_from_within_a_spawned_task() {
    proves(|world, carry| {
        let _runtime = world.runtime.enter();
        let task = match carry {
            Carry::Ours => task::spawn(async { task::spawn(look_twice()).await.unwrap() }),
            Carry::Bare => tokio::spawn(async { tokio::spawn(look_twice()).await.unwrap() }),
        };
        Box::new(|| world.runtime.block_on(task).unwrap())
    });
}

#[test]
fn context_crosses_spawn_blocking() {
    proves(|world, carry| {
        let _runtime = world.runtime.enter();
        let look = || vec![Seen::here()];
        let task = match carry {
            Carry::Ours => task::spawn_blocking(look),
            Carry::Bare => tokio::task::spawn_blocking(look),
        };
        Box::new(|| world.runtime.block_on(task).unwrap())
    });
}

#[test]
fn context_crosses_spawn_local() {
    proves(|world, carry| {
        let local = LocalSet::new();
        let task = {
            let _local = local.enter();
            match carry {
                Carry::Ours => task::spawn_local(look_twice()),
                Carry::Bare => tokio::task::spawn_local(look_twice()),
            }
        };
        Box::new(move || world.runtime.block_on(local.run_until(task)).unwrap())
    });
}

#[test]
fn context_crosses_a_local_set_that_is_run_elsewhere() {
    proves(|_, carry| {
        let local = LocalSet::new();
        let task = match carry {
            Carry::Ours => local.spawn_local(look_twice().in_current_context()),
            Carry::Bare => local.spawn_local(look_twice()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Box::new(move || local.block_on(&runtime, task).unwrap())
    });
}

fn through_a_join_set<'a>(world: &'a World, fill: impl FnOnce(&mut JoinSet<Vec<Seen>>)) -> Afterwards<'a> {
    let mut set = JoinSet::new();
    {
        let _runtime = world.runtime.enter();
        fill(&mut set);
    }
    Box::new(move || world.runtime.block_on(set.join_all()).concat())
}

#[test]
fn context_crosses_a_join_set() {
    proves(|world, carry| {
        through_a_join_set(world, |set| {
            for _ in 0..3 {
                match carry {
                    Carry::Ours => set.spawn_with_context(look_twice()),
                    Carry::Bare => set.spawn(look_twice()),
                };
            }
        })
    });
    proves(|world, carry| {
        through_a_join_set(world, |set| {
            match carry {
                Carry::Ours => set.spawn_blocking_with_context(|| vec![Seen::here()]),
                Carry::Bare => set.spawn_blocking(|| vec![Seen::here()]),
            };
        })
    });
    proves(|world, carry| {
        through_a_join_set(world, |set| {
            match carry {
                Carry::Ours => set.spawn_on_with_context(look_twice(), world.runtime.handle()),
                Carry::Bare => set.spawn_on(look_twice(), world.runtime.handle()),
            };
        })
    });
}

#[test]
fn context_crosses_a_join_set_on_a_local_set() {
    proves(|world, carry| {
        let (local, mut set) = (LocalSet::new(), JoinSet::new());
        {
            let _local = local.enter();
            match carry {
                Carry::Ours => set.spawn_local_with_context(look_twice()),
                Carry::Bare => set.spawn_local(look_twice()),
            };
        }
        Box::new(move || world.runtime.block_on(local.run_until(set.join_all())).concat())
    });
}
