//! Futures that are dropped before their end: cancelled, aborted, shut down, panicked.

use std::{
    future::pending,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use ctx_layer::task::{self, InContextExt, in_current_context};
use futures_util::stream::{self, StreamExt};

use crate::request::{Afterwards, Carry, Seen, World, proves, request};

/// A value that notes what is current when it is dropped.
struct OnDrop(Arc<Mutex<Vec<Seen>>>, tracing::Dispatch);

impl OnDrop {
    fn new(world: &World) -> (Self, Arc<Mutex<Vec<Seen>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        (OnDrop(seen.clone(), world.dispatch.clone()), seen)
    }
}

impl OnDrop {
    fn look(&self) {
        self.0.lock().unwrap().push(Seen::under(&self.1));
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.look();
    }
}

fn wait_for(seen: &Mutex<Vec<Seen>>) -> Vec<Seen> {
    for _ in 0..10_000 {
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        if !seen.is_empty() {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it was not dropped")
}

fn dropped_by<'a>(
    world: &'a World,
    carry: Carry,
    drop: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) + 'a,
) -> Afterwards<'a> {
    let (on_drop, seen) = OnDrop::new(world);
    let work = async move {
        let _on_drop = on_drop;
        pending().await
    };
    let work: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = match carry {
        Carry::Ours => Box::pin(work.in_current_context()),
        Carry::Bare => Box::pin(work),
    };
    Box::new(move || {
        drop(work);
        wait_for(&seen)
    })
}

#[test]
fn the_losing_branch_of_a_select_is_dropped_in_its_context() {
    proves(|world, carry| {
        dropped_by(world, carry, |work| {
            world.runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = work => unreachable!(),
                    () = tokio::task::yield_now() => {}
                }
            });
        })
    });
}

#[test]
fn a_future_that_times_out_is_dropped_in_its_context() {
    proves(|world, carry| {
        dropped_by(world, carry, |work| {
            let timeout = async { tokio::time::timeout(Duration::from_millis(1), work).await };
            assert!(world.runtime.block_on(timeout).is_err());
        })
    });
}

#[test]
fn an_aborted_task_is_dropped_in_its_context() {
    proves(|world, carry| {
        dropped_by(world, carry, |work| {
            let task = world.runtime.spawn(work);
            task.abort();
            assert!(world.runtime.block_on(task).unwrap_err().is_cancelled());
        })
    });
}

#[test]
fn a_future_that_was_never_polled_is_dropped_in_its_context() {
    proves(|world, carry| dropped_by(world, carry, drop));
}

#[test]
fn a_runtime_that_is_shut_down_drops_its_tasks_in_their_contexts() {
    proves(|world, carry| {
        dropped_by(world, carry, |work| {
            let runtime = ctx_tests::runtime(&world.dispatch);
            let (started, has_started) = mpsc::channel();
            runtime.spawn(async move {
                started.send(()).unwrap();
                work.await;
            });
            has_started.recv().unwrap();
            runtime.shutdown_background();
        })
    });
    proves(|world, carry| {
        dropped_by(world, carry, |work| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.spawn(work);
            drop(runtime);
        })
    });
}

#[test]
fn an_ended_stream_is_dropped_in_its_context() {
    proves(|world, carry| {
        let (on_drop, seen) = OnDrop::new(world);
        let stream = stream::iter(0..2).map(move |n| (&on_drop, n).1);
        let stream: std::pin::Pin<Box<dyn stream::Stream<Item = i32>>> = match carry {
            Carry::Ours => Box::pin(stream.in_current_context()),
            Carry::Bare => Box::pin(stream),
        };
        Box::new(move || {
            assert_eq!(world.runtime.block_on(stream.collect::<Vec<_>>()), [0, 1]);
            wait_for(&seen)
        })
    });
}

#[test]
fn the_captures_of_an_uncalled_closure_are_dropped_in_its_context() {
    proves(|world, carry| {
        let (on_drop, seen) = OnDrop::new(world);
        let closure = move || drop(on_drop);
        let closure: Box<dyn FnOnce()> = match carry {
            Carry::Ours => Box::new(in_current_context(closure)),
            Carry::Bare => Box::new(closure),
        };
        Box::new(move || {
            drop(closure);
            wait_for(&seen)
        })
    });
}

/// Creates a runtime of one thread, so that the next task runs on the thread that panicked.
fn one_thread(world: &World) -> tokio::runtime::Runtime {
    let dispatch = world.dispatch.clone();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&dispatch)))
        .build()
        .unwrap()
}

#[test]
fn a_task_that_panics_leaves_a_clean_context_on_its_thread() {
    for world in World::all() {
        let runtime = one_thread(&world);
        let _runtime = runtime.enter();
        world.in_scope(|| {
            let (inside, panicking) = request("acme", || {
                let here = Seen::without_child();
                let panicking = task::spawn(async move {
                    ctx_tests::Yield::default().await;
                    assert_eq!(Seen::without_child(), here);
                    panic!("on purpose")
                });
                (Seen::without_child(), panicking)
            });
            let next = tokio::spawn(async { (std::thread::current().id(), Seen::without_child()) });
            let panic = runtime.block_on(panicking).unwrap_err().into_panic();
            assert_eq!(panic.downcast_ref(), Some(&"on purpose"), "it saw its own context: {inside:?}");
            let after = tokio::spawn(async { (std::thread::current().id(), Seen::without_child()) });
            let (next, after) = (runtime.block_on(next).unwrap(), runtime.block_on(after).unwrap());
            assert_eq!(next, (after.0, Seen::NOTHING), "{}", world.name);
            assert_eq!(after.1, Seen::NOTHING, "{}", world.name);
        });
    }
}

#[test]
fn a_blocking_task_that_panics_leaves_a_clean_context_on_its_thread() {
    for world in World::all() {
        let runtime = one_thread(&world);
        let _runtime = runtime.enter();
        world.in_scope(|| {
            let panicking = request("acme", || {
                let here = Seen::without_child();
                task::spawn_blocking(move || {
                    assert_eq!(Seen::without_child(), here);
                    panic!("on purpose")
                })
            });
            let panicked: Result<(), _> = runtime.block_on(panicking);
            assert_eq!(panicked.unwrap_err().into_panic().downcast_ref(), Some(&"on purpose"));
            let after = runtime.block_on(tokio::task::spawn_blocking(Seen::without_child)).unwrap();
            assert_eq!(after, Seen::NOTHING, "{}", world.name);
        });
    }
}
