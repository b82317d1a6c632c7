//! Runs the fuzz targets with generated input, on stable, in every test run.

use proptest::{collection::vec, prelude::*};

use crate::grammar;

#[allow(unreachable_pub)] // The fuzz targets are in another crate.
#[path = "../../../fuzz/src/bodies.rs"]
mod bodies;

/// Fragments of headers, documents and environments, and of nothing valid.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 1..5),
        prop::sample::select(vec![
            "=",
            ",",
            ";",
            "%",
            "%41",
            "%FF",
            "-",
            "\n",
            "\0",
            " ",
            "\t",
            "\"",
            "{",
            "}",
            ":",
            "null",
            "[",
            "1",
            "@",
            "tenant_id=",
            "role=",
            "a=1",
            "k",
            "ü",
            "🚲",
            "baggage",
            "\"baggage\":\"",
            "TRACEPARENT=",
            "BAGGAGE=",
            "00-",
            "ff-",
            "0af7651916cd43dd8448eb211c80319c-",
            "b7ad6b7169203331-",
            "01",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn traceparent(input in input()) {
        bodies::traceparent(&input);
    }

    #[test]
    fn tracestate(input in input()) {
        bodies::tracestate(&input);
    }

    #[test]
    fn baggage(input in input()) {
        bodies::baggage(&input);
    }

    #[test]
    fn captured(input in input()) {
        bodies::captured(&input);
    }

    #[test]
    fn environment(input in input()) {
        bodies::environment(&input);
    }
}
