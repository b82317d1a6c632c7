//! Faults of the input, which cost only themselves.

use prost::Message;

use crate::{
    reading::{EXPECTED, gzip, messages, prefixed, system, zstd},
    scenario::{found, judge},
};

#[test]
fn one_bad_span_costs_only_itself_and_is_named() {
    let system = system();
    let spans = system.spans.len() as u64;
    let mut lines = system.lines();
    let span = &system.spans[0];
    let good = span.json().to_string();
    for (bad, what) in [
        (
            good.replace(&format!("\"{:016x}\"", span.id), "\"xyz\""),
            "found the id \"xyz\", expected 16 hexadecimal digits",
        ),
        (good.replace("\"traceId\"", "\"other\""), "the span has no `traceId`"),
        (good.replace("\"kind\":2", "\"kind\":\"X\""), "found \"X\", expected the number of an enum"),
        (
            good.replace("\"startTimeUnixNano\":\"1", "\"startTimeUnixNano\":\"-1"),
            "expected an unsigned integer of 64 bits",
        ),
        (good.replace("\"attributes\":[", "\"attributes\":[5,"), "found '5', expected an object"),
    ] {
        assert_ne!(bad, good);
        // Two good spans are around the bad one, on the second line.
        let mut line = lines[1].clone();
        let inner = system.spans[1].json().to_string();
        line = line.replace(&inner, &format!("{inner},{bad},{good}"));
        let saved = std::mem::replace(&mut lines[1], line);
        let report = judge(lines.join("\n"), "");
        assert_eq!(report.summary.spans, spans);
        assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        let problem = &report.problems[0];
        assert_eq!((&*problem.file, problem.line), ("file", 2));
        assert!(problem.what.contains(what) && problem.column > 1, "{problem:?}");
        lines[1] = saved;
    }
}

#[test]
fn bad_lines_cost_only_themselves_and_are_named() {
    let system = system();
    let spans = system.spans.len() as u64;
    let mut lines = system.lines();
    lines.insert(2, "not JSON".to_owned());
    lines.insert(5, lines[4][..lines[4].len() - 30].to_owned());
    lines.insert(7, "{\"resourceSpans\":5}".to_owned());
    lines.push(lines[0][..60].to_owned());
    let report = judge(lines.join("\n"), "");
    assert_eq!((report.summary.spans, found(&report)), (spans, EXPECTED.map(str::to_owned).to_vec()));
    assert_eq!(report.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3, 6, 8, lines.len() as u32]);
    assert!(report.problems[0].what.contains("not JSON"), "{:?}", report.problems);
    assert!(report.problems[1].what.contains("it was cut"), "{:?}", report.problems);
}

#[test]
fn the_line_of_a_fault_in_an_indented_document_is_right() {
    let file = "{\n  \"resourceSpans\": [\n    {\n      \"scopeSpans\": [{ \"spans\": [\n        { \"traceId\": \"zz\" }\n      ] }]\n    }\n  ]\n}\n";
    let report = judge(file, "");
    let problem = &report.problems[0];
    assert_eq!((problem.line, problem.column), (5, 22), "{problem:?}");
}

#[test]
fn bytes_that_are_not_utf_8_cost_only_themselves() {
    let system = system();
    let mut file = system.lines().join("\n").into_bytes();
    let at = file.windows(5).position(|window| window == b"GET /").expect("there is one");
    file[at] = 0xff;
    let report = judge(&file, "");
    assert_eq!((report.summary.spans, report.problems.len()), (system.spans.len() as u64, 1));
    assert_eq!(report.problems[0].line, 1);
}

#[test]
fn lines_and_documents_over_the_limit_are_skipped() {
    let system = system();
    let mut lines = system.lines();
    lines.insert(1, format!("{{\"long\":\"{}\"}}", "x".repeat(3 << 20)));
    let report = judge(lines.join("\n"), "[limits]\ndocument = 1");
    assert_eq!(report.summary.spans, system.spans.len() as u64);
    assert_eq!((report.problems.len(), report.problems[0].line), (1, 2), "{:?}", report.problems);
    let report = judge(format!("{{\n\"long\":\"{}\"}}", "x".repeat(3 << 20)), "[limits]\ndocument = 1");
    assert!(report.problems[0].what.contains("jq -c"), "{:?}", report.problems);
}

#[test]
fn any_cut_of_a_file_is_read_up_to_the_cut() {
    let system = system();
    let json = system.lines().join("\n").into_bytes();
    let messages: Vec<Vec<u8>> = messages(&system).iter().map(Message::encode_to_vec).collect();
    for file in
        [json.clone(), prefixed(messages.iter().map(Vec::as_slice)), messages.concat(), gzip(&json), zstd(&json)]
    {
        let mut before = 0;
        for end in (0..file.len()).step_by(97) {
            let report = judge(&file[..end], "");
            let read = report.summary.spans + report.summary.repeated_spans;
            assert!(read >= before || read + 1 >= before, "{read} {before}");
            before = read;
        }
    }
}

#[test]
fn an_object_of_another_kind_is_no_log_line() {
    for object in [r#"{"name":"a package","version":"1.0.0"}"#, r#"{"trace":{"id":"1"}}"#, r#"{"result":{"a":[]}}"#] {
        let report = judge(object, "");
        assert_eq!((report.summary.logs, report.problems.len()), (0, 1), "{object}");
        assert!(report.problems[0].what.contains("no log line"), "{}", report.problems[0].what);
    }
}
