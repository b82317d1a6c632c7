//! Every carrier that is a type of a client carries the same. Needs no server.

use apalis_core::task::metadata::MetadataStore;
use async_nats::HeaderMap;
use bson::{Bson, Document, doc};
use ctx_layer::{
    Schema,
    field::well_known::*,
    propagation::{self, Captured, Carrier, CarrierMut, Extracted, Trust},
};
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource};
use lapin::types::{AMQPValue, FieldArray, FieldTable, ShortString};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use redis::{Value, streams::StreamId};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const BAGGAGE: &str = "tenant_id=z%C3%BCrich,other=1";

fn extract(carrier: &(impl Carrier + ?Sized), trust: Trust) -> Extracted {
    propagation::register(&Schema::well_known());
    propagation::extract(carrier, trust)
}

fn lines(carrier: &(impl Carrier + ?Sized), key: &str) -> Vec<String> {
    let mut found = Vec::new();
    carrier.lines(key, &mut |line| found.push(String::from_utf8_lossy(line).into_owned()));
    found
}

/// Writes to a carrier that has other values, reads, and removes.
fn there_and_back<C: Carrier + CarrierMut + Default>() {
    let name = std::any::type_name::<C>();
    let incoming = [("traceparent", PARENT), ("tracestate", "a=1"), ("baggage", BAGGAGE)];
    let extracted = extract(&incoming, Trust::internal());
    let mut carrier = C::default();
    carrier.set("Baggage", "stale=1");
    carrier.set("other", "kept");
    extracted.in_scope(|| propagation::inject(&mut carrier));
    for (key, expected) in incoming {
        assert_eq!(lines(&carrier, key), [expected], "{name} {key}");
        assert_eq!(lines(&carrier, &key.to_ascii_uppercase()), [expected], "{name} {key}");
    }
    let again = extract(&carrier, Trust::internal());
    assert_eq!(again.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("zürich"), "{name}");
    assert_eq!(again.remote(), extracted.remote(), "{name}");

    carrier.remove("TRACESTATE");
    assert!(lines(&carrier, "tracestate").is_empty(), "{name}");
    assert_eq!(lines(&carrier, "other"), ["kept"], "{name}");
}

#[test]
fn context_survives_every_carrier_and_replaces_that_of_another_request() {
    there_and_back::<FieldTable>();
    there_and_back::<HeaderMap>();
    there_and_back::<OwnedHeaders>();
    there_and_back::<Document>();
    there_and_back::<Vec<EnvVar>>();
    there_and_back::<MetadataStore>();
}

#[test]
fn amqp_values_of_other_types_are_ignored() {
    let others = [
        AMQPValue::Boolean(true),
        AMQPValue::LongLongInt(7),
        AMQPValue::Double(0.5),
        AMQPValue::Timestamp(7),
        AMQPValue::FieldTable(FieldTable::default()),
        AMQPValue::FieldArray(vec![AMQPValue::Void, AMQPValue::LongInt(1)].into()),
        AMQPValue::Void,
    ];
    for other in others {
        let mut headers = FieldTable::default();
        headers.insert("traceparent".into(), other.clone());
        headers.insert("baggage".into(), AMQPValue::LongString(BAGGAGE.into()));
        let extracted = extract(&headers, Trust::internal());
        assert!(!extracted.is_continued(), "{other:?}");
        assert!(extracted.fields().get(&TENANT_ID).is_some(), "{other:?}");
    }
    let strings = [
        AMQPValue::LongString(PARENT.into()),
        AMQPValue::ShortString(PARENT.into()),
        AMQPValue::ByteArray(PARENT.as_bytes().into()),
        AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::LongString(PARENT.into())])),
    ];
    for string in strings {
        let mut headers = FieldTable::default();
        headers.insert("Traceparent".into(), string.clone());
        assert!(extract(&headers, Trust::external()).is_continued(), "{string:?}");
    }
}

#[test]
fn an_amqp_key_that_is_too_long_is_not_set() {
    let mut headers = FieldTable::default();
    headers.insert("kept".into(), AMQPValue::LongInt(1));
    headers.set(&"x".repeat(256), "1");
    headers.remove(&"x".repeat(256));
    assert_eq!(headers.inner().len(), 1);
    assert!(headers.contains_key("kept"));
    headers.set(&"x".repeat(255), "1");
    assert!(headers.inner().contains_key(&ShortString::from("x".repeat(255))));
}

#[test]
fn two_parents_are_none_in_every_carrier_that_can_have_two() {
    let mut nats = HeaderMap::new();
    let mut amqp = FieldTable::default();
    let mut kafka = OwnedHeaders::new();
    for key in ["traceparent", "Traceparent"] {
        nats.append(key, PARENT);
        amqp.insert(key.into(), AMQPValue::LongString(PARENT.into()));
        kafka = kafka.insert(Header { key, value: Some(PARENT) });
    }
    assert!(!extract(&nats, Trust::internal()).is_continued());
    assert!(!extract(&amqp, Trust::internal()).is_continued());
    assert!(!extract(&kafka, Trust::internal()).is_continued());
    // An injected one replaces both.
    extract(&[("traceparent", PARENT)], Trust::external()).in_scope(|| {
        propagation::inject(&mut nats);
        propagation::inject(&mut amqp);
        propagation::inject(&mut kafka);
    });
    assert!(extract(&nats, Trust::internal()).is_continued());
    assert!(extract(&amqp, Trust::internal()).is_continued());
    assert!(extract(&kafka, Trust::internal()).is_continued());
}

#[test]
fn values_that_are_illegal_on_nats_are_not_set() {
    let mut headers = HeaderMap::new();
    for (key, value) in [("no name", "x"), ("", "x"), ("name", "a\r\nb: c"), ("na:me", "x"), ("näme", "x")] {
        headers.set(key, value);
        headers.remove(key);
    }
    assert!(headers.is_empty(), "{headers:?}");
}

#[test]
fn kafka_headers_without_value_or_with_bytes_are_read_as_far_as_they_go() {
    let headers = OwnedHeaders::new()
        .insert(Header::<&[u8]> { key: "traceparent", value: None })
        .insert(Header { key: "baggage", value: Some(&b"k=\xff,tenant_id=acme"[..]) })
        .insert(Header { key: "other", value: Some(&b"\0\xff"[..]) });
    let extracted = extract(&headers, Trust::internal());
    assert!(!extracted.is_continued());
    assert_eq!(extracted.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));

    let mut headers = headers;
    extract(&[("traceparent", PARENT)], Trust::external()).in_scope(|| propagation::inject(&mut headers));
    assert_eq!(headers.count(), 2, "that of another request is replaced, and its baggage removed");
    assert_eq!(headers.get(0).value, Some(&b"\0\xff"[..]), "a header of others stays, in order");
}

#[test]
fn the_headers_of_rskafka_are_a_carrier() {
    there_and_back::<std::collections::BTreeMap<String, Vec<u8>>>();
    let record = rskafka::record::Record {
        key: None,
        value: None,
        headers: [("TraceParent".to_owned(), PARENT.as_bytes().to_vec())].into(),
        timestamp: Default::default(),
    };
    assert!(extract(&record.headers, Trust::external()).is_continued());
}

#[test]
fn entries_of_redis_streams_are_read() {
    let mut entry = StreamId::default();
    entry.map.insert("TraceParent".to_owned(), Value::BulkString(PARENT.into()));
    entry.map.insert("tracestate".to_owned(), Value::SimpleString("a=1".to_owned()));
    entry.map.insert("baggage".to_owned(), Value::Int(7));
    let extracted = extract(&entry, Trust::internal());
    assert_eq!(extracted.remote().map(|span| span.trace_state().header()).as_deref(), Some("a=1"));
    assert!(extracted.dropped().is_empty());
    for other in [Value::Nil, Value::Array(vec![Value::BulkString(PARENT.into())]), Value::Okay, Value::Boolean(true)] {
        entry.map.insert("TraceParent".to_owned(), other.clone());
        assert!(!extract(&entry, Trust::internal()).is_continued(), "{other:?}");
    }
}

#[test]
fn bson_of_other_types_is_ignored_and_arrays_are_several_lines() {
    let document = doc! { "traceparent": [PARENT], "tracestate": ["a=1", 5, "b=2"], "baggage": { "a": 1 } };
    let extracted = extract(&document, Trust::internal());
    assert_eq!(extracted.remote().map(|span| span.trace_state().header()).as_deref(), Some("a=1,b=2"));
    for other in [Bson::Null, Bson::Int32(1), Bson::Boolean(true), Bson::Double(0.5), Bson::Document(doc! {})] {
        assert!(!extract(&doc! { "traceparent": other.clone() }, Trust::internal()).is_continued(), "{other}");
    }
}

#[test]
fn captured_context_is_a_subdocument_and_bad_ones_cost_no_document() -> Result<(), Box<dyn std::error::Error>> {
    let captured =
        extract(&[("traceparent", PARENT), ("baggage", BAGGAGE)], Trust::internal()).in_scope(propagation::capture);
    let context = bson::serialize_to_bson(&captured)?;
    assert_eq!(context, Bson::Document(doc! { "traceparent": PARENT, "baggage": BAGGAGE }));
    assert_eq!(bson::deserialize_from_bson::<Captured>(context)?, captured);
    for bad in [
        doc! { "traceparent": 5, "baggage": BAGGAGE },
        doc! { "traceparent": [1], "x": { "y": 1 }, "baggage": BAGGAGE },
    ] {
        // From the bytes of the driver, too.
        let stored: Captured = bson::deserialize_from_slice(&bad.to_vec()?)?;
        assert_eq!(stored.iter().collect::<Vec<_>>(), [("baggage", BAGGAGE)]);
        assert_eq!(bson::deserialize_from_document::<Captured>(bad)?, stored);
    }
    Ok(())
}

#[test]
fn other_variables_of_a_container_are_kept_and_stale_context_replaced() {
    let plain = |name: &str, value: &str| EnvVar { name: name.into(), value: Some(value.into()), value_from: None };
    let secret = EnvVar { name: "PASSWORD".into(), value: None, value_from: Some(EnvVarSource::default()) };
    let mut env =
        vec![plain("TRACEPARENT", "stale"), plain("RUST_LOG", "info"), secret.clone(), plain("BAGGAGE", "stale=1")];
    let extracted = extract(&[("traceparent", PARENT)], Trust::external());
    extracted.in_scope(|| propagation::inject(&mut env));
    assert_eq!(env, [plain("RUST_LOG", "info"), secret, plain("TRACEPARENT", PARENT)]);
    assert_eq!(extract(&env, Trust::external()).remote(), extracted.remote());
}

#[test]
fn a_tenant_cannot_read_a_secret_variable_of_the_container() {
    // Kubernetes replaces `$(NAME)` in a value.
    let mut env = Vec::<EnvVar>::new();
    TENANT_ID.in_scope("$(PASSWORD)$$", || propagation::inject(&mut env));
    assert_eq!(env[0].value.as_deref(), Some("tenant_id=$$(PASSWORD)$$$$"));
    let tenant = extract(&env, Trust::internal()).fields().get(&TENANT_ID).map(|text| text.to_string());
    assert_eq!(tenant.as_deref(), Some("$(PASSWORD)$$"));
}

#[test]
fn sensitive_fields_are_not_written_to_a_container() {
    ctx_layer::context_fields! {
        /// A field that only its recipient may read.
        static TOKEN: String = "token" => masked, propagated_in_plaintext;
    }
    propagation::register(&Schema::builder().field(&TOKEN).build().expect("no name is in it twice"));
    let (mut env, mut headers) = (Vec::<EnvVar>::new(), FieldTable::default());
    TOKEN.in_scope("t-1", || {
        propagation::inject(&mut env);
        propagation::inject(&mut headers);
    });
    assert!(env.is_empty());
    assert_eq!(lines(&headers, "baggage"), ["token=t-1"]);
}
