//! Three ways to spread work over tasks and threads, for two tenants at once: a thread pool, a fan-out with `JoinSet`,
//! and a worker that reads a channel. Every line has the tenant of the request that caused it. The last line of each
//! way has none: it was spawned bare.
//!
//! `cargo run --example boundaries`

use std::{sync::mpsc, thread};

use ctx_layer::{
    FutureFieldsExt, Schema, SubscriberFieldsExt,
    field::well_known::{REQUEST_ID, TENANT_ID},
    fields_once_per_line,
    task::{Carried, JoinSetExt, in_current_context},
};
use tokio::{sync::mpsc as channel, task::JoinSet};
use tracing::{Instrument, info, info_span};
use tracing_subscriber::{fmt::layer, prelude::*};

type Job = Box<dyn FnOnce() + Send>;

/// A thread pool without support for contexts.
fn pool() -> (mpsc::Sender<Job>, thread::JoinHandle<()>) {
    let (sender, jobs) = mpsc::channel::<Job>();
    (sender, thread::spawn(move || jobs.iter().for_each(|job| job())))
}

/// A worker that runs each order in the context of the request that sent it.
async fn ship(mut orders: channel::Receiver<Carried<u32>>) {
    while let Some(order) = orders.recv().await {
        order.in_scope_async(|id| async move { info!(id, "worker: shipped") }).await;
    }
    info!("worker: no more orders");
}

async fn handle(orders: channel::Sender<Carried<u32>>, pool: mpsc::Sender<Job>) {
    info!("received");

    pool.send(Box::new(in_current_context(|| info!("pool: thumbnail created")))).expect("the pool runs");
    pool.send(Box::new(|| info!("pool: bare, so without a tenant"))).expect("the pool runs");

    let mut parts = JoinSet::new();
    for part in ["stock", "price"] {
        parts.spawn_with_context(async move { info!(part, "fan-out: looked up") });
    }
    parts.spawn(async { info!("fan-out: bare, so without a tenant") });
    parts.join_all().await;

    orders.send(Carried::new(7)).await.expect("the worker runs");
}

#[tokio::main]
async fn main() {
    tracing_subscriber::registry()
        .with(fields_once_per_line(layer().without_time().with_target(false).with_ansi(false)))
        .with_context_fields(Schema::well_known())
        .init();

    let (pool, pool_thread) = pool();
    let (orders, queue) = channel::channel(8);
    let worker = tokio::spawn(ship(queue));

    let mut requests = JoinSet::new();
    for (id, tenant) in [("r-1", "acme"), ("r-2", "globex")] {
        let span = TENANT_ID.in_scope(tenant, || info_span!("request"));
        requests.spawn(handle(orders.clone(), pool.clone()).with_field(&REQUEST_ID, id).instrument(span));
    }
    requests.join_all().await;

    drop((orders, pool));
    worker.await.expect("it does not panic");
    pool_thread.join().expect("it does not panic");
}
