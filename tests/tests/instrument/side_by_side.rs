//! Compares the same programs under both attributes: the subscriber must get the same calls, word for word and in
//! order.

use std::{
    error::Error,
    fmt::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

#[allow(unused, clippy::all, clippy::pedantic, reason = "they do next to nothing")]
mod theirs {
    macro_rules! observe {
        (($($arguments:tt)*) $($function:tt)*) => {
            #[tracing::instrument($($arguments)*)]
            $($function)*
        };
    }
    include!("programs.rs");
    // Not by `observe!`: `#[instrument(err)]` on what ends in an `async` block does not compile in a macro.

    #[tracing::instrument(ret, err(Debug))]
    fn fails_in_a_block(a: u8) -> impl Future<Output = Result<u8, Wrong>> {
        info!("not yet");
        async move {
            let _: Result<(), ()> = PollN::new_ok(2).await;
            Err(Wrong(a))
        }
    }

    #[tracing::instrument(skip(a), err)]
    fn fails_boxed<'a>(a: &'a u8) -> Pin<Box<dyn Future<Output = Result<u8, Wrong>> + 'a>> {
        Box::pin(async move {
            info!("polled");
            Err(Wrong(*a))
        })
    }
}

#[allow(unused, clippy::all, clippy::pedantic, reason = "they do next to nothing")]
mod ours {
    macro_rules! observe {
        (($($arguments:tt)*) $($function:tt)*) => {
            #[ctx_layer::with_observability(
                log_args = false,
                log_result = false,
                log_errors = false,
                attributes_from_args = all,
                $($arguments)*
            )]
            $($function)*
        };
    }
    include!("programs.rs");
    // Not by `observe!`: `#[instrument(err)]` on what ends in an `async` block does not compile in a macro.

    #[ctx_layer::with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, ret, err(Debug))]
    fn fails_in_a_block(a: u8) -> impl Future<Output = Result<u8, Wrong>> {
        info!("not yet");
        async move {
            let _: Result<(), ()> = PollN::new_ok(2).await;
            Err(Wrong(a))
        }
    }

    #[ctx_layer::with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, skip(a), err)]
    fn fails_boxed<'a>(a: &'a u8) -> Pin<Box<dyn Future<Output = Result<u8, Wrong>> + 'a>> {
        Box::pin(async move {
            info!("polled");
            Err(Wrong(*a))
        })
    }
}

/// A subscriber that notes all calls.
#[derive(Clone, Default)]
struct CallLog {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

/// Notes each value and the `Visit` method by which it arrived.
struct Values<'a>(&'a mut String);

macro_rules! write_down {
    ($($method:ident: $value:ty),*) => {$(
        fn $method(&mut self, field: &Field, value: $value) {
            let _ = write!(self.0, " {}={value:?}({})", field.name(), stringify!($method));
        }
    )*};
}

impl Visit for Values<'_> {
    write_down!(record_i64: i64, record_u64: u64, record_i128: i128, record_u128: u128, record_f64: f64);
    write_down!(record_bool: bool, record_str: &str, record_bytes: &[u8], record_debug: &dyn fmt::Debug);

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let _ = write!(self.0, " {}={value}(record_error)", field.name());
    }
}

impl CallLog {
    fn note(&self, line: String) {
        self.lines.lock().unwrap().push(line.replace("::ours", "::theirs"));
    }

    fn described(metadata: &Metadata<'_>) -> String {
        let name = if metadata.is_span() { metadata.name() } else { "event" };
        let fields: Vec<_> = metadata.fields().iter().map(|field| field.name()).collect();
        let (target, module, file) = (metadata.target(), metadata.module_path(), metadata.file());
        format!("{name} {} {target} {module:?} {file:?} {fields:?}", metadata.level())
    }
}

impl Subscriber for CallLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1);
        let mut line = format!("span {id:?} {}", Self::described(attributes.metadata()));
        let _ = write!(line, " root={} parent={:?}", attributes.is_root(), attributes.parent());
        attributes.record(&mut Values(&mut line));
        self.note(line);
        id
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut line = format!("record {span:?}");
        values.record(&mut Values(&mut line));
        self.note(line);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.note(format!("{span:?} follows from {follows:?}"));
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = format!("event {}", Self::described(event.metadata()));
        let _ = write!(line, " root={} parent={:?}", event.is_root(), event.parent());
        event.record(&mut Values(&mut line));
        self.note(line);
    }

    fn enter(&self, span: &Id) {
        self.note(format!("enter {span:?}"));
    }

    fn exit(&self, span: &Id) {
        self.note(format!("exit {span:?}"));
    }

    fn try_close(&self, span: Id) -> bool {
        self.note(format!("drop {span:?}"));
        false
    }
}

fn calls_of(program: impl FnOnce()) -> Vec<String> {
    let calls = CallLog::default();
    tracing::subscriber::with_default(calls.clone(), || {
        // Unwinding is compared, too.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(program));
    });
    let lines = calls.lines.lock().unwrap();
    lines.clone()
}

#[test]
fn every_program_makes_the_same_subscriber_calls_as_under_instrument() {
    let (theirs, ours) = (theirs::programs(), ours::programs());
    assert_eq!(theirs.len(), ours.len());
    for ((name, theirs), (_, ours)) in theirs.into_iter().zip(ours) {
        let (expected, calls) = (calls_of(theirs), calls_of(ours));
        assert!(!expected.is_empty(), "{name} tells nothing");
        assert_eq!(calls, expected, "{name}");
    }
}
