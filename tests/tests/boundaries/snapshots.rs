//! The contents of a snapshot, beyond the request in which it was captured.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{self, Poll, Waker},
};

use ctx_layer::{
    Fields, FutureFieldsExt, SubscriberFieldsExt,
    field::well_known::*,
    task::{InContextExt, Snapshot, isolated},
};
use ctx_tests::{Yield, each_poll_on_a_new_thread, on_a_new_thread};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use tracing::{Instrument, info, info_span};
use tracing_subscriber::{Layer, layer, prelude::*};

use crate::request::{Seen, World, request};

#[test]
fn a_value_set_after_the_span_was_created_is_carried() {
    for world in World::all() {
        let future = world.in_scope(|| {
            request("acme", || {
                let _user = USER_ID.attach("ada");
                let _color = Context::current().with_baggage([KeyValue::new("color", "blue")]).attach();
                async {
                    Yield::default().await;
                    info!("in the task");
                    (Seen::without_child(), USER_ID.get())
                }
                .in_current_context()
            })
        });
        let (seen, user) = each_poll_on_a_new_thread(&world.dispatch, future);
        assert_eq!((seen.tenant.as_deref(), user.as_deref()), (Some("acme"), Some("ada")), "{}", world.name);
        assert_eq!((seen.baggage.as_deref(), seen.span), (Some("blue"), Some("request")), "{}", world.name);
        assert_eq!(world.recorder.event("in the task").text("user_id"), Some("ada"), "{}", world.name);
    }
}

#[test]
fn a_value_recorded_before_or_after_the_capture_is_current_in_the_task() {
    for world in World::all() {
        let span = world.in_scope(|| info_span!("request"));
        let future = world.in_scope(|| {
            span.in_scope(|| {
                assert!(TENANT_ID.record("acme"));
                info_span!("inner").in_scope(|| {
                    async {
                        Yield::default().await;
                        (TENANT_ID.get(), USER_ID.get())
                    }
                    .in_current_context()
                })
            })
        });
        let seen = each_poll_on_a_new_thread(&world.dispatch, future);
        assert_eq!(seen, (Some("acme".into()), None), "{}", world.name);

        let future =
            world.in_scope(|| span.in_scope(|| async { (TENANT_ID.get(), USER_ID.get()) }.in_current_context()));
        world.in_scope(|| span.in_scope(|| assert!(USER_ID.record("ada"))));
        let seen = each_poll_on_a_new_thread(&world.dispatch, future);
        assert_eq!(seen, (Some("acme".into()), Some("ada".into())), "{}", world.name);
    }
}

/// A value that another library keeps in the context.
#[derive(Debug, PartialEq)]
struct Foreign(u32);

#[test]
fn other_libraries_values_in_the_opentelemetry_context_are_carried() {
    for world in World::all() {
        let future = world.in_scope(|| {
            request("acme", || {
                let _foreign = Context::current_with_value(Foreign(7)).attach();
                async { Context::map_current(|cx| cx.get::<Foreign>().map(|it| it.0)) }.in_current_context()
            })
        });
        assert_eq!(each_poll_on_a_new_thread(&world.dispatch, future), Some(7), "{}", world.name);
    }
    let context = Context::new().with_value(Foreign(8));
    let alone = async { Context::map_current(|cx| cx.get::<Foreign>().map(|it| it.0)) }.in_context(context);
    assert_eq!(each_poll_on_a_new_thread(&World::plain().dispatch, alone), Some(8));
}

#[test]
fn two_tenants_polled_by_a_task_of_a_third_keep_their_own_fields() {
    for world in World::all() {
        world.in_scope(|| {
            let work = |expected: &'static str| {
                request(expected, || {
                    async move {
                        for _ in 0..10 {
                            tokio::task::yield_now().await;
                            let seen = Seen::here();
                            assert_eq!((seen.tenant.as_deref(), seen.span), (Some(expected), Some("request")));
                            assert_eq!(seen.baggage, Some(format!("{expected}'s")));
                        }
                    }
                    .in_current_context()
                })
            };
            let (one, other) = (work("acme"), work("globex"));
            request("third", || {
                world.runtime.block_on(async {
                    tokio::join!(one, other, async { assert_eq!(TENANT_ID.get().as_deref(), Some("third")) })
                })
            });
        });
    }
}

#[test]
fn fields_of_inner_futures_and_spans_win_over_captured_ones() {
    for world in World::all() {
        world.in_scope(|| {
            let future = request("acme", || {
                async { (TENANT_ID.get(), ROLE.get()) }
                    .with_fields(Fields::new().with(&TENANT_ID, "inner"))
                    .instrument(ROLE.in_scope("admin", || info_span!("inside")))
                    .in_current_context()
            });
            let (tenant, _) = each_poll_on_a_new_thread(&world.dispatch, future);
            assert_eq!(tenant.as_deref(), Some("inner"), "{}", world.name);
        });
    }
}

#[test]
fn fields_can_be_set_on_a_snapshot() {
    let snapshot = request("acme", || Snapshot::capture().with_field(&USER_ID, "ada"));
    let seen = snapshot.in_scope(|| (TENANT_ID.get(), USER_ID.get()));
    assert_eq!(seen, (None, Some("ada".into())), "without a subscriber, no span remembered the tenant");
    let snapshot = TENANT_ID.in_scope("acme", || Snapshot::capture().with_field(&USER_ID, "ada"));
    assert_eq!(snapshot.in_scope(|| format!("{:?}", Fields::current())), r#"{"tenant_id": acme, "user_id": ada}"#);
}

#[test]
fn the_threads_subscriber_is_carried_only_on_request() {
    let world = World::plain();
    let (bare, asked) =
        world.in_scope(|| request("acme", || (Snapshot::capture(), Snapshot::capture().with_current_subscriber())));
    let none = tracing::Dispatch::none();
    on_a_new_thread(&none, || bare.in_scope(|| info!("not heard")));
    on_a_new_thread(&none, || asked.in_scope(|| info!("heard")));
    let names: Vec<_> = world.recorder.items().into_iter().map(|item| item.name).collect();
    assert_eq!(names, ["request", "heard"]);
    assert_eq!(world.recorder.event("heard").text("tenant_id"), Some("acme"));
}

/// As in a server that polls, inside one of its requests, what was spawned.
#[test]
fn a_future_gets_nothing_of_the_request_in_which_it_is_polled() {
    let look = || -> Pin<Box<dyn Future<Output = Seen>>> { Box::pin(async { Seen::here() }.in_current_context()) };
    for world in World::all() {
        world.in_scope(|| {
            let polled_in_another_request = |mut future: Pin<Box<dyn Future<Output = Seen>>>| {
                request("globex", || {
                    let polled = future.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
                    assert_eq!(TENANT_ID.get().as_deref(), Some("globex"), "{}: afterwards", world.name);
                    polled
                })
            };
            let polled_in_a_span_with_a_recorded_value = |mut future: Pin<Box<dyn Future<Output = Seen>>>| {
                info_span!("another").in_scope(|| {
                    assert!(TENANT_ID.record("globex"));
                    let polled = future.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
                    assert_eq!(TENANT_ID.get().as_deref(), Some("globex"), "{}: afterwards", world.name);
                    polled
                })
            };
            let created_without_context = polled_in_a_span_with_a_recorded_value(look());
            assert_eq!(created_without_context, Poll::Ready(Seen::NOTHING), "{}", world.name);
            let (expected, future) = info_span!("alone").in_scope(|| (Seen::without_child(), look()));
            let span_alone = polled_in_a_span_with_a_recorded_value(future);
            assert_eq!(span_alone, Poll::Ready(expected), "{}: recorded", world.name);

            let created_without_context = polled_in_another_request(look());
            assert_eq!(created_without_context, Poll::Ready(Seen::NOTHING), "{}", world.name);

            // No field was current where it was created.
            let (expected, future) = info_span!("alone").in_scope(|| (Seen::without_child(), look()));
            assert_eq!(polled_in_another_request(future), Poll::Ready(expected), "{}", world.name);

            // Only a remote parent is current where it is polled.
            let (expected, mut future) = info_span!("alone").in_scope(|| (Seen::without_child(), look()));
            let polled = {
                let parent = SpanContext::new(7.into(), 7.into(), TraceFlags::SAMPLED, true, TraceState::NONE);
                let _remote = Context::new().with_remote_span_context(parent).attach();
                future.as_mut().poll(&mut task::Context::from_waker(Waker::noop()))
            };
            assert_eq!(polled, Poll::Ready(expected), "{}: remote parent", world.name);

            let (expected, future) = info_span!("before").in_scope(|| {
                let _tenant = TENANT_ID.attach("acme");
                (Seen::without_child(), look())
            });
            assert_eq!(polled_in_another_request(future), Poll::Ready(expected), "{}", world.name);
        });
    }
}

#[test]
fn a_futures_debug_shows_its_context_and_the_inner_future() {
    for world in World::all() {
        world.in_scope(|| {
            request("acme", || {
                let mut future = Box::pin(std::future::ready(7).in_current_context());
                let name = |snapshot: &Snapshot| snapshot.span().and_then(|span| Some(span.metadata()?.name()));
                assert_eq!(name(future.snapshot()), Some("request"), "{}", world.name);
                assert_eq!(name(&Snapshot::capture_context()), None, "{}", world.name);
                assert_eq!(isolated(|| future.snapshot().in_scope(|| TENANT_ID.get()))().as_deref(), Some("acme"));
                assert!(future.get_ref().is_some());
                let polled = future.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
                assert_eq!(polled, Poll::Ready(7));
                assert!(future.get_ref().is_none() && future.snapshot().span().is_none(), "it let go of both");
            });
        });
    }
}

#[test]
fn a_current_span_is_not_entered_again() {
    struct Entered(Arc<AtomicUsize>);
    impl<S: tracing::Subscriber> Layer<S> for Entered {
        fn on_enter(&self, _: &tracing::Id, _: layer::Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let entered = Arc::new(AtomicUsize::new(0));
    let stack = tracing_subscriber::registry().with(Entered(entered.clone())).with_context_fields(ctx_tests::schema());
    tracing::subscriber::with_default(stack, || {
        let snapshot = request("acme", || {
            let snapshot = Snapshot::capture();
            snapshot.in_scope(|| assert_eq!(entered.load(Ordering::Relaxed), 1));
            snapshot
        });
        snapshot.in_scope(|| assert_eq!(entered.load(Ordering::Relaxed), 2, "it is not current any more"));
    });
}

#[test]
fn a_guard_that_outlives_an_empty_snapshot_belongs_to_no_request() {
    for world in World::all() {
        world.in_scope(|| {
            let nothing = Snapshot::capture();
            let seen = request("acme", || {
                let entered = nothing.enter();
                let role = ROLE.attach("admin");
                drop(entered);
                let _ = USER_ID.record("ada");
                let outlasting = (TENANT_ID.get(), ROLE.get());
                drop(role);
                (outlasting, USER_ID.get())
            });
            assert_eq!(seen, ((None, Some("admin".into())), None), "{}", world.name);
        });
    }
}
