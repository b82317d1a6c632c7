//! Reading the current context.

use std::{cell::RefCell, sync::mpsc, thread};

use ctx_layer::task::{self, InContextExt, Snapshot};

use crate::request::{World, request};

#[test]
fn the_context_can_be_read_inside_a_request_and_not_outside() {
    for world in World::all() {
        world.in_scope(|| {
            let none = || {
                task::current_span().is_none()
                    && task::current_trace_id().is_none()
                    && task::current_span_id().is_none()
                    && task::current_context().is_none()
            };
            assert!(none(), "{}", world.name);
            request("acme", || {
                assert_eq!(task::current_span().unwrap().metadata().unwrap().name(), "request");
                assert_eq!(task::current_trace_id(), Some(4.into()));
                assert!(task::current_span_id().is_some() && task::current_context().is_some());
            });
            assert!(none(), "{}", world.name);
        });
    }
}

#[test]
fn without_a_subscriber_there_is_nothing_to_read_and_nothing_panics() {
    assert!(task::current_span().is_none() && task::current_trace_id().is_none());
    assert!(task::current_span_id().is_none() && task::current_context().is_none());
    Snapshot::capture().in_scope(|| ());
}

/// A value that reads everything, and captures, in the destructor of a thread-local.
struct ReadsOnDrop(mpsc::Sender<()>);

impl Drop for ReadsOnDrop {
    fn drop(&mut self) {
        let _ = (task::current_span(), task::current_trace_id(), task::current_span_id(), task::current_context());
        Snapshot::capture().in_scope(|| ());
        drop(async {}.in_current_context());
        task::isolated(|| ())();
        self.0.send(()).unwrap();
    }
}

thread_local! {
    static FIRST: RefCell<Vec<ReadsOnDrop>> = const { RefCell::new(Vec::new()) };
    static LAST: RefCell<Vec<ReadsOnDrop>> = const { RefCell::new(Vec::new()) };
    static KEPT: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn nothing_panics_while_a_thread_is_torn_down() {
    let world = World::exporting();
    let (sender, receiver) = mpsc::channel();
    for uses_it_before in [true, false] {
        let (sender, dispatch) = (sender.clone(), world.dispatch.clone());
        thread::spawn(move || {
            FIRST.with_borrow_mut(|first| first.push(ReadsOnDrop(sender.clone())));
            std::mem::forget(tracing::dispatcher::set_default(&dispatch));
            if uses_it_before {
                request("acme", || {
                    // Dropped with the thread: a task that never ran.
                    let sees = ReadsOnDrop(sender.clone());
                    KEPT.with_borrow_mut(|kept| kept.push(Box::new(async move { drop(sees) }.in_current_context())));
                });
            } else {
                KEPT.with_borrow_mut(|kept| kept.push(Box::new(ReadsOnDrop(sender.clone()))));
            }
            LAST.with_borrow_mut(|last| last.push(ReadsOnDrop(sender)));
        })
        .join()
        .unwrap();
    }
    drop(sender);
    assert_eq!(receiver.iter().count(), 6);
}
