//! Rewriting allocates nothing once it is warm. The allocator counts.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use ctx_counting_allocator::{self as counting, Counting};
use ctx_layer::{
    ContextLayer, Fields, FutureFieldsExt, Schema, SubscriberFieldsExt,
    field::{FieldString, well_known::*},
    task::{InContextExt, in_current_context},
};
use ctx_tests::Visiting;
use tracing::{Event, Instrument, Subscriber, field::Field, info, info_span};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the number of allocations of one call of `f` on this thread, after a warm-up of every shard of the span
/// table.
fn allocations(mut f: impl FnMut()) -> u64 {
    for _ in 0..1000 {
        f();
    }
    let before = counting::allocations();
    for _ in 0..100 {
        f();
    }
    let made = counting::allocations() - before;
    assert_eq!(made % 100, 0, "{made} allocations in 100 calls: not the same in each");
    made / 100
}

/// Runs one test at a time: a subscriber that another thread installs changes the path that events take on this one.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn five() -> Fields {
    Fields::new()
        .with(&TENANT_ID, "acme")
        .with(&USER_ID, "u-1")
        .with(&REQUEST_ID, "r-1")
        .with(&ROLE, "admin")
        .with(&LOCALE, "de-CH")
}

fn rich_event() {
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    info!(
        number = 1,
        float = 1.5,
        yes = true,
        text = "text",
        debug = ?Some(1),
        display = %"shown",
        bytes = &b"bytes"[..],
        error = &error as &(dyn std::error::Error + 'static),
        "message {}",
        7
    );
}

#[test]
fn five_short_strings_allocate_only_their_set_and_the_context() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(allocations(|| drop(std::hint::black_box(five()))), 1);
    // The set, and three of OpenTelemetry's context.
    assert_eq!(allocations(|| drop(five().attach())), 4);
    let long: std::sync::Arc<str> = "a tenant's name that is longer than the room inside".into();
    let mut of_shared = || drop(std::hint::black_box(Fields::new().with(&TENANT_ID, long.clone())));
    assert_eq!(allocations(&mut of_shared), 1);
    const STATIC: FieldString = FieldString::from_static("a tenant's name that is longer than the room inside");
    assert_eq!(allocations(|| drop(std::hint::black_box(Fields::new().with(&TENANT_ID, STATIC)))), 1);
}

#[test]
fn an_event_with_five_context_fields_allocates_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let subscriber = tracing_subscriber::registry().with(Visiting).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(subscriber, || {
        let _guard = five().attach();
        assert_eq!(allocations(|| info!("message")), 0);
        assert_eq!(allocations(rich_event), 0);
    });
}

#[test]
fn an_event_of_one_output_allocates_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let output = ContextLayer::new(Visiting, Schema::well_known());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(output), || {
        let _guard = five().attach();
        assert_eq!(allocations(rich_event), 0);
    });
}

#[test]
fn an_event_whose_debug_logs_allocates_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    struct Formatting;
    impl<S: Subscriber> Layer<S> for Formatting {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            struct Formats;
            impl fmt::Write for Formats {
                fn write_str(&mut self, s: &str) -> fmt::Result {
                    std::hint::black_box(s);
                    Ok(())
                }
            }
            event.record(&mut |_: &Field, value: &dyn fmt::Debug| {
                fmt::Write::write_fmt(&mut Formats, format_args!("{value:?}")).unwrap();
            });
        }
    }
    struct Logs;
    impl fmt::Debug for Logs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!(text = "inner", "from inside");
            f.write_str("outer")
        }
    }
    // A global default, because a scoped one is not entered again from within.
    let subscriber = tracing_subscriber::registry().with(Formatting).with_context_fields(Schema::well_known());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let _guard = five().attach();
    assert_eq!(allocations(|| info!(text = "outer", logs = ?Logs, "message")), 0);
}

#[test]
fn a_span_with_five_context_fields_allocates_like_one_with_own_fields() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // `Registry` and its layers allocate; this crate adds nothing once its table has grown.
    let own = tracing::subscriber::with_default(tracing_subscriber::registry().with(Visiting), || {
        allocations(|| {
            let _span =
                info_span!("work", tenant_id = "acme", user_id = "u-1", request_id = "r-1", role = "a", locale = "de")
                    .entered();
        })
    });
    let subscriber = tracing_subscriber::registry().with(Visiting).with_context_fields(Schema::well_known());
    let ours = tracing::subscriber::with_default(subscriber, || {
        let _guard = five().attach();
        allocations(|| {
            let _span = info_span!("work").entered();
        })
    });
    assert_eq!(ours, own);
}

#[test]
fn without_a_current_field_nothing_is_allocated() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let subscriber = tracing_subscriber::registry().with(Visiting).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(subscriber, || {
        assert_eq!(allocations(rich_event), 0);
        assert_eq!(allocations(|| drop(info_span!("work").entered())), 0);
    });
}

#[test]
fn reading_a_field_allocates_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _guard = five().attach();
    assert_eq!(allocations(|| drop(std::hint::black_box(TENANT_ID.get()))), 0);
    assert_eq!(allocations(|| drop(std::hint::black_box(Fields::current()))), 0);
}

#[test]
fn headers_are_written_without_allocations() {
    use ctx_layer::propagation::{self, Trust};
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let message = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let _context = propagation::extract(&message, Trust::external()).attach();
    let _guard = five().attach();
    // The headers are written in a reused buffer; only the carrier allocates, for what it keeps.
    let mut len = 0;
    let mut inject = || propagation::inject_with(|key, value| len += key.len() + value.len());
    inject();
    assert_eq!(allocations(inject), 0);
    assert!(len > 2 * message[0].1.len());
}

/// Polls a future that is never ready.
fn poll<F: Future>(future: std::pin::Pin<&mut F>) {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.poll(&mut task).is_pending());
}

#[test]
fn capturing_polling_and_dropping_a_carried_future_allocates_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let subscriber = tracing_subscriber::registry().with(Visiting).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(subscriber, || {
        let capture = || {
            let mut future = std::pin::pin!(std::future::pending::<()>().in_current_context());
            poll(future.as_mut());
        };
        assert_eq!(allocations(capture), 0, "no context");
        let guard = five().attach();
        assert_eq!(allocations(capture), 0, "current fields");
        let span = info_span!("request").entered();
        assert_eq!(allocations(capture), 0, "a current span");
        let mut elsewhere = Box::pin(std::future::pending::<()>().in_current_context());
        let call = in_current_context!(move |n: u32| n + 1);
        drop((span, guard));
        assert_eq!(allocations(|| poll(elsewhere.as_mut())), 0, "polled where there is no context");
        assert_eq!(allocations(|| assert_eq!(call(1), 2)), 0, "called where there is no context");
        let _other = TENANT_ID.attach("globex");
        let _span = info_span!("other").entered();
        assert_eq!(allocations(|| poll(elsewhere.as_mut())), 0, "polled inside another request");
        let mut isolated = Box::pin(std::future::pending::<()>().isolated());
        assert_eq!(allocations(|| poll(isolated.as_mut())), 0, "isolated inside another request");
    });
}

#[test]
fn a_poll_with_fields_creates_one_context_and_nothing_else() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let fields = five();
    let mut future = Box::pin(std::future::pending::<()>().with_fields(fields.clone()));
    let context = allocations(|| drop(opentelemetry::Context::new().with_value(1)));
    assert_eq!((allocations(|| poll(future.as_mut())), context), (3, 3));
    let _guard = TENANT_ID.attach("acme");
    assert_eq!(allocations(|| poll(future.as_mut())), 3);
}

#[test]
fn carrying_a_future_under_opentelemetry_allocates_like_entering_its_span() {
    use opentelemetry::trace::TracerProvider;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let tracer = opentelemetry_sdk::trace::SdkTracerProvider::builder().build().tracer("tests");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let subscriber = tracing_subscriber::registry().with(layer).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(subscriber, || {
        let guard = five().attach();
        let span = info_span!("request").entered();
        let mut ours = Box::pin(std::future::pending::<()>().in_current_context());
        let mut theirs = Box::pin(std::future::pending::<()>().in_current_span());
        let in_place = (allocations(|| poll(theirs.as_mut())), allocations(|| poll(ours.as_mut())));
        drop((span, guard));
        let elsewhere = (allocations(|| poll(theirs.as_mut())), allocations(|| poll(ours.as_mut())));
        assert!(in_place.1 <= in_place.0 && elsewhere.1 <= elsewhere.0, "{in_place:?} {elsewhere:?}");
    });
}

#[test]
fn a_json_line_allocates_nothing() {
    use ctx_layer::output::json;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let layer = || json::layer().with_writer(std::io::sink).with_constant("service.name", "shop");
    let line = || info!(order = 1042, rows = 3_u64, how = "card", "placed {}", "today");
    let conflict = || info!(tenant_id = "own", "placed");
    let all_inside_a_span = || {
        assert_eq!(allocations(line), 0, "no field is current");
        let _guard = five().attach();
        assert_eq!(allocations(line), 0, "five fields");
        assert_eq!(allocations(conflict), 0, "an event that has a field itself");
        assert_eq!(allocations(rich_event), 0, "values of many kinds");
    };
    let stack = || tracing_subscriber::registry().with(layer());
    let inside = || {
        all_inside_a_span();
        info_span!("request").in_scope(all_inside_a_span);
    };
    tracing::subscriber::with_default(stack().with_context_fields(Schema::well_known()), inside);
    tracing::subscriber::with_default(stack(), inside);
    tracing::subscriber::with_default(stack().with(Visiting).with_context_fields(Schema::well_known()), inside);
    let nested = layer().with_format(json::Format::opentelemetry()).with_thread_names(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(nested), inside);
}

#[test]
fn a_set_is_encoded_once_in_one_allocation() {
    use ctx_layer::output::json;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let run = |lines: u32| {
        let stack = tracing_subscriber::registry().with(json::layer().with_writer(std::io::sink));
        tracing::subscriber::with_default(stack.with_context_fields(Schema::well_known()), || {
            allocations(|| {
                let _guard = five().attach();
                (0..lines).for_each(|n| info!(n, "line"));
            })
        })
    };
    let without = run(0);
    assert_eq!((run(1) - without, run(10) - without), (1, 1));
}

#[test]
fn a_line_for_people_allocates_nothing() {
    use ctx_layer::output::text;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let layer = || text::layer().with_writer(std::io::sink);
    let line = || info!(order = 1042, rows = 3_u64, how = "card", "placed {}", "today");
    let conflict = || info!(tenant_id = "own", "placed");
    let escaped = || info!(how = "ca\x1brd", what = %"a b=c", "placed order=1");
    let below = || {
        let error = fmt::Error;
        info!(error = &error as &dyn std::error::Error, "{}\nand {}", "one", "more");
    };
    let all_inside_a_span = || {
        assert_eq!(allocations(line), 0, "no field is current");
        let _guard = five().attach();
        assert_eq!(allocations(line), 0, "five fields");
        assert_eq!(allocations(conflict), 0, "an event that has a field itself");
        assert_eq!(allocations(rich_event), 0, "values of many kinds");
        assert_eq!(allocations(escaped), 0, "strings in quotes");
        assert_eq!(allocations(below), 0, "lines below");
    };
    let stack = || tracing_subscriber::registry().with(layer());
    let inside = || {
        all_inside_a_span();
        info_span!("request").in_scope(all_inside_a_span);
    };
    tracing::subscriber::with_default(stack().with_context_fields(Schema::well_known()), inside);
    tracing::subscriber::with_default(stack(), inside);
    tracing::subscriber::with_default(stack().with(Visiting).with_context_fields(Schema::well_known()), inside);
    let all = layer().with_ansi(true).with_thread_names(true).with_trace_ids(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(all), inside);
}
