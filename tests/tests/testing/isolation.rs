//! The test to which something belongs.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use axum::{Router, routing::get};
use ctx_layer::{
    field::well_known::TENANT_ID,
    http::{ClientLayer, ClientMiddleware, ServerLayer},
    propagation::{self, DestinationPolicy, Trust},
    task,
    testing::{self, Telemetry},
};
use opentelemetry::{SpanId, TraceId};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use reqwest_middleware::ClientBuilder;
use tracing::{Instrument, info, info_span};

/// Calls `f` on many threads at the same time, each with a capture and a tenant of its own.
fn at_once(f: impl Fn(&str, &testing::Capture) + Sync) {
    thread::scope(|scope| {
        for number in 0..16 {
            let f = &f;
            scope.spawn(move || {
                let telemetry = testing::capture();
                let tenant = format!("tenant-{number}");
                f(&tenant, &telemetry);
            });
        }
    });
}

/// Asserts that there are this many events, all of this tenant.
#[track_caller]
fn assert_only(telemetry: &Telemetry, tenant: &str, events: usize) {
    telemetry.assert_field_everywhere(&TENANT_ID, tenant);
    assert_eq!(telemetry.events().len(), events, "{}", telemetry.picture());
}

#[test]
fn tests_at_the_same_time_have_their_own_spans_and_events() {
    at_once(|tenant, telemetry| {
        for _ in 0..50 {
            TENANT_ID.in_scope(tenant, || info_span!("work").in_scope(|| info!("done")));
        }
        assert_only(telemetry, tenant, 50);
        assert_eq!(telemetry.spans().len(), 50);
    });
}

#[test]
fn bare_tasks_of_the_runtime_belong_to_the_test() {
    at_once(|tenant, telemetry| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("threads can be started");
        runtime.block_on(async {
            info!(tenant_id = tenant, "begun");
            let of_task = tenant.to_owned();
            tokio::spawn(async move { info!(tenant_id = of_task, "in a task") }).await.expect("it does not panic");
            let blocking = tenant.to_owned();
            tokio::task::spawn_blocking(move || info!(tenant_id = blocking, "blocking"))
                .await
                .expect("it does not panic");
        });
        assert_only(telemetry, tenant, 3);
    });
}

#[test]
fn bare_tasks_of_several_threads_belong_to_the_test() {
    at_once(|tenant, telemetry| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("threads can be started");
        runtime.block_on(async {
            // Seen by the test's own thread in the runtime.
            info!(tenant_id = tenant, "begun");
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let tenant = tenant.to_owned();
                    tokio::spawn(async move { info!(tenant_id = tenant, "in a task") })
                })
                .collect();
            for task in tasks {
                task.await.expect("it does not panic");
            }
        });
        assert_only(telemetry, tenant, 9);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn bare_threads_belong_to_the_test_that_started_them() {
    at_once(|tenant, telemetry| {
        thread::scope(|scope| {
            scope.spawn(|| {
                info!(tenant_id = tenant, "in a thread");
                thread::scope(|scope| scope.spawn(|| info!(tenant_id = tenant, "in its thread")).join())
            });
        });
        assert_only(telemetry, tenant, 2);
    });
}

/// Work of tests, done by one thread for all of them.
static SHARED: LazyLock<mpsc::Sender<Box<dyn FnOnce() + Send>>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let work = move || receiver.into_iter().for_each(|work| work());
    thread::Builder::new().name("shared".to_owned()).spawn(work).expect("threads can be started");
    sender
});

#[test]
fn carried_work_on_a_shared_thread_belongs_to_its_test() {
    at_once(|tenant, telemetry| {
        let (done, is_done) = mpsc::channel();
        TENANT_ID.in_scope(tenant, || {
            // With fields alone, and in a span.
            for span in [tracing::Span::none(), info_span!("request")] {
                let done = done.clone();
                let work = span.in_scope(|| {
                    task::in_current_context(move || {
                        info_span!("work").in_scope(|| info!("shared"));
                        let _ = done.send(());
                    })
                });
                SHARED.send(Box::new(work)).expect("it lives");
            }
        });
        for _ in 0..2 {
            is_done.recv_timeout(Duration::from_secs(10)).expect("the work is done");
        }
        assert_only(telemetry, tenant, 2);
    });
}

/// Runs work on the shared thread, and waits for it.
fn on_the_shared_thread(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let work = move || {
        work();
        let _ = done.send(());
    };
    SHARED.send(Box::new(work)).expect("it lives");
    is_done.recv_timeout(Duration::from_secs(10)).expect("the work is done");
}

fn headers(trace_id: TraceId, span_id: SpanId) -> HashMap<String, String> {
    HashMap::from([("traceparent".to_owned(), format!("00-{trace_id}-{span_id}-01"))])
}

fn handle(headers: &HashMap<String, String>) {
    propagation::extract(headers, Trust::internal()).in_scope(|| info_span!("handle").in_scope(|| info!("handled")));
}

#[test]
fn a_message_belongs_to_the_test_whose_span_sent_it() {
    // All tests continue the same trace, as those that have its id in their source do.
    let trace_id = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").expect("it is an id");
    at_once(|_, telemetry| {
        let from = headers(trace_id, SpanId::from_hex("b7ad6b7169203331").expect("it is an id"));
        let mut sent = HashMap::<String, String>::new();
        propagation::extract(&from, Trust::internal())
            .in_scope(|| info_span!("send").in_scope(|| propagation::inject(&mut sent)));
        on_the_shared_thread(move || handle(&sent));
        telemetry.assert_child("handle", "send");
        assert!(telemetry.event("handled").is_in(&telemetry.span("handle")));
    });
}

#[test]
fn a_message_through_a_foreign_service_belongs_to_its_traces_test() {
    at_once(|_, telemetry| {
        info_span!("send").in_scope(|| {});
        let sent = headers(telemetry.span("send").trace_id(), SpanId::from(7));
        on_the_shared_thread(move || handle(&sent));
        assert_eq!(telemetry.span("handle").parent_span_id(), Some(SpanId::from(7)));
        assert_eq!(telemetry.events().len(), 1);
    });
}

#[test]
fn what_is_given_a_parent_belongs_to_the_parents_test() {
    let owner = testing::capture();
    let parent = info_span!("parent");
    thread::scope(|scope| {
        scope.spawn(|| {
            let other = testing::capture();
            let child = info_span!(parent: &parent, "child");
            info!(parent: &child, "of the child");
            info!(parent: &parent, "of the parent");
            drop(child);
            assert!(other.spans().is_empty() && other.events().is_empty(), "{}", other.picture());
        });
    });
    let bare = parent.clone();
    on_the_shared_thread(move || info!(parent: &bare, "elsewhere"));
    owner.assert_child("child", "parent");
    assert!(owner.event("of the child").is_in(&owner.span("child")));
    assert_eq!(owner.events().len(), 3, "{}", owner.picture());
}

#[test]
fn carried_work_in_a_global_pool_belongs_to_its_test() {
    at_once(|tenant, telemetry| {
        TENANT_ID.in_scope(tenant, || {
            let work = task::Snapshot::capture();
            (0..20).into_par_iter().for_each(|_| work.in_scope(|| info!("in the pool")));
        });
        assert_only(telemetry, tenant, 20);
    });
}

#[test]
fn bare_work_on_a_shared_thread_belongs_to_no_test() {
    // Another one is there, and so the process has not only one.
    let _other = testing::capture();
    let telemetry = testing::capture();
    on_the_shared_thread(|| info!("whose?"));
    assert!(telemetry.events().is_empty(), "{}", telemetry.picture());
}

/// A server that all tests share, on a runtime of its own.
static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let (sender, address) = mpsc::channel();
    let serve = async move {
        let app = Router::new().route(
            "/orders",
            get(|| async {
                // In a bare task in the span, too.
                tokio::spawn(async { info!("handled") }.in_current_span()).await.expect("it does not panic");
                "ok"
            }),
        );
        let app = app.layer(ServerLayer::new().trust(Trust::internal()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there are free ports");
        sender.send(listener.local_addr().expect("it is bound")).expect("it is waited for");
        axum::serve(listener, app).await.expect("it serves");
    };
    let run = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("it starts")
            .block_on(serve)
    };
    thread::Builder::new().name("server".to_owned()).spawn(run).expect("threads can be started");
    address.recv().expect("it serves")
});

#[test]
fn adopted_threads_of_a_pool_belong_to_the_test() {
    at_once(|tenant, telemetry| {
        let of_pool = telemetry.telemetry();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).thread_name(|at| format!("pool-{at}"));
        let pool = pool.start_handler(move |_| of_pool.adopt_thread()).build().expect("threads can be started");
        pool.install(|| (0..20).into_par_iter().for_each(|_| info!(tenant_id = tenant, "bare")));
        assert_only(telemetry, tenant, 20);
    });
}

#[test]
fn a_shared_server_is_captured_for_the_test_that_calls_it() {
    at_once(|tenant, telemetry| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
        let url = format!("http://{}/orders", *SERVER);
        TENANT_ID.in_scope(tenant, || {
            let span = info_span!("test");
            runtime.block_on(
                async {
                    let to = DestinationPolicy::internal(["127.0.0.1"]).expect("it is an address");
                    let layer = ClientMiddleware::new(ClientLayer::new().destinations(to));
                    let client = ClientBuilder::new(reqwest::Client::new()).with(layer).build();
                    assert!(client.get(url).send().await.expect("it is served").status().is_success());
                    telemetry
                        .until(|telemetry| telemetry.spans_named("GET /orders").iter().all(|span| !span.is_open()))
                        .await;
                }
                .instrument(span),
            );
        });
        assert_only(telemetry, tenant, 1);
        telemetry.assert_child("GET /orders", "GET");
        telemetry.assert_one_trace();
    });
}

#[test]
fn what_happens_after_a_test_is_in_no_other() {
    let (begin, begun) = mpsc::channel::<()>();
    let first = testing::capture();
    let span = info_span!("behind");
    let behind = thread::spawn(move || {
        begun.recv().expect("it is sent");
        span.in_scope(|| info!("after the test"));
        drop(span);
    });
    drop(first);
    let second = testing::capture();
    begin.send(()).expect("it waits");
    behind.join().expect("it does not panic");
    assert!(second.events().is_empty() && second.spans().is_empty(), "{}", second.picture());
}

#[test]
fn an_inner_capture_hides_the_outer_one() {
    let outer = testing::capture();
    info!("before");
    let inner = testing::capture();
    info!("within");
    assert_eq!(inner.events().len(), 1);
    drop(inner);
    info!("after");
    let events = outer.events();
    let messages: Vec<_> = events.iter().map(|event| event.message()).collect();
    assert_eq!(messages, ["before", "after"]);
}
