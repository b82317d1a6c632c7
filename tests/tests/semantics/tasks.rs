//! Fields across `.await`, tasks and cancellation.

use std::{future::Future, time::Duration};

use ctx_layer::{Fields, FutureFieldsExt, field::well_known::*};
use ctx_tests::{Yield, each_poll_on_a_new_thread, runtime};
use tracing::{Instrument, info, info_span, instrument};

use crate::stacks::{self, Stack};

fn tenant() -> Option<String> {
    TENANT_ID.get().map(String::from)
}

fn on_tokio<F: Future>(stack: &Stack, future: F) -> F::Output {
    let runtime = runtime(&stack.dispatch);
    stack.in_scope(|| runtime.block_on(future))
}

#[test]
fn a_futures_value_is_current_at_every_poll_and_not_between() {
    for stack in stacks::all() {
        let future = stack.in_scope(|| {
            async {
                for _ in 0..3 {
                    assert_eq!(tenant().as_deref(), Some("acme"));
                    info!("polled");
                    Yield::default().await;
                }
                tenant()
            }
            .with_field(&TENANT_ID, "acme")
        });
        assert_eq!(tenant(), None);
        assert_eq!(each_poll_on_a_new_thread(&stack.dispatch, future).as_deref(), Some("acme"));
        assert_eq!(stack.recorder.on_events("tenant_id"), vec![Some("acme".to_owned()); 3], "{}", stack.name);
    }
}

#[test]
fn a_poll_leaves_nothing_behind_on_its_thread() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let mut future =
            Box::pin(async { Yield::default().await }.instrument(info_span!("s")).with_field(&TENANT_ID, "a"));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert_eq!(tenant(), None);
        assert!(future.as_mut().poll(&mut cx).is_ready());
        assert_eq!(tenant(), None);
    });
}

#[test]
fn a_spawned_task_with_a_span_keeps_the_tenant_without_new_code() {
    for stack in stacks::all() {
        on_tokio(&stack, async {
            let tasks: Vec<_> = ["a", "b", "c", "d"]
                .into_iter()
                .map(|tenant| {
                    let span = TENANT_ID.in_scope(tenant, || info_span!("task"));
                    let work = async move {
                        for _ in 0..20 {
                            tokio::task::yield_now().await;
                            assert_eq!(TENANT_ID.get().as_deref(), Some(tenant));
                            info!(expected = tenant, "working");
                        }
                    };
                    tokio::spawn(work.instrument(span))
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        let events = stack.recorder.items().into_iter().filter(|item| item.name == "working");
        let mut count = 0;
        for event in events {
            assert_eq!(event.text("tenant_id"), event.text("expected"), "{}", stack.name);
            count += 1;
        }
        assert_eq!(count, 80, "{}", stack.name);
    }
}

#[test]
fn a_spawned_task_without_a_span_has_no_tenant() {
    for stack in stacks::all() {
        on_tokio(&stack, async {
            let outer = async {
                tokio::spawn(async {
                    tokio::task::yield_now().await;
                    info!("bare");
                    tenant()
                })
                .await
                .unwrap()
            };
            let seen = outer.instrument(TENANT_ID.in_scope("acme", || info_span!("outer"))).await;
            assert_eq!(seen, None, "{}", stack.name);
        });
        assert_eq!(stack.recorder.event("bare").text("tenant_id"), None, "{}", stack.name);
    }
}

#[test]
fn a_spawned_task_with_fields_has_exactly_these() {
    let stack = Stack::plain();
    on_tokio(&stack, async {
        let work = async {
            tokio::task::yield_now().await;
            format!("{:?}", Fields::current())
        };
        let _user = async {}.with_field(&USER_ID, "other").await;
        let task = tokio::spawn(work.with_fields(Fields::new().with(&TENANT_ID, "acme").with(&ROLE, "admin")));
        assert_eq!(task.await.unwrap(), r#"{"tenant_id": acme, "role": admin}"#);
    });
}

#[test]
fn a_future_with_fields_keeps_the_others_and_one_that_replaces_does_not() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let seen = || async {
            Yield::default().await;
            format!("{:?}", Fields::current())
        };
        let (one, all) = TENANT_ID.in_scope("acme", || {
            (seen().with_field(&USER_ID, "u-1"), seen().replace_fields(Fields::new().with(&USER_ID, "u-1")))
        });
        assert_eq!(each_poll_on_a_new_thread(&stack.dispatch, one), r#"{"tenant_id": acme, "user_id": u-1}"#);
        assert_eq!(each_poll_on_a_new_thread(&stack.dispatch, all), r#"{"user_id": u-1}"#);
    });
}

#[test]
fn a_nested_future_has_the_inner_value_until_it_ends() {
    for stack in stacks::all() {
        let name = stack.name;
        let future = async move {
            assert_eq!(tenant().as_deref(), Some("outer"));
            let inner = async {
                Yield::default().await;
                tenant()
            };
            assert_eq!(inner.with_field(&TENANT_ID, "inner").await.as_deref(), Some("inner"), "{name}");
            Yield::default().await;
            assert_eq!(tenant().as_deref(), Some("outer"), "{name}");
        };
        each_poll_on_a_new_thread(&stack.dispatch, future.with_field(&TENANT_ID, "outer"));
    }
}

/// A value that logs when it is dropped.
struct LogsOnDrop(&'static str);

impl Drop for LogsOnDrop {
    fn drop(&mut self) {
        info!("{} dropped", self.0);
    }
}

#[test]
fn the_losing_branch_of_a_select_is_dropped_with_its_fields() {
    for stack in stacks::all() {
        on_tokio(&stack, async {
            let forever = |name| async move {
                let _logs = LogsOnDrop(name);
                std::future::pending::<()>().await;
            };
            let span = TENANT_ID.in_scope("spanned", || info_span!("losing"));
            tokio::select! {
                biased;
                () = forever("fields").with_field(&TENANT_ID, "fielded") => unreachable!(),
                () = forever("span").instrument(span) => unreachable!(),
                () = tokio::task::yield_now() => {}
            }
            assert_eq!(tenant(), None);
        });
        assert_eq!(stack.recorder.event("fields dropped").text("tenant_id"), Some("fielded"), "{}", stack.name);
        assert_eq!(stack.recorder.event("span dropped").text("tenant_id"), Some("spanned"), "{}", stack.name);
    }
}

#[test]
fn an_aborted_task_is_dropped_with_its_fields() {
    for stack in stacks::all() {
        on_tokio(&stack, async {
            let (started, start) = tokio::sync::oneshot::channel();
            let task = tokio::spawn(
                async move {
                    let _logs = LogsOnDrop("aborted");
                    started.send(()).unwrap();
                    tokio::time::sleep(Duration::from_secs(3600)).await;
                }
                .with_field(&TENANT_ID, "acme"),
            );
            start.await.unwrap();
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert_eq!(stack.recorder.event("aborted dropped").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn a_future_never_polled_is_dropped_with_its_fields() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let logs = LogsOnDrop("unpolled");
        drop(async move { drop(logs) }.with_field(&TENANT_ID, "acme"));
        assert_eq!(tenant(), None);
    });
    assert_eq!(stack.recorder.event("unpolled dropped").text("tenant_id"), Some("acme"));
}

#[test]
fn a_task_that_panics_leaves_no_tenant_on_its_thread() {
    let stack = Stack::plain();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    stack.in_scope(|| {
        runtime.block_on(async {
            let panics = async {
                Yield::default().await;
                panic!("on purpose")
            };
            let span = USER_ID.in_scope("u-1", || info_span!("panics"));
            let task = tokio::spawn(panics.instrument(span).with_field(&TENANT_ID, "acme"));
            assert!(task.await.unwrap_err().is_panic());
            let after = tokio::spawn(async { Fields::current().len() });
            assert_eq!(after.await.unwrap(), 0);
        });
    });
}

#[instrument(fields(own = 1))]
async fn handler(depth: u32) -> Option<String> {
    Yield::default().await;
    info!(depth, "handling");
    if depth > 0 { Box::pin(handler(depth - 1)).await } else { tenant() }
}

#[instrument(ret, err)]
async fn fails(path: &str) -> Result<(), std::io::Error> {
    Yield::default().await;
    Err(std::io::Error::other(format!("{path} failed")))
}

#[test]
fn tracings_instrumented_functions_carry_the_fields_across_threads() {
    for stack in stacks::all() {
        let seen = each_poll_on_a_new_thread(&stack.dispatch, handler(3).with_field(&TENANT_ID, "acme"));
        assert_eq!(seen.as_deref(), Some("acme"), "{}", stack.name);
        let items: Vec<_> = stack.recorder.items();
        assert_eq!(items.len(), 8, "{}", stack.name);
        assert!(items.iter().all(|item| item.text("tenant_id") == Some("acme")), "{}: {items:?}", stack.name);
    }
}

#[test]
fn an_instrumented_future_from_a_scope_keeps_the_scopes_fields() {
    // The span of an `#[instrument]` function is created at its first poll, not where it is called.
    for stack in stacks::all() {
        let future = stack.in_scope(|| TENANT_ID.in_scope("acme", || handler(1).in_current_span()));
        let seen = each_poll_on_a_new_thread(&stack.dispatch, future);
        assert_eq!(seen, None, "{}", stack.name);

        let span = stack.in_scope(|| TENANT_ID.in_scope("acme", || info_span!("request")));
        let seen = each_poll_on_a_new_thread(&stack.dispatch, handler(1).instrument(span));
        assert_eq!(seen.as_deref(), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn results_and_errors_that_instrument_logs_have_the_field() {
    let stack = Stack::plain();
    let result = each_poll_on_a_new_thread(&stack.dispatch, fails("/orders").with_field(&TENANT_ID, "acme"));
    assert!(result.is_err());
    let items = stack.recorder.items();
    let error = items.iter().find(|item| item.get("error").is_some()).expect("`err` logs an event");
    assert_eq!(error.text("tenant_id"), Some("acme"));
}

#[test]
fn a_blocking_task_carries_the_fields_of_a_span_it_enters() {
    for stack in stacks::all() {
        on_tokio(&stack, async {
            let span = TENANT_ID.in_scope("acme", || info_span!("blocking"));
            let seen = tokio::task::spawn_blocking(move || (tenant(), span.in_scope(tenant), tenant())).await.unwrap();
            assert_eq!(seen, (None, Some("acme".to_owned()), None), "{}", stack.name);
        });
    }
}

#[test]
fn two_futures_polled_in_turn_by_one_task_keep_their_own_tenants() {
    for stack in stacks::all() {
        let name = stack.name;
        on_tokio(&stack, async move {
            let work = |expected: &'static str| async move {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                    assert_eq!(tenant().as_deref(), Some(expected), "{name}");
                }
            };
            let span = TENANT_ID.in_scope("c", || info_span!("c"));
            tokio::join!(
                work("a").with_field(&TENANT_ID, "a"),
                work("b").with_field(&TENANT_ID, "b").instrument(info_span!("b")),
                work("c").instrument(span),
            );
        });
    }
}
