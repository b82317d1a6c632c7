//! Many tenants at once, each with its own context: 1 000 requests by default, 10 000 with `CTX_STRESS=full`.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, extract::Path, routing::get};
use ctx_layer::{
    FutureFieldsExt,
    field::well_known::{TENANT_ID, USER_ID},
    http::ServerLayer,
};
use tokio::sync::Semaphore;
use tracing::{Instrument, info, info_span};

use crate::{
    grpc::{self, serve_grpc},
    shared::*,
};

/// The number of concurrent requests.
const AT_ONCE: usize = 200;

#[test]
fn many_concurrent_tenants_keep_their_own_context() {
    let requests: u64 = match std::env::var("CTX_STRESS").as_deref() {
        Ok("full") => 10_000,
        _ => 1_000,
    };
    let stack = Stack::new();
    let on_thread = stack.dispatch().clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .on_thread_start(move || {
            // Scoped dispatchers belong to a thread, which keeps this one until it ends.
            std::mem::forget(tracing::dispatcher::set_default(&on_thread));
        })
        .build()
        .expect("it can be built");
    let wrong = Arc::new(AtomicU64::new(0));
    let _default = tracing::dispatcher::set_default(stack.dispatch());
    runtime.block_on(async {
        let layer = || ServerLayer::new().trust(internal());
        let grpc = grpc::connect(serve_grpc(layer()).await);
        let billing = move |Path(tenant): Path<String>| {
            let mut grpc = grpc.clone();
            async move {
                info!(expected = tenant, "billing");
                assert!(USER_ID.record(format!("user-of-{tenant}")));
                let answer = grpc::call(&mut grpc, "/shop.Orders/Get", "hello").await.expect("it is there");
                let inside = tokio::spawn(async { TENANT_ID.get() }.instrument(info_span!("task", expected = tenant)));
                assert_eq!(inside.await.expect("it does not panic").as_deref(), Some(tenant.as_str()));
                info!(expected = tenant, "billed");
                answer
            }
        };
        let billing = serve(Router::new().route("/{tenant}", get(billing)).layer(layer())).await;
        // Connections are kept and shared.
        let clients = [
            client_of(reqwest::Client::new()),
            client_of(reqwest::Client::builder().http2_prior_knowledge().build().expect("it can be built")),
        ];
        let shop_clients = clients.clone();
        let shop = move |Path((n, tenant)): Path<(usize, String)>| {
            let client = shop_clients[n % 2].clone();
            async move {
                info!(expected = tenant, "shop");
                let response = client.get(format!("http://{billing}/{tenant}")).send().await.expect("it is there");
                response.text().await.expect("it is text")
            }
        };
        let edge = ServerLayer::new().fields(|request, fields| match request.uri().path().split('/').nth(2) {
            Some(tenant) => fields.with(&TENANT_ID, tenant),
            None => fields,
        });
        let shop = serve(Router::new().route("/{n}/{tenant}", get(shop)).layer(edge)).await;

        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let tasks: Vec<_> = (0..requests)
            .map(|n| {
                let (client, permits, wrong) = (clients[(n % 2) as usize].clone(), permits.clone(), wrong.clone());
                tokio::spawn(async move {
                    let _permit = permits.acquire().await.expect("it is open");
                    let tenant = format!("tenant-{n}");
                    // The client's own tenant is not trusted there.
                    let sending = client.get(format!("http://{shop}/{}/{tenant}", n / 2)).send();
                    let response = sending.with_field(&TENANT_ID, "edge").await.expect("it is there");
                    let answer = response.text().await.expect("it is text");
                    if answer != format!("{:?} false", Some(&tenant)) {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    assert_eq!(wrong.load(Ordering::Relaxed), 0);

    // Each line and each span has the tenant that its code works for.
    let mut lines = 0;
    for line in stack.lines() {
        if let Some(expected) = line["fields"]["expected"].as_str() {
            assert_eq!(line["fields"]["tenant_id"], expected, "{line}");
            lines += 1;
        }
    }
    assert_eq!(lines, 3 * requests);
    let mut traces: HashMap<String, (String, u64)> = HashMap::new();
    let spans = stack.spans();
    for span in spans.iter().filter(|span| text(span, "tenant_id").is_some_and(|tenant| tenant != "edge")) {
        let tenant = text(span, "tenant_id").expect("it was looked at");
        let (of_trace, count) = traces.entry(trace_of(span)).or_insert_with(|| (tenant.clone(), 0));
        assert_eq!(*of_trace, tenant, "two tenants in one trace");
        *count += 1;
    }
    // Three servers, two clients between them, a task.
    assert_eq!(traces.len() as u64, requests);
    assert!(traces.values().all(|(_, count)| *count == 6), "{:?}", traces.values().find(|(_, count)| *count != 6));
    println!("{requests} requests, {} spans, {lines} lines, 0 wrong", spans.len());
}
