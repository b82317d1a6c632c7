//! The fuzz targets of the readers, with generated input. `CTX_CHECK_CASES=100000` for more of it.

use proptest::{collection::vec, prelude::*};

#[expect(unreachable_pub, reason = "another crate uses it, too")]
#[path = "../../../fuzz/src/check.rs"]
mod targets;

/// Pieces of the formats, which random bytes seldom are.
const PIECES: [&str; 24] = [
    "{\"resourceSpans\":[",
    "{\"resource\":{\"attributes\":[",
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"a\"}}",
    "]},",
    "\"scopeSpans\":[{\"spans\":[",
    "{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",",
    "\"spanId\":\"b7ad6b7169203331\",",
    "\"parentSpanId\":\"b7ad6b7169203331\",",
    "\"kind\":3,\"startTimeUnixNano\":\"5\",\"endTimeUnixNano\":4}",
    "]}]}]}\n",
    "{\"data\":[{\"traceID\":\"1\",\"spans\":[",
    "{\"traceID\":\"1\",\"spanID\":\"2\",\"processID\":\"p1\",\"tags\":[]}",
    "],\"processes\":{\"p1\":{\"serviceName\":\"a\"}}}]}",
    "[{\"traceId\":\"1\",\"id\":\"2\",\"kind\":\"SERVER\",\"shared\":true}]",
    "{\"message\":\"m\",\"trace_id\":\"1\",\"level\":\"INFO\",\"timestamp\":\"2026-11-27T12:34:56Z\"}",
    "{\"arrayValue\":{\"values\":[",
    "\\ud83d",
    "\"",
    "[",
    "{",
    "}",
    ",",
    "\n",
    "null",
];

const SETTINGS: [&str; 12] = [
    "tenant = \"t\"\n",
    "require = [\"a\", \"b\"]\n",
    "tolerance = \"5ms\"\n",
    "[capture]\n",
    "from = \"2026-11-27T12:34:56Z\"\n",
    "[[queue]]\nname = [\"a*\"]\n",
    "mode = \"link\"\n",
    "[[rule]]\nid = \"A-1\"\non = \"span\"\nrequire = [\"x\"]\n",
    "[sensitive]\n",
    "patterns = { a = \"[a-z]+\" }\n",
    "[limits]\nmemory = 0\n",
    "own = [\"[\"]\n",
];

fn cases() -> u32 {
    std::env::var("CTX_CHECK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn pieces_of_documents_give_a_report(pieces in vec(0..PIECES.len(), 0..30), bytes in vec(any::<u8>(), 0..8)) {
        let mut file: Vec<u8> = pieces.iter().flat_map(|piece| PIECES[*piece].bytes()).collect();
        file.extend(bytes);
        targets::json(&file);
    }

    #[test]
    fn bytes_that_look_like_messages_give_a_report(
        fields in vec((1_u8..20, 0_u8..6, vec(any::<u8>(), 0..20)), 0..12),
        depth in 0_usize..4,
    ) {
        let mut message = Vec::new();
        for (number, kind, content) in &fields {
            message.push(number << 3 | kind);
            message.push(content.len() as u8);
            message.extend(content);
        }
        for _ in 0..depth {
            let mut outer = vec![if depth > 2 { 0x12 } else { 0x0a }];
            let mut length = message.len();
            while length > 127 {
                outer.push(length as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            outer.extend(&message);
            message = outer;
        }
        targets::protobuf(&message);
        targets::compressed(&message);
    }

    #[test]
    fn pieces_of_settings_are_right_or_named(pieces in vec(0..SETTINGS.len(), 0..6)) {
        let text: String = pieces.iter().map(|piece| SETTINGS[*piece]).collect();
        targets::settings(text.as_bytes());
    }
}
