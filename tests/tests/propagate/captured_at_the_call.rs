//! The context of the caller is current wherever the function's future is polled or dropped.

use std::sync::{Arc, Mutex};

use ctx_layer::{field::well_known::TENANT_ID, propagate};
use opentelemetry::trace::TraceContextExt;
use tracing::{info, info_span};

use crate::stack::Stack;

fn tenant() -> Option<String> {
    TENANT_ID.get().map(String::from)
}

async fn bare() -> Option<String> {
    tokio::task::yield_now().await;
    tenant()
}

#[propagate]
async fn worker() -> Option<String> {
    tokio::task::yield_now().await;
    info!("working");
    let _child = info_span!("child").entered();
    tenant()
}

#[test]
fn a_spawned_function_keeps_the_fields_and_the_span_of_its_caller() {
    let stack = Stack::new();
    let (with, without) = stack.block_on(async {
        let (with, without) = {
            let _tenant = TENANT_ID.attach("acme");
            let _request = info_span!("request").entered();
            (tokio::spawn(worker()), tokio::spawn(bare()))
        };
        (with.await.unwrap(), without.await.unwrap())
    });
    assert_eq!((with.as_deref(), without), (Some("acme"), None));
    assert_eq!(stack.on_line("working", "tenant_id").as_deref(), Some("acme"));
    let (request, child) = (stack.exported.span("request"), stack.exported.span("child"));
    assert_eq!(child.parent_span_id, request.span_context.span_id());
    assert_eq!(child.span_context.trace_id(), request.span_context.trace_id());
}

#[test]
fn the_context_is_captured_at_the_call_and_not_at_the_first_poll() {
    let stack = Stack::new();
    stack.in_scope(|| {
        let future = TENANT_ID.in_scope("acme", worker);
        let seen = TENANT_ID.in_scope("globex", || futures_lite_block_on(future));
        assert_eq!(seen.as_deref(), Some("acme"));
        assert_eq!(tenant(), None);
    });
}

fn futures_lite_block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn the_captured_context_is_current_when_the_future_is_dropped() {
    struct NotesTenant(Arc<Mutex<Vec<Option<String>>>>);

    impl Drop for NotesTenant {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(tenant());
        }
    }

    #[propagate]
    async fn never_done(_notes: NotesTenant) {
        std::future::pending::<()>().await;
    }

    let stack = Stack::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    stack.in_scope(|| {
        // Once before the first poll, and once after.
        drop(TENANT_ID.in_scope("acme", || never_done(NotesTenant(seen.clone()))));
        let future = TENANT_ID.in_scope("globex", || never_done(NotesTenant(seen.clone())));
        let mut future = Box::pin(future);
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut task).is_pending());
        drop(future);
    });
    assert_eq!(*seen.lock().unwrap(), [Some("acme".to_owned()), Some("globex".to_owned())]);
}

#[test]
fn arguments_live_until_the_future_ends_used_or_not() {
    struct Noted(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Drop for Noted {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    struct Pair {
        used: Noted,
        rest: Noted,
    }

    #[propagate]
    async fn run(log: Arc<Mutex<Vec<&'static str>>>, _unused: Noted, _: Noted, Pair { used, .. }: Pair) {
        tokio::task::yield_now().await;
        log.lock().unwrap().push("body");
        let _ = &used;
    }

    let log = Arc::new(Mutex::new(Vec::new()));
    let noted = |name| Noted(name, log.clone());
    let pair = Pair { used: noted("used"), rest: noted("rest") };
    let _ = &pair.rest;
    futures_lite_block_on(run(log.clone(), noted("unused"), noted("ignored"), pair));
    let log = log.lock().unwrap().clone();
    assert_eq!(log[0], "body", "{log:?}");
    assert_eq!(log.len(), 5, "{log:?}");
}

#[test]
fn an_isolated_function_inherits_nothing() {
    #[propagate(isolated)]
    async fn background() -> (Option<String>, bool) {
        let span = info_span!("job").entered();
        let is_root = !opentelemetry::Context::current().span().span_context().is_remote();
        drop(span);
        (tenant(), is_root)
    }

    #[propagate(isolated)]
    fn at_once() -> Option<String> {
        info_span!("at once").in_scope(|| info!("alone"));
        tenant()
    }

    let stack = Stack::new();
    stack.block_on(async {
        let _tenant = TENANT_ID.attach("acme");
        let _request = info_span!("request").entered();
        assert_eq!(futures_block(background()), (None, true));
        assert_eq!(at_once(), None);
        assert_eq!(tenant().as_deref(), Some("acme"), "it is current again");
    });
    let request = stack.exported.span("request");
    for name in ["job", "at once"] {
        let span = stack.exported.span(name);
        assert_ne!(span.span_context.trace_id(), request.span_context.trace_id(), "{name}");
        assert_eq!(span.parent_span_id, opentelemetry::SpanId::INVALID, "{name}");
    }
    let line = stack.lines.json().into_iter().find(|line| line["fields"]["message"] == "alone").unwrap();
    let spans: Vec<_> = line["spans"].as_array().unwrap().iter().map(|span| span["name"].clone()).collect();
    assert_eq!(spans, ["at once"], "no span of the caller is around it");
}

fn futures_block<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
}

#[test]
fn two_tenants_at_once_are_never_mixed() {
    #[propagate]
    async fn checked(expected: String) {
        for _ in 0..20 {
            assert_eq!(tenant().as_deref(), Some(&*expected));
            tokio::task::yield_now().await;
        }
    }

    let stack = Stack::new();
    stack.block_on(async {
        let tasks: Vec<_> = (0..200)
            .map(|task| {
                let name = format!("tenant-{}", task % 7);
                TENANT_ID.in_scope(name.clone(), || tokio::spawn(checked(name)))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}
