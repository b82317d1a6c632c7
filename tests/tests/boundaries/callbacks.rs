//! Callbacks that return futures: the call and the future each run somewhere else.

use std::{future::Future, pin::Pin, sync::Arc, thread};

use ctx_layer::{
    field::well_known::*,
    task::{InContextExt, in_current_context, in_current_context_async, in_current_context_async_fn},
};
use ctx_tests::{Yield, block_on, each_poll_on_a_new_thread};
use tracing::{Dispatch, info_span};

use crate::request::{Seen, World, request};

/// Calls back on another thread, under a request of another tenant, and polls the returned future on yet others.
fn on_upgrade<F: Future<Output = [Seen; 2]> + Send>(
    dispatch: &Dispatch,
    callback: impl FnOnce(u32) -> F + Send,
) -> [Seen; 2] {
    let call = || tracing::dispatcher::with_default(dispatch, || request("other", || callback(7)));
    let future = thread::scope(|scope| scope.spawn(call).join().unwrap());
    request("another", || each_poll_on_a_new_thread(dispatch, future))
}

/// Returns what is current in the call, and in the future after its first poll.
async fn socket(in_call: Seen, number: u32) -> [Seen; 2] {
    assert_eq!(number, 7);
    Yield::default().await;
    [in_call, Seen::here()]
}

#[test]
fn context_is_carried_into_the_call_and_into_the_future() {
    for world in World::all() {
        world.in_scope(|| {
            let (here, seen) = request("acme", || {
                let once = in_current_context_async(|number| socket(Seen::here(), number));
                let often = in_current_context_async_fn(|number| socket(Seen::here(), number));
                let of_macro = in_current_context!(async move |number| {
                    Yield::default().await;
                    socket(Seen::here(), number).await
                });
                let dispatch = &world.dispatch;
                let seen = [
                    on_upgrade(dispatch, once),
                    on_upgrade(dispatch, &often),
                    on_upgrade(dispatch, &often),
                    on_upgrade(dispatch, of_macro),
                ];
                (Seen::without_child(), seen)
            });
            assert_eq!((here.tenant.as_deref(), here.span), (Some("acme"), Some("request")));
            for (way, seen) in seen.into_iter().enumerate() {
                assert_eq!(seen, [here.clone(), here.clone()], "{}, {way}", world.name);
            }
        });
    }
}

/// The control: without the wrapper, the context is missing in the call or in the future.
#[test]
fn a_plain_closure_covers_neither_and_a_wrapped_closure_only_the_call() {
    let world = World::exporting();
    world.in_scope(|| {
        let (bare, closure_alone) = request("acme", || {
            let bare = |number| socket(Seen::without_child(), number);
            let closure_alone = in_current_context!(move |number| socket(Seen::without_child(), number));
            (on_upgrade(&world.dispatch, bare), on_upgrade(&world.dispatch, closure_alone))
        });
        let tenants = |seen: [Seen; 2]| seen.map(|seen| seen.tenant);
        assert_eq!(tenants(bare), [Some("other".to_owned()), None]);
        assert_eq!(tenants(closure_alone), [Some("acme".to_owned()), None]);
    });
}

/// A handler as libraries store it.
type Handler = Arc<dyn Fn(u32) -> Pin<Box<dyn Future<Output = (u32, Option<String>)> + Send>> + Send + Sync>;

#[test]
fn a_job_handler_can_be_called_often_and_on_many_threads() {
    let handle = async |job: u32| {
        Yield::default().await;
        (job, TENANT_ID.get().map(String::from))
    };
    let handler: Handler = TENANT_ID.in_scope("acme", || {
        let handle = in_current_context_async_fn(handle);
        Arc::new(move |job| -> Pin<Box<dyn Future<Output = _> + Send>> { Box::pin(handle(job)) }) as Handler
    });
    thread::scope(|scope| {
        for job in 0..4 {
            let handler = &handler;
            scope.spawn(move || {
                let _other = TENANT_ID.attach("globex");
                for _ in 0..2 {
                    assert_eq!(block_on(handler(job)), (job, Some("acme".to_owned())));
                }
                assert_eq!(TENANT_ID.get().as_deref(), Some("globex"));
            });
        }
    });
}

#[test]
fn the_macro_takes_closures_of_any_arity_and_kind() {
    fn often<F: Future<Output = Option<String>>>(f: impl Fn(u32, (u32, u32)) -> F + Clone) -> [Option<String>; 2] {
        [block_on(f(1, (2, 3))), block_on(f.clone()(1, (2, 3)))]
    }
    let (none, two, owned) = TENANT_ID.in_scope("acme", || {
        let text = "owned".to_owned();
        (
            in_current_context!(async move || TENANT_ID.get()),
            in_current_context!(async move |a: u32, (b, c): (u32, u32)| TENANT_ID
                .get()
                .map(|it| format!("{it} {}", a + b + c))),
            in_current_context!(async move |_| (text, TENANT_ID.get())),
        )
    });
    assert_eq!(block_on(none()).as_deref(), Some("acme"));
    assert_eq!(often(two), [Some("acme 6".to_owned()), Some("acme 6".to_owned())]);
    assert_eq!(block_on(owned(0)), ("owned".to_owned(), Some("acme".into())));
}

#[test]
fn nothing_is_current_inside_if_nothing_was_captured() {
    let (once, often) =
        (in_current_context_async(async |()| TENANT_ID.get()), in_current_context_async_fn(async |()| TENANT_ID.get()));
    let _guard = TENANT_ID.attach("acme");
    assert_eq!((block_on(once(())), block_on(often(()))), (None, None));
}

/// A value that notes what is current when it is dropped.
struct Looks(std::sync::mpsc::Sender<Option<String>>);

impl Drop for Looks {
    fn drop(&mut self) {
        let _ = self.0.send(TENANT_ID.get().map(String::from));
    }
}

#[test]
fn a_callbacks_captures_are_dropped_in_its_context_called_or_not() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let make = || {
        let looks = Looks(sender.clone());
        TENANT_ID.in_scope("acme", || {
            in_current_context_async(move |()| async move {
                let _looks = looks;
            })
        })
    };
    drop(make());
    drop(make()(()));
    block_on(make()(()));
    let often = TENANT_ID.in_scope("acme", || {
        let looks = Looks(sender.clone());
        in_current_context_async_fn(move |()| {
            let _ = &looks;
            async {}
        })
    });
    block_on(often(()));
    drop(often);
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), vec![Some("acme".to_owned()); 4]);
}

#[test]
fn the_span_is_held_open_until_the_future_is_ready() {
    let world = World::exporting();
    world.in_scope(|| {
        let callback = request("acme", || in_current_context_async(async |()| Yield::default().await));
        let is_closed = || world.exported().spans().iter().any(|span| span.name == "request");
        let future = info_span!("caller").in_scope(|| callback(()));
        assert!(!is_closed());
        block_on(future);
        assert!(is_closed());
        // The control: with a wrapped closure alone, the span ends with the call.
        let world = World::exporting();
        world.in_scope(|| {
            let callback = request("acme", || in_current_context(|| async { Yield::default().await }.isolated()));
            drop(callback());
            assert!(world.exported().spans().iter().any(|span| span.name == "request"));
        });
    });
}
