//! Threads that are being torn down under a subscriber without this crate's layer: the registry panics if a span is
//! entered then, and this crate enters none.

use std::{cell::RefCell, sync::mpsc, thread};

use ctx_layer::{
    field::well_known::*,
    task::{self, Snapshot},
};
use tracing::info_span;

/// Reads everything, captures, and enters a snapshot of another thread, in the destructor of a thread-local.
struct EntersOnDrop {
    snapshot: Snapshot,
    done: mpsc::Sender<()>,
}

impl Drop for EntersOnDrop {
    fn drop(&mut self) {
        self.snapshot.in_scope(|| ());
        let _ = (task::current_span(), task::current_trace_id(), task::current_context());
        Snapshot::capture().in_scope(|| drop(task::in_current_context(|| ())));
        task::isolated(|| ())();
        self.done.send(()).unwrap();
    }
}

thread_local! {
    static FIRST: RefCell<Option<EntersOnDrop>> = const { RefCell::new(None) };
    static LAST: RefCell<Option<EntersOnDrop>> = const { RefCell::new(None) };
}

#[test]
fn nothing_panics_while_a_thread_is_torn_down() {
    // The global default, since destructors of thread-locals see no scoped one.
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    let (done, receiver) = mpsc::channel();
    let snapshot = TENANT_ID.in_scope("acme", || info_span!("request").in_scope(Snapshot::capture));
    assert!(snapshot.span().is_some());
    let enters = || EntersOnDrop { snapshot: snapshot.clone(), done: done.clone() };

    // Thread-locals are destroyed in reverse order of creation: one is created before the registry's, and one after.
    let (first, last) = (enters(), enters());
    thread::spawn(move || {
        FIRST.set(Some(first));
        TENANT_ID.in_scope("acme", || {
            info_span!("work")
                .in_scope(|| assert!(task::current_span().is_some() && Snapshot::capture().span().is_some()));
        });
        LAST.set(Some(last));
    })
    .join()
    .unwrap();

    // The registry was used, and nothing of this crate before.
    let first = enters();
    thread::spawn(move || {
        FIRST.set(Some(first));
        info_span!("work").in_scope(|| ());
    })
    .join()
    .unwrap();

    // A thread that used nothing before.
    let first = enters();
    thread::spawn(|| FIRST.set(Some(first))).join().unwrap();

    drop(enters);
    drop(done);
    assert_eq!(receiver.iter().count(), 4);
}
