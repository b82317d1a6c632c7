//! No value forges a line, a field or a colour: what is written is read back as what was set.

use ctx_layer::field::well_known::TENANT_ID;
use proptest::{collection::vec, prelude::*};
use tracing::info;

use super::{reader, text_of};

#[path = "../../../fuzz/src/events.rs"]
mod events;
#[allow(unreachable_pub)] // The fuzz target is in another crate.
#[path = "../../../fuzz/src/text.rs"]
mod text;

/// Bytes as they come, and strings that are built to be taken for something else.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let strings = [
        "\"",
        "\\",
        "\n",
        "\r",
        "\t",
        "\0",
        "\x1b[31m",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{200b}",
        "\u{fe0f}",
        "🚲",
        " ",
        "=",
        "acme",
        " tenant_id=\"victim\"",
        "\n    | ",
        "\n    error: ",
        "\nERROR forged",
        " shared=1",
        "!=",
        "a=b",
        "caused by: ",
        "plain text of some length",
        "\u{a0}",
        "\\u{1b}",
    ];
    let piece = prop_oneof![
        vec(any::<u8>(), 1..20),
        prop::sample::select(strings.to_vec()).prop_map(|text| [&[text.len() as u8], text.as_bytes()].concat()),
        vec(prop::sample::select(strings.to_vec()), 1..6).prop_map(|parts| {
            let text = parts.concat();
            [&[text.len() as u8], text.as_bytes()].concat()
        }),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        // As many as the variable says: a million is a matter of minutes.
        std::env::var("CTX_TEXT_LINES").ok().and_then(|count| count.parse().ok()).unwrap_or(3000)
    ))]

    #[test]
    fn every_line_is_read_back_as_what_was_set(input in input()) {
        text::text_line(&input);
    }
}

#[test]
fn a_message_that_looks_like_fields_is_in_quotes() {
    let run = || TENANT_ID.in_scope("acme", || info!("placed tenant_id=\"victim\""));
    let text = text_of(|layer| layer, run);
    assert_eq!(text, "INFO  \"placed tenant_id=\\\"victim\\\"\" tenant_id=\"acme\"\n");
    let read = reader::records(&text).remove(0);
    assert_eq!(read.message.as_deref(), Some("placed tenant_id=\"victim\""));
}

#[test]
fn a_message_cannot_begin_a_line_of_its_own() {
    let forged = "placed\n2026-01-01T00:00:00Z ERROR pay: stolen tenant_id=\"victim\"\r\x1b[31m\u{85}\u{2028}\u{202e}";
    let text = text_of(|layer| layer, || info!("{forged}"));
    assert_eq!(
        text,
        "INFO  placed\n    | \"2026-01-01T00:00:00Z ERROR pay: stolen tenant_id=\\\"victim\\\"\\r\\u{1b}[31m\\u{85}\\u{2028}\\u{202e}\"\n"
    );
}

#[test]
fn a_value_that_looks_like_colours_or_lines_is_escaped() {
    let forged = "x\n\x1b[2m tenant_id=\"victim\"";
    let run = || info!(a = forged, b = %forged, c = ?forged, "placed");
    let value = "\"x\\n\\u{1b}[2m tenant_id=\\\"victim\\\"\"";
    assert_eq!(text_of(|layer| layer, run), format!("INFO  placed a={value} b={value} c={value}\n"));
}
