//! Threads that are being torn down, and OpenTelemetry's own limits: this crate neither panics nor aborts there.

use std::{
    cell::RefCell,
    fmt,
    sync::{Mutex, Once},
    thread,
};

use ctx_layer::{Fields, Schema, SubscriberFieldsExt, field::well_known::*};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    info, info_span,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A subscriber without thread-locals: `fmt` and `tracing-opentelemetry` have some, and cannot be used in a destructor
/// of one.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0 += &format!("{field}={value:?} ");
            }
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        LINES.lock().unwrap().push(line.0);
    }
}

/// The global default, since destructors of thread-locals see no scoped one.
fn install() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Lines).with_context_fields(Schema::well_known());
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

fn lines_with(text: &str) -> Vec<String> {
    LINES.lock().unwrap().iter().filter(|line| line.contains(text)).cloned().collect()
}

/// Uses the whole API in the destructor of a thread-local.
struct UsesEverythingOnDrop;

impl Drop for UsesEverythingOnDrop {
    fn drop(&mut self) {
        info!("from a destructor");
        let _guard = TENANT_ID.attach("destructor");
        let _ = (TENANT_ID.get(), TRACE_ID.get(), Fields::current());
        info!(text = "text", "done");
    }
}

thread_local! {
    static FIRST: RefCell<Option<UsesEverythingOnDrop>> = const { RefCell::new(None) };
    static LAST: RefCell<Option<UsesEverythingOnDrop>> = const { RefCell::new(None) };
}

#[test]
fn nothing_panics_while_a_thread_is_torn_down() {
    install();
    // Thread-locals are destroyed in some order: try one created before those of this crate and OpenTelemetry, and one
    // after.
    thread::spawn(|| {
        FIRST.with(|cell| *cell.borrow_mut() = Some(UsesEverythingOnDrop));
        let guard = TENANT_ID.attach("acme");
        info_span!("work").in_scope(|| info!("at work"));
        LAST.with(|cell| *cell.borrow_mut() = Some(UsesEverythingOnDrop));
        drop(guard);
    })
    .join()
    .unwrap();

    // A thread that used nothing of this crate before.
    thread::spawn(|| FIRST.with(|cell| *cell.borrow_mut() = Some(UsesEverythingOnDrop))).join().unwrap();

    // A thread that ends inside spans and scopes that it never leaves.
    thread::spawn(|| {
        std::mem::forget(TENANT_ID.attach("acme"));
        std::mem::forget(info_span!("never left").entered());
        let span = TENANT_ID.in_scope("other", || info_span!("never left either"));
        std::mem::forget(span.entered());
        assert!(TENANT_ID.record("recorded"));
        info!("inside for ever");
        LAST.with(|cell| *cell.borrow_mut() = Some(UsesEverythingOnDrop));
    })
    .join()
    .unwrap();

    assert_eq!(lines_with("from a destructor").len(), 4);
    assert_eq!(lines_with("done").len(), 4);
    // Everything before the teardown is as usual.
    assert_eq!(lines_with("at work"), [r#"message=at work tenant_id="acme" "#]);
    assert_eq!(lines_with("inside for ever"), [r#"message=inside for ever tenant_id="recorded" "#]);
}

/// OpenTelemetry logs a warning through `tracing` while it holds its context stack: reading the context then would
/// panic.
#[test]
fn opentelemetry_may_log_a_warning_while_it_holds_its_context() {
    install();
    let mut guards: Vec<_> = (0..70_000).map(|n| TENANT_ID.attach(format!("tenant-{n}"))).collect();
    // The last ones were refused. No tenant is current, rather than another request's.
    assert_eq!(TENANT_ID.get(), None);
    info!("still here");
    // Out of order, the ones that were never attached included.
    while let Some(guard) = guards.pop() {
        drop(guard);
        if let Some(guard) = (!guards.is_empty()).then(|| guards.swap_remove(0)) {
            drop(guard);
        }
    }
    assert_eq!(TENANT_ID.get(), None);
    let _guard = TENANT_ID.attach("acme");
    assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "all is well again");
    assert!(!lines_with("Context.AttachFailed").is_empty(), "no longer warns: is the special case still needed?");
    assert_eq!(lines_with("still here"), ["message=still here "]);
}

#[test]
fn a_recorded_value_is_back_once_no_context_is_refused_any_more() {
    install();
    let tenant_and_user = || (TENANT_ID.get().map(String::from), USER_ID.get().map(String::from));
    let _request = info_span!("request").entered();
    let _user = USER_ID.attach("ada");
    assert!(TENANT_ID.record("acme"));
    // The last ones are refused.
    let scopes: Vec<_> = (0..70_000).map(|_| ROLE.attach("admin")).collect();
    assert_eq!(tenant_and_user(), (None, None));
    // The last first: each is removed from the top.
    scopes.into_iter().rev().for_each(drop);
    assert_eq!(tenant_and_user(), (Some("acme".into()), Some("ada".into())));
}
