//! Values arrive as they were sent, or are not sent.

use std::collections::HashMap;

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::*,
    propagation::{Trust, extract, inject},
};
use tracing::{Dispatch, dispatcher};

ctx_layer::context_fields! {
    /// A number.
    static LOAD: f64 = "load" => propagated;
    /// A large number.
    static LARGE: u128 = "large" => propagated;
    /// A character.
    static LETTER: char = "letter" => propagated;
}

fn in_stack(f: impl FnOnce()) {
    let schema = Schema::builder().well_known().field(&LOAD).field(&LARGE).field(&LETTER).build().unwrap();
    dispatcher::with_default(&Dispatch::new(tracing_subscriber::registry().with_context_fields(schema)), f);
}

fn sent() -> HashMap<String, String> {
    let mut headers = HashMap::new();
    inject(&mut headers);
    headers
}

#[test]
fn every_finite_number_arrives_as_it_was_sent() {
    in_stack(|| {
        for number in [0.0, -0.0, 1e300, 1e-300, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::MIN, 0.1, 1e21, -1e-7, 1.5] {
            let headers = LOAD.in_scope(number, sent);
            let received = extract(&headers, Trust::internal()).in_scope(|| LOAD.get());
            assert_eq!(received.map(f64::to_bits), Some(number.to_bits()), "{number}: {headers:?}");
            assert!(headers["baggage"].len() < 40, "{headers:?}");
        }
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            LOAD.in_scope(number, || {
                assert_eq!(LOAD.get(), None);
                assert!(!sent().contains_key("baggage"));
            });
        }
        let headers = LARGE.in_scope(u128::MAX, sent);
        assert_eq!(extract(&headers, Trust::internal()).in_scope(|| LARGE.get()), Some(u128::MAX));
        for letter in ['a', '+', '%', ' ', ',', ';', '=', '"', '\\', 'é', '🦀'] {
            let headers = LETTER.in_scope(letter, sent);
            assert_eq!(extract(&headers, Trust::internal()).in_scope(|| LETTER.get()), Some(letter), "{headers:?}");
        }
    });
}

#[test]
fn every_string_arrives_as_it_was_sent() {
    in_stack(|| {
        let long = "é".repeat(64);
        for text in [
            "a+b",
            "a b",
            "%",
            "%2B",
            "100%",
            "a=b=c",
            "a,b;c",
            "\"quoted\"",
            "back\\slash",
            "ünïcode",
            "日本",
            "🦀",
            " leading",
            "trailing ",
            "a;propagate=1",
            "tenant_id=other",
            &long,
        ] {
            let headers = TENANT_ID.in_scope(text, sent);
            let Some(baggage) = headers.get("baggage") else { panic!("{text:?} is not sent") };
            assert!(!baggage.contains('+'), "{baggage}");
            assert!(baggage.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{baggage}");
            let received = extract(&headers, Trust::internal()).in_scope(|| TENANT_ID.get());
            assert_eq!(received.as_deref(), Some(text), "{baggage}");
        }
    });
}

#[test]
fn an_id_that_looks_like_another_is_neither_sent_nor_received() {
    in_stack(|| {
        for text in [
            "",
            "a\u{200B}cme",
            "\u{FEFF}acme",
            "ac\u{2060}me",
            "ac\u{200D}me",
            "ac\u{200C}me",
            "a\ncme",
            "a\0",
            "\u{202E}emca",
            "ac\u{AD}me",
            "\u{2028}",
            "\u{E0041}",
        ] {
            // In the process it is a value, which outputs show with a replacement character; it is not sent.
            let headers = TENANT_ID.in_scope(text, sent);
            assert!(!headers.contains_key("baggage"), "{text:?}: {headers:?}");
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let headers = HashMap::from([("baggage".to_owned(), format!("tenant_id={encoded}"))]);
            let received = extract(&headers, Trust::internal()).in_scope(|| TENANT_ID.get());
            assert_eq!(received, None, "{text:?}");
        }
    });
}

#[test]
fn many_headers_of_one_name_and_hostile_ones_give_no_tenant() {
    in_stack(|| {
        for value in [
            "tenant_id",
            "tenant_id=",
            "=acme",
            "tenant_id==",
            ",,,,",
            ";",
            "TENANT_ID=acme",
            "tenant_id =%0Aacme",
            "tenant_id=a\u{7f}",
        ] {
            let headers = HashMap::from([("baggage".to_owned(), value.to_owned())]);
            let received = extract(&headers, Trust::internal()).in_scope(|| TENANT_ID.get());
            assert!(
                received.is_none() || value == "tenant_id==" && received.as_deref() == Some("="),
                "{value}: {received:?}"
            );
        }
        let headers = HashMap::from([("baggage".to_owned(), "tenant_id=acme".to_owned())]);
        assert_eq!(extract(&headers, Trust::external()).in_scope(|| TENANT_ID.get()), None);
    });
}
