//! Compile errors, compared word for word.
//!
//! After an intended change run `TRYBUILD=overwrite cargo test -p ctx-tests --test compile_errors`, and read the diff.
//! Compiler versions word their part differently: the recorded errors are those of one version.

#[rustversion::attr(not(stable(1.95)), ignore = "the errors on file are those of Rust 1.95")]
#[test]
fn wrong_input_is_a_clear_error_at_the_wrong_token() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/context_fields/*.rs");
    cases.compile_fail("ui/with_observability/*.rs");
    cases.compile_fail("ui/propagate/*.rs");
    cases.compile_fail("ui/test/*.rs");
}

#[test]
fn errors_in_a_body_have_the_span_that_they_have_without_the_attribute() {
    let places = |name: &str| {
        let file = format!("{}/ui/with_observability/{name}.stderr", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(file).unwrap();
        let (mut places, mut is_error) = (Vec::new(), false);
        for line in text.lines() {
            if let Some((_, place)) = line.split_once(".rs:").filter(|_| is_error && line.contains("-->")) {
                places.push(place.to_owned());
            }
            is_error = line.starts_with("error");
        }
        places.sort();
        places
    };
    let expected = places("bodies_without");
    assert_eq!(places("bodies"), expected);
    assert!(expected.len() > 10, "{expected:?}");
}
