//! Compressed files.

use crate::{
    reading::{assert_read, gzip, system, zstd},
    scenario::judge,
};

#[test]
fn compressed_files_are_read_with_all_their_members() {
    let system = system();
    let spans = system.spans.len() as u64;
    let lines = system.lines();
    let (first, second) = lines.split_at(lines.len() / 2);
    let (first, second) = (first.join("\n") + "\n", second.join("\n"));
    for compress in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let mut file = compress(first.as_bytes());
        file.extend(compress(second.as_bytes()));
        assert_read(&judge(&file, ""), spans);
    }
    // What comes before a cut is read.
    let mut cut = gzip(first.as_bytes());
    cut.extend(&gzip(second.as_bytes())[..20]);
    let report = judge(&cut, "");
    assert!(report.summary.spans >= lines.len() as u64 / 2 && report.problems.len() == 1, "{:?}", report.problems);
    assert!(report.problems[0].what.starts_with("the file ends here"), "{:?}", report.problems);
}
