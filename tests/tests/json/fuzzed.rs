//! Runs the fuzz target with generated input, on stable, in every test run.

use proptest::{collection::vec, prelude::*};

use super::strict;

#[allow(unreachable_pub)] // The fuzz target is in another crate.
#[path = "../../../fuzz/src/json.rs"]
mod json;

/// Generates raw bytes, and strings that must be escaped.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let strings = ["\"", "\\", "\u{2028}", "\0", "🚲", "acme", "\u{85}", "\u{7f}", "\n", "plain text of some length"];
    let piece = prop_oneof![
        vec(any::<u8>(), 1..20),
        prop::sample::select(strings.to_vec()).prop_map(|text| [&[text.len() as u8], text.as_bytes()].concat()),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        // The variable sets the number of cases: a million takes minutes.
        std::env::var("CTX_JSON_LINES").ok().and_then(|count| count.parse().ok()).unwrap_or(3000)
    ))]

    #[test]
    fn every_line_is_json_with_unique_keys_and_the_set_values(input in input()) {
        json::json_line(&input);
    }
}
