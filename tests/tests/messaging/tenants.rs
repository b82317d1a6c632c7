//! Many tenants at once: 10 000 messages of 100 tenants, handled by eight workers, which send on.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ctx_layer::{
    FutureFieldsExt,
    field::well_known::{TENANT_ID, USER_ID},
    messaging::{Message, Worker},
};
use tokio::task::yield_now;
use tracing::{Instrument, info, info_span};

use crate::{
    broker::{Broker, Delivered},
    shared::*,
};

const MESSAGES: u64 = 10_000;
const TENANTS: u64 = 100;
const WORKERS: usize = 8;

fn tenant_of(body: u64) -> String {
    format!("tenant-{}", body % TENANTS)
}

/// Handles a message. Some fail the first time, in each way that there is.
async fn handle(message: Message<Delivered>, next: Arc<Broker>, wrong: Arc<AtomicU64>) -> Result<(), String> {
    let body = message.envelope.body;
    let expected = tenant_of(body);
    let check = |place: &str| {
        if TENANT_ID.get().as_deref() != Some(&expected) {
            wrong.fetch_add(1, Ordering::Relaxed);
            println!("{place}: {:?} instead of {expected}", TENANT_ID.get());
        }
    };
    check("at the start");
    for _ in 0..body % 4 {
        yield_now().await;
    }
    if message.attempt() == 1 {
        match body % 500 {
            0 | 50 | 100 => return Err("the first time".to_owned()),
            1 => panic!("the first time"),
            _ => {}
        }
    }
    assert!(USER_ID.record(format!("user-of-{expected}")));
    let inside = async { TENANT_ID.get() }.instrument(info_span!("inside", expected));
    let inside = tokio::spawn(inside).await.expect("it does not panic");
    if inside.as_deref() != Some(&expected) {
        wrong.fetch_add(1, Ordering::Relaxed);
    }
    let mut headers = Headers::new();
    let sending = producer().inject(&mut headers);
    let sent = sending.run(async {
        yield_now().await;
        next.send(headers, body);
        Ok::<_, std::convert::Infallible>(())
    });
    sent.await.expect("it is sent");
    check("at the end");
    info!(expected, "handled");
    Ok(())
}

#[test]
fn ten_thousand_messages_of_a_hundred_tenants_are_kept_apart() {
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
    let (first, second) = (Broker::new(), Broker::new());
    let _default = tracing::dispatcher::set_default(stack.dispatch());
    for body in 0..MESSAGES {
        let mut headers = Headers::new();
        TENANT_ID.in_scope(tenant_of(body).as_str(), || drop(producer().inject(&mut headers)));
        first.send(headers, body);
    }
    runtime.block_on(async {
        let workers = (0..WORKERS).map(|_| {
            let (first, next, wrong) = (first.clone(), second.clone(), wrong.clone());
            let messages = first.messages();
            let worker = Worker::new(consumer(), move |message| handle(message, next.clone(), wrong.clone()))
                .concurrency(4)
                .shutdown(first.settled(MESSAGES as usize));
            // Started in the scope of another tenant.
            tokio::spawn(worker.run(messages).with_field(&TENANT_ID, "the worker's"))
        });
        let workers: Vec<_> = workers.collect();
        for worker in workers {
            worker.await.expect("it does not panic").expect("the queue is there");
        }
        // The second hop: fields and trace come from the first.
        let last = {
            let wrong = wrong.clone();
            move |message: Message<Delivered>| {
                let expected = tenant_of(message.envelope.body);
                let user = format!("user-of-{expected}");
                let is_right = TENANT_ID.get().as_deref() == Some(&expected) && USER_ID.get().as_deref() == Some(&user);
                wrong.fetch_add(u64::from(!is_right), Ordering::Relaxed);
                async {}
            }
        };
        let worker = Worker::new(consumer(), last).concurrency(8).shutdown(second.clone().settled(MESSAGES as usize));
        worker.run(second.messages()).await.expect("the queue is there");
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    assert_eq!(wrong.load(Ordering::Relaxed), 0);
    for broker in [&first, &second] {
        let acked: HashSet<u64> = broker.acked().into_iter().collect();
        assert_eq!((acked.len() as u64, broker.acked().len() as u64), (MESSAGES, MESSAGES));
    }
    // Of 500 messages, three failed once with an error, and one with a panic.
    assert_eq!(first.delivered(), MESSAGES + MESSAGES / 125);

    let mut lines = 0;
    for line in stack.lines() {
        if let Some(expected) = line["fields"]["expected"].as_str() {
            assert_eq!(line["fields"]["tenant_id"], expected, "{line}");
            assert_eq!(line["fields"]["user_id"], format!("user-of-{expected}"), "{line}");
            lines += 1;
        }
    }
    assert_eq!(lines, MESSAGES);
    let mut traces: HashMap<String, String> = HashMap::new();
    let spans = stack.spans();
    for span in &spans {
        let tenant = text(span, "tenant_id").unwrap_or_else(|| panic!("{span:#?}"));
        let of_trace = traces.entry(span.span_context.trace_id().to_string()).or_insert_with(|| tenant.clone());
        assert_eq!(*of_trace, tenant, "two tenants in one trace");
        if let Some(expected) = text(span, "expected") {
            assert_eq!(tenant, expected);
        }
    }
    assert_eq!(traces.len() as u64, MESSAGES);
    println!("{MESSAGES} messages, {} spans, {lines} lines, 0 wrong", spans.len());
}
