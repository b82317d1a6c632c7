//! Background jobs that inherit nothing.

use ctx_layer::{
    field::well_known::*,
    propagation::{self, Trust},
    task::{InContextExt, Snapshot, isolated},
};
use ctx_tests::Yield;
use opentelemetry::SpanId;
use tracing::{info, info_span};

use crate::request::{Seen, World, request};

#[test]
fn an_isolated_closure_is_a_new_root_wherever_it_is_called() {
    for world in World::all() {
        world.in_scope(|| {
            request("acme", || {
                let here = Seen::without_child();
                let _inner = info_span!("inner").entered();
                let _again = info_span!("innermost").entered();
                let before = Seen::without_child();
                assert_eq!(isolated(Seen::here)(), Seen::NOTHING, "{}", world.name);
                assert_eq!(Seen::without_child(), before, "{}: all is as it was", world.name);
                drop((_again, _inner));
                assert_eq!(Seen::without_child(), here, "{}: spans are left in order", world.name);
            });
            if let Some(exported) = &world.exported {
                assert_eq!(exported.span("child").parent_span_id, SpanId::INVALID);
                assert_eq!(exported.span("innermost").parent_span_id, exported.span("inner").span_context.span_id());
            }
        });
    }
}

#[test]
fn an_isolated_future_is_a_new_root_even_if_another_request_polls_it() {
    for world in World::all() {
        world.in_scope(|| {
            let job = request("acme", || {
                async {
                    let first = Seen::here();
                    Yield::default().await;
                    (first, TENANT_ID.in_scope("its own", || Seen::without_child().tenant), Seen::here())
                }
                .isolated()
            });
            let (first, own, second) = request("globex", || world.runtime.block_on(job));
            assert_eq!((first, second), (Seen::NOTHING, Seen::NOTHING), "{}", world.name);
            assert_eq!(own.as_deref(), Some("its own"));
        });
    }
}

#[test]
fn work_captured_without_context_has_none_inside_another_request() {
    for world in World::all() {
        world.in_scope(|| {
            let job = async { Seen::here() }.in_current_context();
            let seen = request("globex", || world.runtime.block_on(job));
            assert_eq!(seen, Seen::NOTHING, "{}", world.name);
        });
    }
}

#[test]
fn after_an_isolated_job_panics_the_span_around_it_is_current() {
    for world in World::all() {
        world.in_scope(|| {
            request("acme", || {
                let before = Seen::without_child();
                let job = isolated(|| {
                    info!("about to panic");
                    panic!("on purpose")
                });
                assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err());
                assert_eq!(Seen::without_child(), before, "{}", world.name);
            });
        });
        assert_eq!(world.recorder.event("about to panic").text("tenant_id"), None);
    }
}

#[test]
fn a_future_in_an_extracted_context_belongs_to_the_sender_alone() {
    for world in World::all() {
        world.in_scope(|| {
            let message = [("baggage", "tenant_id=initech")];
            let extracted = propagation::extract(&message, Trust::internal());
            let look = || async { Seen::without_child() };
            let (owned, borrowed) = (look().in_context(&extracted), look().in_context(extracted.clone()));
            for future in [owned, borrowed] {
                let seen = request("acme", || {
                    let _worker = info_span!("worker").entered();
                    world.runtime.block_on(future)
                });
                let expected = extracted.in_scope(|| isolated(|| extracted.in_scope(Seen::without_child))());
                assert_eq!(seen, expected, "{}", world.name);
                assert_eq!(seen.tenant.as_deref(), Some("initech"), "{}", world.name);
            }
        });
    }
}

#[test]
fn a_span_that_is_left_in_work_isolated_twice_is_left() {
    for world in World::all() {
        world.in_scope(|| {
            let span = info_span!("span").entered();
            let leave = async move { drop(span) };
            world.runtime.block_on(leave.isolated().in_current_context().isolated());
            assert_eq!(Seen::without_child(), Seen::NOTHING, "{}", world.name);
        });
    }
}

#[test]
fn a_span_that_is_left_in_isolated_work_in_which_it_is_current_is_left() {
    for world in World::all() {
        world.in_scope(|| {
            let span = info_span!("span").entered();
            let captured = (Snapshot::capture(), Snapshot::capture());
            isolated(|| captured.0.in_scope(|| captured.1.in_scope(|| drop(span))))();
            assert_eq!(Seen::without_child(), Seen::NOTHING, "{}", world.name);
        });
    }
}
