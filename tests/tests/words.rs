//! Everything that is written in this repository is plain: no word that a reader has to look up, no first sentence of a doc
//! comment that is a riddle, no test name that is longer than a line.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex_lite::Regex;

/// What is not written, and what is written in its place.
const WORDS: &[(&str, &str)] = &[
    (r"in force", "current, applies"),
    (r"(stand|stands|standing|stood) (on|in)\b", "is on, is in, appears on"),
    (r"puts? \w+ on\b|lays? over", "adds to, overlays"),
    (r"texts", "strings"),
    (r"truths?", "boolean"),
    (
        r"whoever|who asks|nobody wants|who (has|wants|reads|calls|sees|had|waits|sends|is)\b",
        "the caller; names the subject",
    ),
    (r"strangers?", "external caller, untrusted caller"),
    (r"one's own|of our own|of its make|of another make", "internal, trusted"),
    (r"(is|are|was|were) believed", "is trusted"),
    (r"(is|are|was|were) told|told", "is configured"),
    (r"want a word|by one word", "need one call"),
    (r"late", "recorded on an open span"),
    (r"carr(y|ies|ied) over|taken along|take along", "propagate between processes, carry inside one"),
    (r"(is|are|was|were) made", "is created, consists of"),
    (r"mistakes?", "errors"),
    (r"no value at all", "is ignored"),
];

/// How the first sentence of a doc comment does not begin.
const OPENINGS: &str = r"^(What|Who|Where|Whoever|Whether|Of|That|So|The same)\b";

const LONGEST_TEST_NAME: usize = 70;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// The files of the repository that people read.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                let is_skipped = ["target", ".git", "node_modules", "proptest-regressions", "mutants.out"];
                if !is_skipped.iter().any(|skipped| name.starts_with(skipped)) {
                    folders.push(path);
                }
            } else if is_read(&path) && !path.ends_with(file!()) && !path.ends_with("tests/words.rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn is_read(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    ["rs", "md", "toml", "sh", "stderr", "py", "js", "example"].contains(&extension.as_str())
        || path.ends_with(".ci/run")
}

fn place(path: &Path, line: usize) -> String {
    format!("{}:{}", path.strip_prefix(root()).unwrap_or(path).display(), line + 1)
}

fn assert_none(hits: &[String], rule: &str) {
    assert!(hits.is_empty(), "{rule}\n{}\n{} in all", hits.join("\n"), hits.len());
}

#[test]
fn every_word_is_one_of_the_field() {
    let words: Vec<(Regex, &str)> = WORDS
        .iter()
        .map(|(word, instead)| (Regex::new(&format!(r"(?i)\b(?:{word})\b")).expect("it is a pattern"), *instead))
        .collect();
    let mut hits = Vec::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            // A name in the code is split at its underscores.
            let line = line.replace('_', " ");
            for (word, instead) in &words {
                if let Some(found) = word.find(&line) {
                    hits.push(format!("{}: `{}`: write: {instead}", place(&path, at), found.as_str()));
                }
            }
        }
    }
    assert_none(&hits, "words that a reader has to look up:");
}

#[test]
fn doc_comments_begin_with_a_verb_or_a_noun() {
    let opening = Regex::new(OPENINGS).expect("it is a pattern");
    let mut hits = Vec::new();
    for path in files().iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let Ok(text) = fs::read_to_string(path) else { continue };
        let mut is_inside = false;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            if let Some(first) = comment.filter(|_| !is_inside)
                && opening.is_match(first.trim_start())
            {
                hits.push(format!("{}: {}", place(path, at), first.trim_start()));
            }
            is_inside = comment.is_some();
        }
    }
    assert_none(&hits, "doc comments begin with a verb and its object, or say what a type is:");
}

#[test]
fn test_names_are_at_most_a_line_long() {
    let mut hits = Vec::new();
    for path in files().iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let Ok(text) = fs::read_to_string(path) else { continue };
        let mut is_test = false;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")) {
                let name = rest.split(['(', '<']).next().unwrap_or_default();
                if is_test && name.len() > LONGEST_TEST_NAME {
                    hits.push(format!("{}: {} characters: {name}", place(path, at), name.len()));
                }
                is_test = false;
            }
        }
    }
    assert_none(&hits, "names of tests are sentences of at most 70 characters:");
}
