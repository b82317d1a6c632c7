//! Runs the body of the fuzz target with generated input, on stable, in every run of the tests.

use proptest::{collection::vec, prelude::*};

use super::strict;

#[path = "../../../fuzz/src/events.rs"]
mod events;
#[allow(unreachable_pub)] // The fuzz target is in another crate.
#[path = "../../../fuzz/src/json.rs"]
mod json;

/// Bytes as they come, and strings that have to be escaped.
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
        // As many as the variable says: a million is a matter of minutes.
        std::env::var("CTX_JSON_LINES").ok().and_then(|count| count.parse().ok()).unwrap_or(3000)
    ))]

    #[test]
    fn every_line_is_json_with_unique_keys_and_carries_what_was_set(input in input()) {
        json::json_line(&input);
    }
}
