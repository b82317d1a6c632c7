//! A consumer that handles the messages of many tenants side by side: none sees another's fields.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::TENANT_ID,
    propagate, propagation,
    task::{self, Carried},
    with_observability,
};
use ctx_tests::{Captured, Exported, runtime};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tracing::{Dispatch, dispatcher::with_default, info, info_span};
use tracing_subscriber::prelude::*;

use crate::stack::ACCOUNT;

const MESSAGES: usize = 600;
const TENANTS: usize = 17;

struct Message {
    number: usize,
    headers: HashMap<String, String>,
}

impl Message {
    fn headers(&self) -> &HashMap<String, String> {
        &self.headers
    }

    /// Returns the tenant `number % TENANTS`; every eleventh message has none.
    fn numbered(number: usize) -> Self {
        let mut headers = HashMap::new();
        if !number.is_multiple_of(11) {
            let _account = ACCOUNT.attach(format!("tenant-{}", number % TENANTS));
            propagation::inject(&mut headers);
            headers.insert("traceparent".to_owned(), format!("00-{:032x}-{:016x}-01", number + 1, number + 1));
        }
        Message { number, headers }
    }
}

fn tenant_of(number: usize) -> Option<String> {
    (!number.is_multiple_of(11)).then(|| format!("tenant-{}", number % TENANTS))
}

fn check(number: usize, at: &'static str) {
    assert_eq!(ACCOUNT.get(), tenant_of(number), "message {number}, {at}");
    assert_eq!(TENANT_ID.get(), None, "message {number}, {at}");
    info!(number, at);
}

#[propagate(from = message.headers(), trust = internal)]
#[with_observability(kind = consumer, log_args = false)]
async fn observed(message: Message) {
    check(message.number, "observed");
    tokio::task::yield_now().await;
    let number = message.number;
    let spawned = task::spawn(async move {
        tokio::task::yield_now().await;
        check(number, "spawned");
    });
    let blocking = task::spawn_blocking(move || check(number, "blocking"));
    if number.is_multiple_of(3) {
        tokio::time::sleep(Duration::from_micros(50)).await;
    }
    nested(number).await;
    spawned.await.unwrap();
    blocking.await.unwrap();
    check(number, "observed, later");
}

#[propagate]
async fn nested(number: usize) {
    tokio::task::yield_now().await;
    let _span = info_span!("nested").entered();
    check(number, "nested");
}

#[with_observability(log_args = false)]
#[propagate(from = message.headers(), trust = internal)]
fn at_once(message: &Message) {
    let number = message.number;
    check(number, "at once");
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(task::in_current_context(|| check(number, "thread")));
        sender.send(Carried::new(number)).unwrap();
        // A task without context, which gets everything through the channel.
        scope.spawn(move || receiver.recv().unwrap().in_scope(|number| check(number, "channel")));
    });
    check(number, "at once, later");
}

fn stacks() -> Vec<(&'static str, Dispatch, Captured)> {
    let mut stacks = Vec::new();
    for kind in ["with OpenTelemetry", "without activation", "without OpenTelemetry"] {
        let lines = Captured::default();
        let layer = tracing_opentelemetry::layer().with_tracer(Exported::new().tracer());
        let layer = match kind {
            "with OpenTelemetry" => Some(layer),
            "without activation" => Some(layer.with_context_activation(false)),
            _ => None,
        };
        let text = tracing_subscriber::fmt::layer().json().with_writer(lines.clone());
        let schema = Schema::builder().well_known().field(&ACCOUNT).build().unwrap();
        let stack = tracing_subscriber::registry().with(text).with(layer).with_context_fields(schema);
        stacks.push((kind, Dispatch::new(stack), lines));
    }
    stacks
}

fn verify(kind: &str, lines: &Captured, places: usize, messages: usize) {
    let mut checked = 0;
    for line in lines.json() {
        let fields = &line["fields"];
        let Some(number) = fields["number"].as_u64() else { continue };
        let expected = tenant_of(usize::try_from(number).unwrap());
        assert_eq!(fields.get("account").and_then(|value| value.as_str()), expected.as_deref(), "{kind}: {line}");
        assert!(!line.to_string().contains("of the loop"), "{kind}: {line}");
        checked += 1;
    }
    assert_eq!(checked, messages * places, "{kind}");
}

#[test]
fn a_loop_that_handles_messages_concurrently_mixes_no_tenants() {
    for (kind, stack, lines) in stacks() {
        let runtime = runtime(&stack);
        with_default(&stack, || {
            let messages: Vec<_> = (0..MESSAGES).map(Message::numbered).collect();
            runtime.block_on(async {
                let _tenant = TENANT_ID.attach("of the loop");
                let _account = ACCOUNT.attach("of the loop");
                let _loop = info_span!("of the loop", customer = "of the loop").entered();
                let mut running = FuturesUnordered::new();
                let mut spawned = Vec::new();
                for message in messages {
                    match message.number % 4 {
                        0 => spawned.push(tokio::spawn(observed(message))),
                        _ => running.push(observed(message)),
                    }
                    if running.len() == 32 {
                        running.next().await;
                        assert_eq!(ACCOUNT.get().as_deref(), Some("of the loop"), "{kind}");
                    }
                }
                while running.next().await.is_some() {}
                for task in spawned {
                    task.await.unwrap();
                }
                assert_eq!(TENANT_ID.get().as_deref(), Some("of the loop"), "{kind}");
            });
        });
        drop(runtime);
        verify(kind, &lines, 5, MESSAGES);
    }
}

#[test]
fn threads_that_handle_messages_concurrently_mix_no_tenants() {
    for (kind, stack, lines) in stacks() {
        let messages: Vec<_> = with_default(&stack, || (0..MESSAGES / 4).map(Message::numbered).collect());
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    with_default(&stack, || {
                        let _account = ACCOUNT.attach("of the loop");
                        let _loop = info_span!("of the loop", customer = "of the loop").entered();
                        while let Some(message) = messages.get(next.fetch_add(1, Relaxed)) {
                            at_once(message);
                            assert_eq!(ACCOUNT.get().as_deref(), Some("of the loop"), "{kind}");
                        }
                    });
                });
            }
        });
        // Work on threads of its own has no subscriber.
        verify(kind, &lines, 2, messages.len());
    }
}
