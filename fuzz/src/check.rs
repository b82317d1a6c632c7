//! The readers of ctx-check: any file gives a report, and problems that have a place.

use ctx_check::{Check, Report, Settings};

fn judge(input: &[u8]) -> Report {
    let settings = Settings { require: vec!["tenant_id".to_owned()], ..Settings::default() };
    let mut check = Check::new(&settings).expect("the patterns are right");
    check.read("file", input);
    let report = check.finish().expect("little is kept in memory");
    for problem in &report.problems {
        assert!(problem.file == "file" && !problem.what.is_empty(), "{problem:?}");
    }
    assert!(report.summary.orphans + report.summary.excused_orphans <= report.summary.spans);
    report
}

/// The input is a file: OTLP, Jaeger, Zipkin or log lines. Writing its report does not fail, either.
pub fn json(input: &[u8]) {
    let report = judge(input);
    assert!(report.json().is_ok());
    assert_eq!(ctx_check::report::html(&report).matches("</script>").count(), 2);
}

/// The input is a message. With and without its length before it, the same is read.
pub fn protobuf(input: &[u8]) {
    let mut file = (input.len() as u32).to_be_bytes().to_vec();
    file.extend_from_slice(input);
    let prefixed = judge(&file).summary;
    let settings = Settings::default();
    let mut check = Check::new(&settings).expect("the patterns are right");
    check.read_message("file", input, 1);
    let message = check.finish().expect("little is kept in memory").summary;
    if input.first() == Some(&b'\n') {
        assert_eq!((prefixed.spans, prefixed.logs, prefixed.metrics), (message.spans, message.logs, message.metrics));
    }
}

/// The input is a compressed file, without its first bytes.
pub fn compressed(input: &[u8]) {
    for magic in [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd"] {
        judge(&[magic, input].concat());
    }
}

/// The input is a file of settings: they are right, or the error names the file.
pub fn settings(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Settings::parse("check.toml", text) {
        Ok(settings) => assert!(Check::new(&settings).is_ok()),
        Err(error) => assert!(error.to_string().starts_with("check.toml"), "{error}"),
    }
}
