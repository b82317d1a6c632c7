//! Properties that hold for every input.

use ctx_layer::{
    Fields, Schema,
    field::well_known::*,
    propagation::{self, Boundary, ContextPropagator, DestinationPolicy, Outbound, Trust},
};
use ctx_tests::SHARD;
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
};
use proptest::{collection::vec, prelude::*};

use crate::{
    grammar,
    shared::{Headers, PARENT, extract, injected, passed_on, schema, sent},
};

ctx_layer::context_fields! {
    /// A ratio.
    static RATIO: f64 = "properties.ratio" => propagated;
    /// A ratio in single precision.
    static SINGLE: f32 = "properties.single" => propagated;
}

fn numbers() -> Schema {
    Schema::builder().all_of(&schema()).field(&RATIO).field(&SINGLE).build().expect("no name is in it twice")
}

/// Generates valid and invalid headers.
fn header() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        "[ \t,;=%a-c0-9\"\\\\@é]{0,80}".prop_map(String::into_bytes),
        "([a-z]{1,3} ?= ?[a-z%0-9=]{0,6}(;[a-z]{0,2}(=[a-z%]{0,3})?)?[, ]?){0,80}".prop_map(String::into_bytes),
        "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[a-z]{0,3})?".prop_map(String::into_bytes),
        "(tenant_id|x-shard|plan|role)=[a-z0-9%]{0,5},?".prop_map(String::into_bytes),
    ]
}

/// Generates URLs of internal hosts, of external ones, and of hosts that could be mistaken for either.
fn url() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "http",
        "https",
        "ws",
        "x",
        ":",
        "/",
        "//",
        "\\",
        "@",
        "?",
        "#",
        ".",
        "..",
        "%",
        "%2e",
        "%40",
        "%2f",
        "%00",
        " ",
        "\t",
        "\n",
        "[",
        "]",
        "::1",
        "::ffff:10.0.0.1",
        "10.0.0.1",
        "10.1",
        "0x0a000001",
        "012.0.0.1",
        "evil.com",
        "internal.example",
        "INTERNAL.example",
        "evil-internal.example",
        "\u{3002}",
        "\u{ff0e}",
        "\u{ad}",
        "ⓔxample",
        "80",
        ":80",
        "user",
        "user:pw@",
        "-",
        "_",
        "fd00::1",
        "%25eth0",
    ]);
    (
        prop::sample::select(vec!["http://", "https://", "http:/", "http:", "//", "", "http:\\\\", " http://"]),
        vec(piece, 0..8),
    )
        .prop_map(|(scheme, pieces)| format!("{scheme}{}", pieces.concat()))
}

/// Returns `true` if a host is internal, by a slow and obvious implementation.
fn is_own(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    match host.parse::<std::net::IpAddr>().map(|address| address.to_canonical()) {
        Ok(std::net::IpAddr::V4(address)) => address.octets()[0] == 10,
        Ok(std::net::IpAddr::V6(address)) => address.segments()[0] >> 8 == 0xfd,
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "internal.example" || host.ends_with(".internal.example")
        }
    }
}

proptest! {
    #[test]
    fn decoding_restores_what_was_encoded_for_all_unicode(text in any::<String>()) {
        let cx = Context::new().with_baggage([opentelemetry::KeyValue::new("key", text.clone())]);
        let out = injected(&cx);
        grammar::check(&out);
        // Over the limits nothing is sent.
        prop_assume!(out.contains_key("baggage"));
        let carrier: Headers = out.into_iter().collect();
        let extracted = extract(&carrier, Trust::internal());
        prop_assert_eq!(extracted.context().baggage().get("key").map(|value| value.as_str().to_owned()), Some(text));
    }

    #[test]
    fn a_fields_value_survives_the_round_trip(text in "[^\\p{Cc}\\p{Default_Ignorable_Code_Point}\u{2028}\u{2029}\u{fff9}-\u{fffb}]{1,30}") {
        let header = sent(Fields::new().with(&TENANT_ID, text.as_str())).expect("there is one");
        prop_assert!(grammar::is_baggage(&header), "{header}");
        let carrier: Headers = vec![("baggage".to_owned(), header)];
        let extracted = extract(&carrier, Trust::internal());
        prop_assert_eq!(extracted.fields().get(&TENANT_ID).map(|tenant| tenant.as_str()), Some(text.as_str()));
    }

    #[test]
    fn a_set_value_arrives_or_is_counted_by_the_sender(
        text in prop_oneof![any::<String>(), "[a-z+%=é \u{200b}\u{feff}\n]{0,40}", "[a-z]{100,200}"], float in any::<f64>(),
        single in any::<f32>(), whole in any::<u64>(),
    ) {
        static BOUNDARY: Boundary = Boundary::new("arrives or is counted");
        propagation::register(&numbers());
        // Fields are sent in the order in which they were first set: as the other tests have it.
        let sent = Fields::new().with(&TENANT_ID, text.as_str()).with(&USER_ID, "ada").with(&RATIO, float).with(&SINGLE, single).with(&SHARD, whole);
        let mut carrier = std::collections::HashMap::new();
        let before = BOUNDARY.counts();
        sent.in_scope(|| BOUNDARY.inject(&mut carrier, Outbound::Everything));
        let refused = BOUNDARY.counts().dropped - before.dropped;
        let received = BOUNDARY.extract(&carrier, Trust::internal());
        let received_fields = received.fields();
        let lost = [
            received_fields.get(&TENANT_ID).is_none_or(|tenant| *tenant != text),
            received_fields.get(&RATIO) != Some(&float),
            received_fields.get(&SINGLE) != Some(&single),
            received_fields.get(&SHARD) != Some(&whole),
        ];
        // None arrives as another value, and none is refused only by the recipient.
        prop_assert_eq!(refused, lost.iter().filter(|lost| **lost).count() as u64, "{:?} {:?}", carrier, received.dropped());
        prop_assert!(received.dropped().is_empty());
        prop_assert_eq!(received_fields.len(), 5 - refused as usize);
        prop_assert!(!carrier.get("baggage").is_some_and(|baggage| baggage.contains('+')));
    }

    #[test]
    fn any_input_is_sent_on_as_valid_headers_that_are_read_back_unchanged(
        parents in vec(header(), 0..3), states in vec(header(), 0..4), lines in vec(header(), 0..4), links in any::<bool>(),
    ) {
        let carrier: Vec<(&str, Vec<u8>)> = parents.into_iter().map(|it| ("traceparent", it))
            .chain(states.into_iter().map(|it| ("tracestate", it)))
            .chain(lines.into_iter().map(|it| ("baggage", it)))
            .collect();
        for trust in [Trust::external(), Trust::internal(), Trust::internal().drop_unregistered()] {
            let trust = if links { trust.link_only() } else { trust };
            let out = passed_on(&carrier, trust);
            grammar::check(&out);
            // A second pass changes nothing.
            if !links && trust.passes_unregistered() {
                prop_assert_eq!(passed_on(&out, trust), out);
            }
        }
    }

    #[test]
    fn any_baggage_of_a_program_is_sent_as_a_valid_header(
        members in vec((any::<String>(), any::<String>(), any::<String>()), 0..20),
    ) {
        let mut all = Baggage::new();
        for (key, value, metadata) in members {
            all.insert_with_metadata(key, value, metadata.as_str());
        }
        grammar::check(&injected(&Context::new().with_baggage(all)));
    }

    #[test]
    fn a_traceparent_is_read_as_it_is_written(trace_id in 1..=u128::MAX, parent_id in 1..=u64::MAX, flags in 0u8..4) {
        let text = format!("00-{trace_id:032x}-{parent_id:016x}-{flags:02x}");
        prop_assert!(grammar::is_traceparent(&text));
        prop_assert_eq!(&passed_on(&[("traceparent", &text)], Trust::external())["traceparent"], &text);
    }

    #[test]
    fn an_accepted_traceparent_is_valid(text in header()) {
        if let Some(out) = passed_on(&[("traceparent", &text)], Trust::external()).get("traceparent") {
            prop_assert!(grammar::is_traceparent(out));
            let text = String::from_utf8(text).expect("it is text");
            prop_assert_eq!(&text.trim_matches([' ', '\t'])[3..52], &out[3..52]);
        }
    }

    #[test]
    fn an_accepted_and_truncated_tracestate_is_valid(lines in vec(header(), 0..5), max_len in 0usize..2000) {
        let carrier: Vec<(&str, Vec<u8>)> = [("traceparent", PARENT.as_bytes().to_vec())].into_iter()
            .chain(lines.into_iter().map(|it| ("tracestate", it)))
            .collect();
        let cx = extract(&carrier, Trust::external()).into_context();
        let mut out = std::collections::HashMap::new();
        ContextPropagator::new().max_tracestate_len(max_len).inject_context(&cx, &mut out);
        if let Some(list) = out.get("tracestate") {
            prop_assert!(grammar::is_tracestate(list) && list.len() <= max_len.max(512));
        }
    }

    #[test]
    fn captured_context_of_any_shape_is_read(text in any::<String>(), values in vec(any::<String>(), 3)) {
        let _ = serde_json::from_str::<propagation::Captured>(&text);
        let pairs = ["traceparent", "tracestate", "baggage"].into_iter().zip(&values);
        let captured: propagation::Captured = pairs.collect();
        let json = serde_json::to_string(&captured).expect("it can be serialized");
        prop_assert_eq!(&serde_json::from_str::<propagation::Captured>(&json).expect("it can be read"), &captured);
        grammar::check(&passed_on(&captured, Trust::internal()));
    }

    #[test]
    fn an_internal_url_is_internal_to_every_url_parser(url in url()) {
        let policy = DestinationPolicy::internal(["internal.example", "10.0.0.0/8", "fd00::/8"]).expect("they are hosts");
        if policy.for_url(&url) == Outbound::Everything {
            // As browsers and `reqwest` parse it.
            if let Ok(read) = reqwest::Url::parse(&url) {
                prop_assert!(read.host_str().is_some_and(is_own), "{url:?} {read}");
            }
            // As `hyper` and `tonic` parse it.
            if let Ok(read) = url.parse::<http::Uri>() {
                prop_assert!(read.host().is_some_and(is_own), "{url:?} {read}");
            }
        }
        // The parsed parts that clients use.
        if let Ok(read) = reqwest::Url::parse(&url) {
            prop_assert!(policy.for_authority(read.authority()) != Outbound::Everything || read.host_str().is_some_and(is_own), "{url:?} {read}");
        }
        if let Ok(read) = url.parse::<http::Uri>() && let Some(authority) = read.authority() {
            prop_assert!(policy.for_authority(authority.as_str()) != Outbound::Everything || is_own(authority.host()), "{url:?} {read}");
        }
    }

    #[test]
    fn any_variables_name_is_normalized(key in any::<String>()) {
        let name = ctx_layer::propagation::carriers::normalized_name(&key);
        prop_assert!(!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()));
        prop_assert!(name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        prop_assert_eq!(ctx_layer::propagation::carriers::normalized_name(&name), name.clone());
    }
}
