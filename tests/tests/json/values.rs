//! The forms of values.

use std::{error::Error, fmt};

use serde_json::{Value, json};
use tracing::info;

use super::line_of;

fn value(run: impl Fn()) -> Value {
    line_of(run)["v"].clone()
}

#[test]
fn numbers_are_numbers_if_readers_keep_all_digits() {
    assert_eq!(value(|| info!(v = -7)), json!(-7));
    assert_eq!(value(|| info!(v = i64::MIN)), json!(i64::MIN));
    assert_eq!(value(|| info!(v = u64::MAX)), json!(u64::MAX));
    assert_eq!(value(|| info!(v = true)), json!(true));
    assert_eq!(value(|| info!(v = -3_i128)), json!(-3));
    assert_eq!(value(|| info!(v = u64::MAX as u128)), json!(u64::MAX));
    // Numbers of 128 bits that need more than 64 are strings.
    assert_eq!(value(|| info!(v = i128::MIN)), json!(i128::MIN.to_string()));
    assert_eq!(value(|| info!(v = u128::MAX)), json!(u128::MAX.to_string()));
    assert_eq!(value(|| info!(v = i128::from(i64::MAX) + 1)), json!("9223372036854775808"));
}

#[test]
fn floats_survive_and_those_that_json_lacks_are_strings() {
    for float in [0.0, -0.0, 1.0, 12.5, 0.1, 1e300, -1e-300, f64::MAX, f64::MIN_POSITIVE, 5e-324] {
        assert_eq!(value(|| info!(v = float)).as_f64().map(f64::to_bits), Some(float.to_bits()), "{float}");
    }
    assert_eq!(value(|| info!(v = f64::NAN)), "NaN");
    assert_eq!(value(|| info!(v = f64::INFINITY)), "Infinity");
    assert_eq!(value(|| info!(v = f64::NEG_INFINITY)), "-Infinity");
}

#[test]
fn bytes_are_hexadecimal_digits() {
    assert_eq!(value(|| info!(v = &b"abc"[..])), "616263");
    assert_eq!(value(|| info!(v = &[0_u8, 0xff, 0xc3, 0x28][..])), "00ffc328");
    let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let hex: String = long.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(value(|| info!(v = &long[..])), hex);
}

#[test]
fn strings_survive_the_round_trip() {
    for text in [
        "",
        "acme",
        "a \"quoted\" \\ one",
        "\0\u{1}\u{1f}\n\r\t\u{8}\u{c}\u{7f}",
        "\u{85}\u{2028}\u{2029}",
        "zürich 🚲 東京",
    ] {
        assert_eq!(value(|| info!(v = text)), text);
        assert_eq!(value(|| info!(v = %text)), text);
        assert_eq!(value(|| info!(v = ?text)), format!("{text:?}"));
    }
}

#[test]
fn invalid_utf_8_is_shown_with_replacement_characters() {
    use std::os::unix::ffi::OsStrExt;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff.txt"));
    assert_eq!(value(|| info!(v = %path.display())), "/tmp/\u{fffd}.txt");
}

#[derive(Debug)]
struct Caused(&'static str, Option<Box<Caused>>);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn chain(depth: usize) -> Caused {
    (0..depth).fold(Caused("connection \"refused\"", None), |inner, _| Caused("it failed", Some(Box::new(inner))))
}

#[test]
fn an_error_is_its_message_and_its_causes_are_an_array() {
    let (one, three) = (chain(0), chain(2));
    let line = line_of(|| info!(v = &one as &(dyn Error + 'static)));
    assert_eq!((&line["v"], line.get("v.sources")), (&json!("connection \"refused\""), None));
    let line = line_of(|| info!(v = &three as &(dyn Error + 'static), after = 1));
    assert_eq!(
        line,
        json!({
            "level": "INFO", "v": "it failed", "v.sources": ["it failed", "connection \"refused\""], "after": 1,
        })
    );
}

#[test]
fn an_error_with_endless_causes_is_followed_for_sixteen() {
    #[derive(Debug)]
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }
    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }
    let line = line_of(|| info!(v = &Endless as &(dyn Error + 'static)));
    assert_eq!(line["v.sources"], json!(["again"; 16].to_vec()));
}

#[test]
fn the_causes_of_an_error_are_left_out_if_their_key_is_taken() {
    let error = chain(1);
    let line = line_of(|| info!(v = &error as &(dyn Error + 'static), v.sources = "mine"));
    assert_eq!(line, json!({"level": "INFO", "v": "it failed", "v.sources": "mine"}));
}
