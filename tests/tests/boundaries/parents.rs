//! The exported parents of spans that are created in tasks.

use std::time::Duration;

use ctx_layer::{
    field::well_known::*,
    task::{InContextExt, Snapshot},
};
use ctx_tests::attribute;
use tokio::sync::oneshot;
use tracing::{info, info_span};

use crate::request::{World, request};

#[test]
fn a_child_span_of_a_spawned_task_has_the_ended_span_as_parent() {
    let world = World::exporting();
    world.in_scope(|| {
        let (go, gone) = oneshot::channel();
        let task = request("acme", || {
            let work = async {
                gone.await.unwrap();
                info!("in the task");
                info_span!("child").in_scope(|| ());
            };
            world.runtime.spawn(work.in_current_context())
        });
        // The request's span is left for good, and its handle dropped.
        std::thread::sleep(Duration::from_millis(5));
        go.send(()).unwrap();
        world.runtime.block_on(task).unwrap();
        let (parent, child) = (world.exported().span("request"), world.exported().span("child"));
        assert_eq!(child.parent_span_id, parent.span_context.span_id());
        assert_eq!(child.span_context.trace_id(), parent.span_context.trace_id());
        // The span is entered at every poll, has the task's events, and lasts as long as the task.
        assert_eq!(parent.events.iter().filter(|event| event.name == "in the task").count(), 1);
        assert!(parent.end_time >= child.end_time);
    });
}

#[test]
fn without_the_span_the_spawning_span_ends_and_remains_the_parent() {
    let world = World::exporting();
    world.in_scope(|| {
        let (go, gone) = oneshot::channel();
        let task = request("acme", || {
            let work = async {
                gone.await.unwrap();
                info_span!("child").in_scope(|| TENANT_ID.get())
            };
            world.runtime.spawn(work.in_context(Snapshot::capture().without_span()))
        });
        let parent = world.exported().span("request");
        std::thread::sleep(Duration::from_millis(5));
        go.send(()).unwrap();
        assert_eq!(world.runtime.block_on(task).unwrap().as_deref(), Some("acme"));
        let child = world.exported().span("child");
        assert_eq!(child.parent_span_id, parent.span_context.span_id());
        assert_eq!(attribute(&child.attributes, "tenant_id"), Some("acme".into()));
        assert!(child.start_time > parent.end_time);
    });
}

#[test]
fn a_ready_future_releases_its_span_before_it_is_dropped() {
    let world = World::exporting();
    world.in_scope(|| {
        let mut future = Box::pin(request("acme", || async {}.in_current_context()));
        assert!(world.exported().spans().is_empty());
        world.runtime.block_on(future.as_mut());
        assert_eq!(world.exported().spans().len(), 1);
        drop(future);
    });
}
