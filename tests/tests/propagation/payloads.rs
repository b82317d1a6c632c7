//! Context in payloads, in one string, and under keys with a prefix.

use std::collections::{BTreeMap, HashMap};

use ctx_layer::{
    field::well_known::TENANT_ID,
    propagation::{
        self, CarrierMut, Trust,
        carriers::{Envelope, OneString, Prefixed},
    },
};
use proptest::prelude::*;

use crate::shared::{PARENT, extract};

fn in_request<R>(f: impl FnOnce() -> R) -> R {
    extract(&[("traceparent", PARENT)], Trust::external()).in_scope(|| TENANT_ID.in_scope("acme", f))
}

#[test]
fn an_envelope_is_lines_and_the_payload() {
    let mut message = Envelope::new(b"\0\xff\r\n\r\n");
    in_request(|| propagation::inject(&mut message));
    let expected = format!("CTX/1.0\r\ntraceparent: {PARENT}\r\nbaggage: tenant_id=acme\r\n\r\n");
    let bytes = message.to_bytes();
    assert_eq!(bytes, [expected.as_bytes(), b"\0\xff\r\n\r\n"].concat());
    assert_eq!(*Envelope::from_bytes(&bytes).payload(), b"\0\xff\r\n\r\n");
    assert!(extract(&Envelope::from_bytes(&bytes), Trust::external()).is_continued());
}

#[test]
fn bytes_of_another_form_are_a_payload_without_context() {
    for bytes in [
        &b""[..],
        b"paid",
        b"CTX/1.0",
        b"CTX/1.0\r\n",
        b"CTX/1.0\r\ntraceparent: x",
        b"ctx/1.0\r\n\r\n7",
        b"CTX/1.1\r\n\r\n7",
    ] {
        assert_eq!(Envelope::from_bytes(bytes), Envelope::new(bytes), "{}", bytes.escape_ascii());
    }
}

#[test]
fn bad_lines_of_an_envelope_cost_no_other() {
    let bytes = format!("CTX/1.0\r\nno colon\r\n\u{e9}: x\r\nother: x\r\nTraceParent:{PARENT}\r\n: \r\n\r\n7");
    let message = Envelope::from_bytes(bytes.as_bytes());
    assert_eq!(*message.payload(), b"7");
    assert!(extract(&message, Trust::external()).is_continued());
    let mut bytes = b"CTX/1.0\r\n\xff\xfe: x\r\n".to_vec();
    bytes.extend_from_slice(format!("traceparent: {PARENT}\r\n\r\n").as_bytes());
    assert!(extract(&Envelope::from_bytes(&bytes), Trust::external()).is_continued());
}

#[test]
fn no_value_adds_a_line_to_an_envelope() {
    let mut message = Envelope::new("7");
    message.set("traceparent", "x\r\nbaggage: tenant_id=victim");
    assert_eq!(message.to_bytes(), b"7");
}

#[test]
fn debug_output_of_an_envelope_shows_no_payload() {
    let mut message = Envelope::new("secret payload");
    in_request(|| propagation::inject(&mut message));
    let shown = format!("{message:?}");
    assert!(!shown.contains("secret") && !shown.contains("acme"), "{shown}");
}

proptest! {
    #[test]
    fn every_payload_survives_an_envelope(payload in any::<Vec<u8>>(), is_nested in any::<bool>(), has_context in any::<bool>()) {
        let payload = if is_nested { [b"CTX/1.0\r\n", &payload[..]].concat() } else { payload };
        let mut message = Envelope::new(&payload);
        if has_context {
            in_request(|| propagation::inject(&mut message));
        }
        let bytes = message.to_bytes();
        let received = Envelope::from_bytes(&bytes);
        prop_assert_eq!(*received.payload(), &payload[..]);
        prop_assert_eq!(extract(&received, Trust::external()).is_continued(), has_context);
    }

    #[test]
    fn any_bytes_are_read_as_an_envelope_without_panic(bytes in any::<Vec<u8>>()) {
        let bytes = [b"CTX/1.0\r\n", &bytes[..]].concat();
        drop(extract(&Envelope::from_bytes(&bytes), Trust::internal()));
    }

    #[test]
    fn any_string_is_read_as_one_string_without_panic(text in ".*") {
        drop(extract(&OneString::from(text.as_str()), Trust::internal()));
    }
}

#[test]
fn one_string_is_a_json_object() {
    let mut context = OneString::new();
    assert!(context.is_empty());
    in_request(|| propagation::inject(&mut context));
    let text = context.to_string();
    assert_eq!(text, format!(r#"{{"traceparent":"{PARENT}","baggage":"tenant_id=acme"}}"#));
    assert_eq!(OneString::from(text.as_str()), context);
    context.set("tracestate", "a=\"\\");
    assert_eq!(OneString::from(context.to_string().as_str()), context, "quotes are escaped");
}

#[test]
fn other_strings_are_without_context() {
    for text in ["", "{", "[]", "7", r#"{"traceparent":7,"baggage":["a"]}"#, r#"{"other":"x"}"#] {
        assert!(OneString::from(text).is_empty(), "{text}");
    }
}

#[test]
fn keys_with_a_prefix_are_beside_others() {
    let mut headers =
        HashMap::from([("ce_id".to_owned(), "1".to_owned()), ("baggage".to_owned(), "tenant_id=other".to_owned())]);
    in_request(|| propagation::inject(&mut Prefixed::cloud_event_in_kafka(&mut headers)));
    assert_eq!((headers.len(), headers["ce_traceparent"].as_str()), (4, PARENT));
    assert_eq!(headers["ce_baggage"], "tenant_id=acme");
    let extracted = extract(&Prefixed::cloud_event_in_kafka(&headers), Trust::internal());
    assert_eq!(extracted.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
    assert!(!extract(&Prefixed::cloud_event_in_amqp(&headers), Trust::internal()).is_continued());
}

#[test]
fn annotations_have_no_sensitive_field() {
    let (mut annotations, mut headers) = (BTreeMap::<String, String>::new(), BTreeMap::<String, String>::new());
    propagation::register(&crate::shared::schema());
    crate::shared::TOKEN.in_scope("t-1", || {
        propagation::inject(&mut Prefixed::kubernetes(&mut annotations));
        propagation::inject(&mut Prefixed::new("x-", &mut headers));
    });
    assert!(annotations.is_empty());
    assert_eq!(headers["x-baggage"], "token=t-1");
    in_request(|| propagation::inject(&mut Prefixed::kubernetes(&mut annotations)));
    assert_eq!(annotations["tracing.k8s.io/traceparent"], PARENT);
}
