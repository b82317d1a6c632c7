//! Threads and thread pools.

use std::{
    sync::mpsc,
    thread::{self, Builder},
};

use ctx_layer::task::{ThreadBuilderExt, in_current_context};
use rayon::prelude::*;

use crate::request::{Carry, Seen, proves};

#[test]
fn context_crosses_thread_spawn() {
    proves(|world, carry| {
        let dispatch = world.dispatch.clone();
        let look = move || vec![Seen::under(&dispatch)];
        let thread = match carry {
            Carry::Ours => thread::spawn(in_current_context(look)),
            Carry::Bare => thread::spawn(look),
        };
        Box::new(|| thread.join().unwrap())
    });
}

#[test]
fn context_crosses_a_thread_builder() {
    proves(|world, carry| {
        let dispatch = world.dispatch.clone();
        let look = move || vec![Seen::under(&dispatch)];
        let builder = Builder::new().name("importer".to_owned());
        let thread = match carry {
            Carry::Ours => builder.spawn_with_context(look),
            Carry::Bare => builder.spawn(look),
        };
        Box::new(|| thread.unwrap().join().unwrap())
    });
}

#[test]
fn context_crosses_scoped_threads() {
    proves(|world, carry| {
        let look = || Seen::under(&world.dispatch);
        let seen = thread::scope(|scope| {
            let threads = match carry {
                Carry::Ours => [
                    scope.spawn(in_current_context(look)),
                    Builder::new().spawn_scoped_with_context(scope, look).unwrap(),
                ],
                Carry::Bare => [scope.spawn(look), Builder::new().spawn_scoped(scope, look).unwrap()],
            };
            threads.map(|thread| thread.join().unwrap()).to_vec()
        });
        Box::new(|| seen)
    });
}

#[test]
fn context_crosses_a_custom_thread_pool() {
    type Job = Box<dyn FnOnce() -> Seen + Send>;
    let (jobs, queue) = mpsc::channel::<(Job, mpsc::Sender<Seen>)>();
    let pool = thread::spawn(move || {
        for (job, seen) in queue {
            seen.send(job()).unwrap();
            assert_eq!(Seen::without_child(), Seen::NOTHING, "a job leaves nothing behind");
        }
    });
    proves(|world, carry| {
        let dispatch = world.dispatch.clone();
        let look = move || Seen::under(&dispatch);
        let job: Job = match carry {
            Carry::Ours => Box::new(in_current_context(look)),
            Carry::Bare => Box::new(look),
        };
        let (sender, receiver) = mpsc::channel();
        jobs.send((job, sender)).unwrap();
        Box::new(move || vec![receiver.recv().unwrap()])
    });
    drop(jobs);
    pool.join().unwrap();
}

fn pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap()
}

#[test]
fn context_crosses_rayon_spawn() {
    let pool = pool();
    proves(|world, carry| {
        let dispatch = world.dispatch.clone();
        let (sender, receiver) = mpsc::channel();
        let look = move || sender.send(Seen::under(&dispatch)).unwrap();
        match carry {
            Carry::Ours => pool.spawn(in_current_context(look)),
            Carry::Bare => pool.spawn(look),
        }
        Box::new(move || receiver.iter().collect())
    });
}

#[test]
fn context_crosses_rayon_scope_and_join() {
    let pool = pool();
    proves(|world, carry| {
        let mut seen = [Seen::NOTHING, Seen::NOTHING, Seen::NOTHING, Seen::NOTHING];
        let [one, other, left, right] = &mut seen;
        let dispatch = &world.dispatch;
        pool.in_place_scope(|scope| match carry {
            Carry::Ours => {
                scope.spawn(in_current_context!(move |_| *one = Seen::under(dispatch)));
                scope.spawn(in_current_context!(move |_: &rayon::Scope<'_>| *other = Seen::under(dispatch)));
                let left = in_current_context(|| *left = Seen::under(dispatch));
                let right = in_current_context(|| *right = Seen::under(dispatch));
                pool.install(|| rayon::join(left, right));
            }
            Carry::Bare => {
                scope.spawn(move |_| *one = Seen::under(dispatch));
                scope.spawn(move |_| *other = Seen::under(dispatch));
                pool.install(|| {
                    rayon::join(|| *left = Seen::under(dispatch), || *right = Seen::under(dispatch));
                });
            }
        });
        Box::new(move || seen.to_vec())
    });
}

#[test]
fn context_crosses_rayon_par_iter() {
    let pool = pool();
    proves(|world, carry| {
        let dispatch = &world.dispatch;
        let numbers = [1, 2, 3, 4, 5, 6, 7, 8];
        let look = |_: &i32| Seen::under(dispatch);
        let seen = match carry {
            Carry::Ours => {
                let look = in_current_context!(move |number| look(number));
                pool.install(|| numbers.par_iter().map(look).collect())
            }
            Carry::Bare => pool.install(|| numbers.par_iter().map(look).collect()),
        };
        Box::new(|| seen)
    });
}
