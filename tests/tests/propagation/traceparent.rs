//! `traceparent`: W3C Trace Context Level 2, section 3.2.

use ctx_layer::propagation::{Invalid, TraceParentError, Trust};

use crate::{
    grammar,
    shared::{PARENT, extract, headers, passed_on},
};

#[test]
fn only_what_the_grammar_allows_is_a_traceparent() {
    use TraceParentError::*;
    for (text, why) in [
        // Section 3.2.2: version 00 is exactly 55 bytes.
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", Length),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra", Length),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.", Length),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-001", Length),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", Length),
        ("", Length),
        ("00", Length),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", Length),
        // Each field has its length: 2-32-16-2.
        ("0-0af7651916cd43dd8448eb211c80319c0-b7ad6b7169203331-01", Separator),
        ("000-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Separator),
        ("00-0af7651916cd43dd8448eb211c80319-cb7ad6b71692033310-01", Separator),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-001", Separator),
        ("00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01", Separator),
        // Lowercase hexadecimal digits only.
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A", NotHex),
        ("0A-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NotHex),
        (".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NotHex),
        ("00-.af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333.-01", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-.1", NotHex),
        // What an integer parser would accept.
        ("00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NotHex),
        ("+0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319c- 7ad6b7169203331-01", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319c-0xad6b7169203331-01", NotHex),
        ("00-0af7651916cd43dd8448eb211c80319\u{e9}b7ad6b7169203331-01", Separator),
        // Section 3.2.2.1: version ff is invalid.
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Version),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", Version),
        // Sections 3.2.2.3 and 3.2.2.4: all zeros.
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", Zero),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", Zero),
        // Section 4.3: after the known part of a higher version there is nothing, or a `-`.
        ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more", Separator),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-012", Separator),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", Length),
    ] {
        let extracted = extract(&headers([("traceparent", text), ("tracestate", "a=1")]), Trust::external());
        assert_eq!(extracted.invalid(), Some(Invalid::TraceParent(why)), "{text}");
        assert!(!extracted.is_continued() && extracted.remote().is_none(), "{text}");
    }
}

#[test]
fn the_known_part_of_higher_versions_is_read_and_sent_as_version_00() {
    for text in [
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
    ] {
        assert_eq!(passed_on(&headers([("traceparent", text)]), Trust::external())["traceparent"], PARENT, "{text}");
    }
}

#[test]
fn whitespace_around_the_value_is_ignored() {
    for text in [format!(" {PARENT}"), format!("\t{PARENT}"), format!("{PARENT} "), format!("\t {PARENT} \t")] {
        assert_eq!(passed_on(&headers([("traceparent", &text)]), Trust::external())["traceparent"], PARENT, "{text:?}");
    }
    for text in [format!("\u{a0}{PARENT}"), format!("{PARENT}\n"), format!("{PARENT}\r")] {
        assert!(!extract(&headers([("traceparent", &text)]), Trust::external()).is_continued(), "{text:?}");
    }
}

#[test]
fn unknown_flags_are_sent_as_zero_and_known_ones_unchanged() {
    for (came, goes) in
        [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03"), ("fc", "00"), ("09", "01")]
    {
        let text = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{came}");
        let out = &passed_on(&headers([("traceparent", &text)]), Trust::external())["traceparent"];
        assert_eq!(&out[53..], goes, "{came}");
        assert!(grammar::is_traceparent(out));
    }
}

#[test]
fn two_header_lines_are_invalid_even_if_they_are_equal() {
    let other = PARENT.replace("0af", "1af");
    for second in [PARENT, &other, "", "nonsense"] {
        let extracted = extract(&headers([("traceparent", PARENT), ("Traceparent", second)]), Trust::internal());
        assert_eq!((extracted.invalid(), extracted.is_continued()), (Some(Invalid::Repeated), false), "{second}");
    }
}

#[test]
fn names_are_found_regardless_of_case_and_no_others() {
    for (name, found) in [
        ("traceparent", true),
        ("TraceParent", true),
        ("TRACEPARENT", true),
        ("trace-parent", false),
        ("trace.parent", false),
    ] {
        assert_eq!(extract(&headers([(name, PARENT)]), Trust::external()).is_continued(), found, "{name}");
    }
}

#[test]
fn an_invalid_traceparent_drops_the_tracestate() {
    let out = passed_on(&headers([("traceparent", "nonsense"), ("tracestate", "a=1")]), Trust::internal());
    assert!(out.is_empty(), "{out:?}");
}

#[test]
fn flags_are_read_one_by_one_and_formatting_respects_padding() {
    for (flags, is_sampled, is_random) in [(0, false, false), (1, true, false), (2, false, true), (3, true, true)] {
        let parent = TraceParent::new([1; 16], [2; 8], flags).expect("its ids are valid");
        assert_eq!((parent.is_sampled(), parent.has_random_trace_id()), (is_sampled, is_random), "{flags}");
        let text = format!("00-{}-{}-0{flags}", "01".repeat(16), "02".repeat(8));
        assert_eq!(format!("{:>60}", parent.to_text()), format!("{text:>60}"));
    }
}
