//! `static_attributes`

use ctx_layer::with_observability;
use opentelemetry::Value;

use crate::setup::with_and_without_context;

const SHARDS: u32 = 16;
const KEY: &str = "db.system";

mod limits {
    pub(super) const RATIO: f64 = 0.5;
}

#[with_observability(static_attributes = {
    "component": "profile",
    "shard": 7,
    "unsigned": 8_u64,
    "offset": -7,
    "beta": true,
    "share": 0.25,
    "shards": SHARDS,
    "ratio": limits::RATIO,
    "package": env!("CARGO_PKG_NAME"),
    KEY: "postgresql",
})]
fn load() {}

#[test]
fn static_attributes_are_exported_with_their_types() {
    with_and_without_context(|out| {
        out.run(load);
        for (key, value) in [
            ("component", Value::from("profile")),
            ("shard", Value::I64(7)),
            ("unsigned", Value::I64(8)),
            ("offset", Value::I64(-7)),
            ("beta", Value::Bool(true)),
            ("share", Value::F64(0.25)),
            ("shards", Value::I64(16)),
            ("ratio", Value::F64(0.5)),
            ("package", Value::from("ctx-tests")),
            ("db.system", Value::from("postgresql")),
        ] {
            assert_eq!(out.attribute("load", key), Some(value), "{key}");
        }
    });
}

#[test]
fn static_attributes_are_fields_of_the_span_in_the_logs() {
    with_and_without_context(|out| {
        out.run(load);
        let span = &out.event("returned")["span"];
        assert_eq!(span["component"], "profile");
        assert_eq!(span["shard"], 7);
        assert_eq!(span["beta"], true);
    });
}

struct Store<const N: usize>;

impl<const N: usize> Store<N> {
    const KIND: &str = "memory";

    #[with_observability(static_attributes = { "kind": Self::KIND, "size": N })]
    fn open(&self) {}
}

#[test]
fn static_attributes_may_be_constants_of_self() {
    with_and_without_context(|out| {
        out.run(|| Store::<3>.open());
        assert_eq!(out.attribute("open", "kind"), Some("memory".into()));
        assert_eq!(out.attribute("open", "size"), Some(Value::I64(3)));
    });
}
