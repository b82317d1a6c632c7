//! Drops, cancelled work, panics, and requests inside requests.

use std::{
    cell::RefCell,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context as TaskContext, Waker},
    thread,
};

use ctx_layer::{
    FutureFieldsExt, InContextExt, Schema, SubscriberFieldsExt, declare_request,
    field::well_known::*,
    propagation::{Trust, extract},
    task::{self, Carried, Snapshot},
};
use ctx_tests::Recorder;
use tracing::{Dispatch, Instrument, Span, dispatcher, info, info_span};
use tracing_subscriber::prelude::*;

fn stack() -> (Dispatch, Recorder) {
    let recorder = Recorder::default();
    (
        Dispatch::new(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(Schema::well_known())),
        recorder,
    )
}

fn in_stack(f: impl FnOnce()) {
    dispatcher::with_default(&stack().0, f);
}

fn tenant() -> Option<String> {
    TENANT_ID.get().map(|tenant| tenant.to_string())
}

fn user() -> Option<String> {
    USER_ID.get().map(|user| user.to_string())
}

/// Notes the tenant that is current where it is dropped.
struct Dropped(Arc<Mutex<Vec<Option<String>>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(tenant());
    }
}

fn poll_once<F: Future>(future: &mut std::pin::Pin<Box<F>>) {
    assert!(future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
}

#[test]
fn what_a_cancelled_future_drops_has_the_futures_tenant() {
    in_stack(|| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let work = || {
            let dropped = Dropped(seen.clone());
            async move {
                let _dropped = dropped;
                pending::<()>().await;
            }
        };
        let span = TENANT_ID.in_scope("acme", || info_span!("request"));
        let mut with_field = TENANT_ID.in_scope("acme", || Box::pin(work().with_field(&USER_ID, "ada")));
        let mut propagated = TENANT_ID.in_scope("acme", || Box::pin(work().in_current_context()));
        let mut instrumented = Box::pin(work().instrument(span));
        let mut isolated = TENANT_ID.in_scope("acme", || Box::pin(work().isolated()));
        let _other = TENANT_ID.attach("globex");
        poll_once(&mut with_field);
        poll_once(&mut propagated);
        poll_once(&mut instrumented);
        poll_once(&mut isolated);
        drop(with_field);
        drop(propagated);
        drop(instrumented);
        drop(isolated);
        let acme = || Some("acme".to_owned());
        assert_eq!(*seen.lock().unwrap(), [acme(), acme(), acme(), None]);
        assert_eq!(tenant().as_deref(), Some("globex"));
    });
}

#[test]
fn a_future_that_was_never_polled_is_dropped_in_its_own_context() {
    in_stack(|| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let dropped = Dropped(seen.clone());
        let future = async move {
            let _dropped = dropped;
        };
        let future = TENANT_ID.in_scope("acme", || future.in_current_context());
        TENANT_ID.in_scope("globex", || drop(future));
        assert_eq!(*seen.lock().unwrap(), [Some("acme".to_owned())]);
    });
}

#[test]
fn a_future_that_panics_in_a_poll_leaves_nothing_on_the_thread() {
    in_stack(|| {
        let span = info_span!("worker").entered();
        let mut future = TENANT_ID.in_scope("acme", || {
            let work = async {
                let _kept = Box::new(USER_ID.attach("ada"));
                assert!(ROLE.record("admin"));
                panic!("meant");
            };
            Box::pin(work.instrument(info_span!("job")).with_field(&LOCALE, "de").in_current_context())
        });
        let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut future)));
        assert!(polled.is_err());
        assert_eq!((tenant(), user(), ROLE.get(), LOCALE.get()), (None, None, None, None));
        assert_eq!(Span::current().id(), span.id());
        drop(future);
        assert_eq!(tenant(), None);
        assert!(TENANT_ID.record("globex"));
        assert_eq!(tenant().as_deref(), Some("globex"));
    });
}

#[test]
fn guards_that_cross_each_others_ends_leave_the_outer_value() {
    in_stack(|| {
        let outer = TENANT_ID.attach("outer");
        let a = TENANT_ID.attach("a");
        let b = TENANT_ID.attach("b");
        drop(a);
        assert_eq!(tenant().as_deref(), Some("b"));
        let c = TENANT_ID.attach("c");
        drop(b);
        assert_eq!(tenant().as_deref(), Some("c"));
        drop(c);
        assert_eq!(tenant().as_deref(), Some("outer"));
        drop(outer);
        assert_eq!(tenant(), None);
    });
}

#[test]
fn a_forgotten_guard_does_not_reach_isolated_or_received_work() {
    // Each test has a thread of its own, which ends with the guard's frame on it.
    thread::spawn(|| {
        in_stack(|| {
            std::mem::forget(TENANT_ID.attach("acme"));
            assert_eq!(task::isolated(tenant)(), None);
            let message = std::collections::HashMap::from([("baggage".to_owned(), "user_id=ada".to_owned())]);
            extract(&message, Trust::internal())
                .in_scope(|| assert_eq!((tenant(), user()), (None, Some("ada".into()))));
        });
    })
    .join()
    .unwrap();
}

#[test]
fn record_on_request_stops_at_the_innermost_request() {
    let (dispatch, recorder) = stack();
    dispatcher::with_default(&dispatch, || {
        let gateway = info_span!("gateway");
        assert!(declare_request(&gateway));
        let _gateway = gateway.enter();
        let service = info_span!("service");
        assert!(declare_request(&service));
        {
            let _service = service.enter();
            let _step = info_span!("authenticate").entered();
            assert!(USER_ID.record_on_request("ada"));
            assert_eq!(user().as_deref(), Some("ada"));
        }
        assert_eq!(user(), None);
        service.in_scope(|| assert_eq!(user().as_deref(), Some("ada")));
    });
    assert_eq!(recorder.records().len(), 1);
}

#[test]
fn record_on_request_finds_none_in_work_that_is_apart() {
    in_stack(|| {
        let request = info_span!("request");
        assert!(declare_request(&request));
        let _request = request.enter();
        assert!(!task::isolated(|| USER_ID.record_on_request("eve"))());
        let message = std::collections::HashMap::from([("baggage".to_owned(), "tenant_id=acme".to_owned())]);
        extract(&message, Trust::internal()).in_scope(|| assert!(!USER_ID.record_on_request("eve")));
        assert_eq!(user(), None);
        thread::scope(|scope| {
            let work = task::in_current_context(|| USER_ID.record_on_request("ada"));
            let dispatch = dispatcher::get_default(Dispatch::clone);
            assert!(scope.spawn(move || dispatcher::with_default(&dispatch, work)).join().unwrap());
        });
        request.in_scope(|| assert_eq!(user().as_deref(), Some("ada")));
    });
}

#[test]
fn recording_on_a_span_that_cannot_be_recorded_on_is_false() {
    in_stack(|| {
        assert!(!USER_ID.record_on(&Span::none(), "ada"));
        assert!(!declare_request(&Span::none()));
        let elsewhere =
            dispatcher::with_default(&Dispatch::new(tracing_subscriber::registry()), || info_span!("other"));
        assert!(!USER_ID.record_on(&elsewhere, "ada"));
        assert!(!declare_request(&elsewhere));
        let _entered = elsewhere.enter();
        assert!(!USER_ID.record("ada"));
        assert_eq!(user(), None);
    });
}

#[test]
fn a_span_of_another_stack_is_recorded_on_in_that_stack() {
    let (other, recorder) = stack();
    let span = dispatcher::with_default(&other, || info_span!("other"));
    in_stack(|| {
        let _mine = info_span!("mine").entered();
        assert!(USER_ID.record_on(&span, "ada"));
        assert_eq!(user(), None, "it is not entered here");
    });
    assert_eq!(recorder.records().len(), 1);
    dispatcher::with_default(&other, || span.in_scope(|| assert_eq!(user().as_deref(), Some("ada"))));
}

#[test]
fn carried_values_that_are_nested_restore_each_other() {
    in_stack(|| {
        let [acme, globex] = ["acme", "globex"].map(|name| TENANT_ID.in_scope(name, || Carried::new(name)));
        acme.in_scope(|name| {
            assert_eq!(tenant().as_deref(), Some(name));
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                globex.in_scope(|name| {
                    assert_eq!(tenant().as_deref(), Some(name));
                    panic!("meant");
                })
            }));
            assert!(panicked.is_err());
            assert_eq!(tenant().as_deref(), Some(name));
        });
        assert_eq!(tenant(), None);
    });
}

#[test]
fn a_destructor_of_a_field_that_sets_it_again_changes_nothing() {
    in_stack(|| {
        let log = Rc::new(RefCell::new(Vec::new()));
        let guard = TENANT_ID.attach("acme");
        struct Sets(Rc<RefCell<Vec<Option<String>>>>);
        impl Drop for Sets {
            fn drop(&mut self) {
                TENANT_ID.in_scope("inner", || self.0.borrow_mut().push(tenant()));
                self.0.borrow_mut().push(tenant());
            }
        }
        let held = (Sets(log.clone()), guard);
        drop(held);
        assert_eq!(*log.borrow(), [Some("inner".into()), Some("acme".into())]);
        assert_eq!(tenant(), None);
    });
}

#[test]
fn a_snapshot_is_current_on_many_threads_at_once() {
    let (dispatch, _) = stack();
    dispatcher::with_default(&dispatch, || {
        let request = TENANT_ID.in_scope("acme", || info_span!("request"));
        let snapshot = request.in_scope(Snapshot::capture);
        thread::scope(|scope| {
            for number in 0..8 {
                let (snapshot, dispatch) = (&snapshot, dispatch.clone());
                scope.spawn(move || {
                    dispatcher::with_default(&dispatch, || {
                        let _mine = TENANT_ID.attach(format!("t-{number}"));
                        for _ in 0..100 {
                            snapshot.in_scope(|| {
                                assert_eq!(tenant().as_deref(), Some("acme"));
                                let _ = ROLE.record(format!("role-{number}"));
                                info!("in it");
                            });
                            assert_eq!(tenant(), Some(format!("t-{number}")));
                            assert_eq!(ROLE.get(), None);
                        }
                    });
                });
            }
        });
    });
}

#[test]
fn a_stream_and_a_sink_have_their_own_tenant_at_each_poll() {
    use futures_util::{SinkExt, StreamExt, sink, stream};
    in_stack(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (numbers, seen) = TENANT_ID.in_scope("acme", || {
            let numbers = stream::repeat_with(tenant).in_current_context();
            let seen = Arc::new(Mutex::new(Vec::new()));
            let noted = seen.clone();
            let sink = sink::unfold((), move |(), ()| {
                noted.lock().unwrap().push(tenant());
                std::future::ready(Ok::<_, ()>(()))
            });
            ((numbers, Box::pin(sink.in_current_context())), seen)
        });
        let (mut numbers, mut sink) = (Box::pin(numbers.0), numbers.1);
        let _other = TENANT_ID.attach("globex");
        runtime.block_on(async {
            assert_eq!(numbers.next().await.unwrap().as_deref(), Some("acme"));
            sink.send(()).await.unwrap();
            assert_eq!(tenant().as_deref(), Some("globex"));
        });
        assert_eq!(*seen.lock().unwrap(), [Some("acme".to_owned())]);
    });
}

#[test]
fn futures_of_many_tenants_in_one_task_are_never_mixed() {
    use futures_util::{StreamExt, stream::FuturesUnordered};
    in_stack(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let work = |number: usize| async move {
            for turn in 0..5 {
                let own = format!("t-{number}");
                assert_eq!(tenant().as_deref(), Some(&*own));
                let span = info_span!("step");
                async {
                    assert!(USER_ID.record(format!("u-{number}-{turn}")));
                    tokio::task::yield_now().await;
                    assert_eq!(user(), Some(format!("u-{number}-{turn}")));
                    assert_eq!(tenant(), Some(own));
                }
                .instrument(span)
                .await;
                assert_eq!(user(), None);
            }
        };
        let all: FuturesUnordered<_> = (0..50)
            .map(|number| {
                let tenant = format!("t-{number}");
                match number % 4 {
                    0 => Box::pin(work(number).with_field(&TENANT_ID, tenant))
                        as std::pin::Pin<Box<dyn Future<Output = ()>>>,
                    1 => Box::pin(TENANT_ID.in_scope(tenant, || work(number).in_current_context())),
                    2 => Box::pin(work(number).instrument(TENANT_ID.in_scope(tenant, || info_span!("request")))),
                    _ => Box::pin(work(number).with_field(&TENANT_ID, tenant).isolated()),
                }
            })
            .collect();
        let _outer = TENANT_ID.attach("outer");
        runtime.block_on(all.collect::<Vec<()>>().isolated());
        assert_eq!((tenant(), user()), (Some("outer".into()), None));
    });
}
