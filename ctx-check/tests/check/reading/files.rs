//! Files, folders and memory.

use ctx_check::{Check, Report, Settings};

use crate::{
    reading::{assert_read, gzip, system},
    scenario::{SERVER, judge},
};

#[test]
fn directories_and_files_are_read_in_order() {
    let folder = tempfile::tempdir().expect("there is room");
    let system = system();
    let lines = system.lines();
    std::fs::create_dir(folder.path().join("b")).expect("there is room");
    std::fs::write(folder.path().join("b/2.jsonl.gz"), gzip(lines[3..].join("\n").as_bytes())).expect("there is room");
    std::fs::write(folder.path().join("a.jsonl"), lines[..3].join("\n")).expect("there is room");
    std::fs::write(folder.path().join(".hidden"), "no").expect("there is room");
    let files = ctx_check::reader::inputs(&[folder.path().to_owned()]).expect("it can be listed");
    let names: Vec<String> =
        files.iter().map(|file| file.name().replace(&folder.path().display().to_string(), "")).collect();
    assert_eq!(names, ["/a.jsonl", "/b/2.jsonl.gz"]);
    let settings = Settings::default();
    let mut check = Check::new(&settings).expect("the settings are right");
    for file in &files {
        check.read(&file.name(), file.open().expect("it exists"));
    }
    let report = check.finish().expect("there is room");
    assert_read(&report, system.spans.len() as u64);
    assert_eq!(report.summary.files, 2);
    assert!(
        ctx_check::reader::inputs(&[folder.path().join("none")]).is_err_and(|error| error.to_string().contains("none"))
    );
}

#[test]
fn the_verdict_is_the_same_with_little_memory() {
    let mut system = system();
    for _ in 0..2000 {
        let web = system.add(None, "web", "GET /", SERVER);
        system.reach(web, "orders");
    }
    let file = system.lines().join("\n");
    let report = judge(&file, "");
    let spilled = judge(&file, "[limits]\nmemory = 1");
    assert!(spilled.summary.spilled_bytes > 0 && report.summary.spilled_bytes == 0);
    let json = |mut report: Report| {
        report.summary.spilled_bytes = 0;
        report.json().expect("it is JSON")
    };
    assert_eq!(json(report), json(spilled));
}
