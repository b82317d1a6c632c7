//! Events whose `Debug` logs in turn. A binary of its own: under a scoped subscriber `tracing` drops what is logged
//! while an event is being dispatched; only a global one gets it.

use std::{error::Error, fmt, sync::OnceLock};

use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{Captured, Item, Recorder, count, schema};
use serde_json::Value;
use tracing::{info, info_span};
use tracing_subscriber::{fmt as output, prelude::*};

struct Outputs {
    json: Captured,
    text: Captured,
    recorder: Recorder,
    /// With fields of its own.
    around: Recorder,
}

fn outputs() -> &'static Outputs {
    static OUTPUTS: OnceLock<Outputs> = OnceLock::new();
    OUTPUTS.get_or_init(|| {
        let outputs = Outputs {
            json: Captured::default(),
            text: Captured::default(),
            recorder: Recorder::default(),
            around: Recorder::default(),
        };
        tracing_subscriber::registry()
            .with(output::layer().json().with_writer(outputs.json.clone()))
            .with(fields_once_per_line(output::layer().with_writer(outputs.text.clone()).with_ansi(false)))
            .with(outputs.recorder.clone())
            .with(ContextLayer::new(outputs.around.clone(), with_chatty()))
            .with_context_fields(with_chatty())
            .init();
        outputs
    })
}

impl Outputs {
    fn lines(&self, message: &str) -> Vec<Value> {
        self.json.json().into_iter().filter(|line| line["fields"]["message"] == message).collect()
    }

    fn recorded(&self, message: &str) -> Vec<Item> {
        self.recorder.items().into_iter().chain(self.around.items()).filter(|item| item.name == message).collect()
    }
}

/// A value that logs whenever it is formatted.
struct Logs {
    depth: usize,
    of: &'static str,
}

#[derive(Debug)]
struct Failed(usize);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed {}", self.0)
    }
}

impl Error for Failed {}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Logs { depth, of } = *self;
        if depth > 0 {
            TENANT_ID.in_scope(format!("tenant {depth}"), || {
                let own = format!("own {depth}");
                let error = Failed(depth);
                info!(
                    before = "b",
                    inner = ?Logs { depth: depth - 1, of },
                    own = own.as_str(),
                    error = &error as &(dyn Error + 'static),
                    "{of} {depth}"
                );
            });
        }
        write!(f, "logs {depth}")
    }
}

#[test]
fn events_nested_three_deep_each_keep_their_own_values_errors_and_tenant() {
    let outputs = outputs();
    TENANT_ID.in_scope("acme", || {
        info!(own = "outermost", value = ?Logs { depth: 3, of: "nested" }, last = "last", "outermost {}", 1);
    });
    for depth in 1..=3 {
        let lines = outputs.lines(&format!("nested {depth}"));
        // Each of the four outputs formats the value, and so logs it; and what is logged is again formatted by each.
        assert_eq!(lines.len(), 4usize.pow(4 - depth), "depth {depth}");
        for line in lines {
            let fields = &line["fields"];
            assert_eq!(fields["tenant_id"], format!("tenant {depth}"), "{line}");
            assert_eq!(fields["own"], format!("own {depth}"), "{line}");
            assert_eq!(fields["before"], "b", "{line}");
            assert_eq!(fields["inner"], format!("logs {}", depth - 1), "{line}");
            assert_eq!(fields["error"], format!("failed {depth}"), "{line}");
        }
        for item in outputs.recorded(&format!("nested {depth}")) {
            assert_eq!(item.text("tenant_id"), Some(format!("tenant {depth}").as_str()), "{item:?}");
            assert_eq!(item.get("error"), Some(&ctx_tests::Value::Error(format!("failed {depth}"))));
        }
    }
    let outermost = outputs.lines("outermost 1");
    assert_eq!(outermost.len(), 1);
    let fields = &outermost[0]["fields"];
    assert_eq!((&fields["own"], &fields["last"]), (&"outermost".into(), &"last".into()));
    assert_eq!((&fields["tenant_id"], &fields["value"]), (&"acme".into(), &"logs 3".into()));

    for line in outputs.text.lines().iter().filter(|line| line.contains(" nested ") || line.contains("outermost")) {
        assert_eq!(count(line, "tenant_id"), 1, "{line}");
    }
}

#[test]
fn a_spans_debug_that_logs_in_turn_keeps_its_own_tenant() {
    let outputs = outputs();
    TENANT_ID.in_scope("acme", || {
        let _span = info_span!("made", text = "t", value = ?Logs { depth: 1, of: "from a span" }, last = 1).entered();
        info!("in the span made");
    });
    let lines = outputs.lines("from a span 1");
    assert!(!lines.is_empty());
    assert!(lines.iter().all(|line| line["fields"]["tenant_id"] == "tenant 1"), "{lines:?}");
    let line = &outputs.lines("in the span made")[0];
    let span = &line["span"];
    assert_eq!((&span["text"], &span["value"], &span["tenant_id"]), (&"t".into(), &"logs 1".into(), &"acme".into()));
}

#[test]
fn a_debug_that_enters_a_span_and_records_works_during_rewriting() {
    struct Busy;
    impl fmt::Debug for Busy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let span = TENANT_ID.in_scope("inner", || info_span!("busy", text = "t"));
            span.in_scope(|| {
                info!(text = "t", "busy inside");
                assert!(USER_ID.record("u-1"));
                info!("busy recorded");
            });
            f.write_str("was busy")
        }
    }
    let outputs = outputs();
    TENANT_ID.in_scope("outer", || info!(text = "text", value = ?Busy, "busy outside"));
    for message in ["busy inside", "busy recorded"] {
        let lines = outputs.lines(message);
        assert!(!lines.is_empty());
        assert!(lines.iter().all(|line| line["fields"]["tenant_id"] == "inner"), "{lines:?}");
    }
    assert!(outputs.lines("busy recorded").iter().all(|line| line["fields"]["user_id"] == "u-1"));
    let outside = &outputs.lines("busy outside")[0]["fields"];
    assert_eq!(
        (&outside["tenant_id"], &outside["text"], &outside["value"]),
        (&"outer".into(), &"text".into(), &"was busy".into())
    );
    assert_eq!(outside.get("user_id"), None);
}

#[test]
fn a_value_whose_display_logs_can_be_set() {
    // A context value is formatted once, when it is set, whatever its type.
    #[derive(Clone)]
    struct Chatty;
    impl fmt::Display for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!("chatty");
            f.write_str("shown")
        }
    }
    ctx_layer::context_fields! {
        /// A field whose value logs.
        static CHATTY: Chatty = "chatty";
    }
    let outputs = outputs();
    TENANT_ID.in_scope("acme", || {
        info_span!("request").in_scope(|| {
            let _guard = CHATTY.attach(Chatty);
            assert!(CHATTY.record(Chatty));
        });
    });
    let lines = outputs.lines("chatty");
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line["fields"]["tenant_id"] == "acme"), "{lines:?}");
}

/// A value that logs while it is formatted.
#[derive(Clone)]
struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("somebody looks at me");
        f.write_str("chatty")
    }
}

ctx_layer::context_fields! {
    /// A value that is hashed when first shown, and then logs, while it is current itself.
    static CHATTY: Chatty = "chatty" => hashed;
}

/// Returns the schema of all tests, with the field above.
fn with_chatty() -> Schema {
    Schema::builder().all_of(&schema()).field(&CHATTY).build().unwrap()
}

#[test]
fn a_hashed_value_that_logs_while_it_is_shown_does_not_wait_for_itself() {
    let outputs = outputs();
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        CHATTY.in_scope(Chatty, || info!("with a chatty value"));
        done.send(()).unwrap();
    });
    finished.recv_timeout(std::time::Duration::from_secs(60)).expect("the event is written");
    let line = &outputs.lines("with a chatty value")[0];
    assert_eq!(line["fields"]["chatty"].as_str().unwrap().len(), 32);
}
