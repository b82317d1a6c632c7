//! Messages whose headers are missing, hostile, or of the wrong type.

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Producer},
    propagation::{Boundary, Trust},
};
use proptest::prelude::*;
use serde_json::json;

use crate::shared::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn tenant() -> Option<String> {
    TENANT_ID.get().map(|tenant| tenant.to_string())
}

#[test]
fn values_that_are_not_valid_are_ignored_one_by_one() {
    let stack = Stack::new();
    stack.within(|| {
        for (baggage, expected) in [
            ("tenant_id=acme", Some("acme")),
            ("tenant_id=acme%0aforged", None),
            ("tenant_id=", None),
            ("tenant_id=a\u{200b}b", None),
            ("=,;,tenant_id=acme,%", Some("acme")),
            ("tenant_id=globex,tenant_id=acme", Some("acme")),
        ] {
            let headers = [("traceparent", PARENT), ("baggage", baggage)];
            consumer().process(&headers[..]).in_scope(|| assert_eq!(tenant().as_deref(), expected, "{baggage:?}"));
        }
        let long = format!("tenant_id={}", "a".repeat(100_000));
        consumer().process(&[("baggage", &long)][..]).in_scope(|| assert_eq!(tenant(), None));
    });
}

#[test]
fn two_parents_are_none() {
    let stack = Stack::new();
    stack.within(|| {
        let headers = [("traceparent", PARENT), ("Traceparent", PARENT), ("baggage", "tenant_id=acme")];
        let received = consumer().receive(&headers[..]);
        assert!(!received.is_continued());
        received.process().in_scope(|| assert_eq!(tenant().as_deref(), Some("acme")));
    });
}

#[test]
fn headers_of_the_wrong_type_are_ignored() {
    let stack = Stack::new();
    stack.within(|| {
        let serde_json::Value::Object(headers) = json!({
            "traceparent": 7,
            "baggage": { "tenant_id": "acme" },
            "message_id": [true],
            "trace_mode": null,
            "message_attempt": 3,
            "x-other": [1, 2],
        }) else {
            unreachable!()
        };
        let received = consumer().receive(&headers);
        assert_eq!((received.message_id(), received.attempt(), received.is_continued()), (None, 1, false));
        received.process().in_scope(|| assert_eq!(tenant(), None));
        // They are replaced where a message is sent, and others are kept.
        let mut headers = headers;
        TENANT_ID.in_scope("acme", || drop(producer().inject(&mut headers)));
        assert_eq!(headers["baggage"], "tenant_id=acme");
        assert_eq!(headers["message_id"].as_str().map(str::len), Some(36));
        assert_eq!(headers["x-other"], json!([1, 2]));
    });
}

#[test]
fn bytes_that_are_not_text_are_ignored() {
    let headers: [(&str, &[u8]); 4] = [
        ("traceparent", b"\xff\xfe"),
        ("baggage", b"tenant_id=\xff"),
        ("message_id", b"\xff"),
        ("message_attempt", b"\xff"),
    ];
    let stack = Stack::new();
    stack.within(|| {
        let received = consumer().receive(&headers[..]);
        assert_eq!((received.message_id(), received.attempt()), (None, 1));
        received.process().in_scope(|| ());
    });
}

#[test]
fn boundaries_count_what_was_received() {
    static ORDERS: Boundary = Boundary::new("orders in the test of boundaries");
    let stack = Stack::new();
    stack.within(|| {
        let consumer = |trust: Trust| Consumer::new(orders()).boundary(&ORDERS).trust(trust);
        let with = |parent: &'static str| [("traceparent", parent)];
        drop(consumer(Trust::internal()).receive(&with(PARENT)[..]));
        drop(consumer(Trust::internal().link_only()).receive(&with(PARENT)[..]));
        drop(consumer(Trust::internal()).receive(&Headers::new()));
        drop(consumer(Trust::internal()).receive(&with("00-0-0-0")[..]));
        drop(Producer::new(orders()).boundary(&ORDERS).inject(&mut Headers::new()));
    });
    let counts = ORDERS.counts();
    assert_eq!((counts.continued, counts.linked, counts.missing, counts.invalid, counts.injected), (1, 1, 1, 1, 1));
}

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let key = prop_oneof![
        Just("traceparent".to_owned()),
        Just("tracestate".to_owned()),
        Just("baggage".to_owned()),
        Just("message_id".to_owned()),
        Just("trace_mode".to_owned()),
        Just("message_cause".to_owned()),
        Just("message_attempt".to_owned()),
        "[a-zA-Z_-]{0,12}",
    ];
    let value = prop_oneof![
        any::<Vec<u8>>(),
        Just(PARENT.as_bytes().to_vec()),
        "tenant_id=[a-z%]{0,12}".prop_map(String::into_bytes),
        "(link|child|retry|[0-9]{1,12})".prop_map(String::into_bytes),
    ];
    (key, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a message contains, it is handled, and leaves nothing behind.
    #[test]
    fn any_headers_are_handled(headers in prop::collection::vec(header(), 0..8), is_internal: bool) {
        let stack = Stack::new();
        stack.within(|| TENANT_ID.in_scope("the worker's", || {
            let trust = if is_internal { Trust::internal() } else { Trust::external() };
            let found = std::cell::Cell::new(None);
            Consumer::new(orders()).trust(trust).process(&headers[..]).in_scope(|| found.set(TENANT_ID.get()));
            let found = found.take();
            assert_ne!(found.as_deref(), Some("the worker's"));
            assert!(is_internal || found.is_none());
            assert_eq!(tenant().as_deref(), Some("the worker's"));
        }));
        assert_eq!(stack.consumers().len(), 1);
    }

    /// Others' headers survive any number of sends, and an id is there afterwards, once.
    #[test]
    fn headers_of_others_survive_sends(others in prop::collection::btree_map("x-[a-z]{1,8}", "[ -~]{0,16}", 0..6), id in proptest::option::of("[ -~]{1,40}")) {
        let mut headers: Vec<(String, String)> = others.clone().into_iter().collect();
        headers.extend(id.clone().map(|id| ("Message_Id".to_owned(), id)));
        let first = producer().inject(&mut headers).message_id().map(str::to_owned);
        let second = producer().inject(&mut headers).message_id().map(str::to_owned);
        prop_assert_eq!(&first, &second);
        if let Some(id) = id {
            prop_assert_eq!(first, Some(id));
        }
        for (key, value) in others {
            prop_assert!(headers.contains(&(key, value)));
        }
        let ids = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("message_id")).count();
        prop_assert_eq!(ids, 1);
    }
}
