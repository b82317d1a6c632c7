//! Checks `docs/semantics.md`: its examples are tests, word for word, and the tests that it names exist.
//!
//! A comment in front of each code block names the function of `semantics.rs` whose body it shows: `<!-- example: name
//! -->`, or which it shows whole: `<!-- helper: name -->`.

mod semantics;

use std::{collections::BTreeSet, fs, path::Path};

const README: &str = include_str!("../../../README.md");
const PAGE: &str = include_str!("../../../docs/semantics.md");
const EXAMPLES: &str = include_str!("semantics.rs");

/// A code block, and the comment in front of it.
struct Block<'a> {
    kind: &'a str,
    name: &'a str,
    text: String,
}

fn blocks() -> Vec<Block<'static>> {
    let mut blocks = Vec::new();
    let (mut before, mut lines) = ("", PAGE.lines());
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            assert_eq!(line, "```rust", "under {before:?}");
            let marker = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
            let (kind, name) = marker.and_then(|marker| marker.split_once(": ")).unwrap_or_else(|| {
                panic!("no comment in front of the block under {before:?}");
            });
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { kind, name, text });
        }
        if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

/// Returns the lines of a function, from its name to its end.
fn function(name: &str) -> String {
    let begins = |line: &&str| line.contains(&format!("fn {name}("));
    let mut lines = EXAMPLES.lines().skip_while(|line| !begins(line)).peekable();
    assert!(lines.peek().is_some(), "there is no function `{name}` in semantics.rs");
    let inside = lines.by_ref().take_while(|line| *line != "}").map(|line| format!("{line}\n"));
    inside.collect::<String>() + "}\n"
}

/// Returns the statements of a test, without the one that installs the subscriber.
fn body(name: &str) -> String {
    let function = function(name);
    let lines = function.lines().skip(1).filter(|line| !matches!(*line, "}" | "    let _stack = stack();"));
    lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect()
}

/// Returns the links of the page: their labels and targets.
fn links() -> Vec<(&'static str, &'static str)> {
    let links = PAGE.match_indices("](").filter_map(|(at, _)| {
        let text = PAGE[..at].rsplit('[').next()?;
        Some((text, PAGE[at + 2..].split(')').next()?))
    });
    links.collect()
}

#[test]
fn every_example_is_a_test_word_for_word() {
    for Block { kind, name, text } in blocks() {
        match kind {
            "example" => assert_eq!(text, body(name), "docs/semantics.md and semantics.rs differ in `{name}`"),
            "helper" => assert_eq!(text, function(name), "docs/semantics.md and semantics.rs differ in `{name}`"),
            _ => panic!("nothing checks a block of the kind {kind:?}"),
        }
    }
}

#[test]
fn every_test_of_the_examples_is_shown_once() {
    let mut shown: Vec<_> = blocks().iter().map(|block| block.name).collect();
    shown.sort_unstable();
    let functions = EXAMPLES.lines().filter_map(|line| line.split_once("fn ")?.1.split_once('(')).map(|(name, _)| name);
    let mut functions: Vec<_> = functions.filter(|name| *name != "stack").collect();
    functions.sort_unstable();
    assert_eq!(shown, functions);
}

#[test]
fn every_named_test_exists_in_the_linked_file() {
    let mut named = BTreeSet::new();
    for (text, target) in links() {
        let Some(name) = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) else { continue };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(target);
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{target}: {error}"));
        let mut tests = source.split("#[test]\n").chain(source.split("#[tokio::test]\n")).map(str::trim_start);
        let is_test = |text: &str| text.trim_start_matches("async ").starts_with(&format!("fn {name}("));
        assert!(tests.any(is_test), "{target} has no test `{name}`");
        named.insert(name);
    }
    assert!(named.len() > 30, "{named:?}");
}

#[test]
fn every_rule_has_an_example_and_a_proof() {
    let sections: Vec<_> = PAGE.split("\n### ").skip(1).collect();
    let numbers: Vec<_> =
        sections.iter().filter_map(|section| section.split_once(". ")?.0.parse::<u32>().ok()).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    for section in sections {
        assert!(section.contains("<!-- example: "), "no example: {section}");
        assert_eq!(section.matches("\nProved by [`").count(), 1, "no test is named: {section}");
    }
}

#[test]
fn every_link_has_a_target() {
    let here = links().into_iter().map(|(_, target)| target);
    let from_readme = README.split("](docs/semantics.md").skip(1).filter_map(|rest| rest.split(')').next());
    let targets: Vec<_> = here.chain(from_readme.filter(|target| !target.is_empty())).collect();
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.replace(|char: char| !char.is_alphanumeric() && char != '-', "")
    };
    let anchors: BTreeSet<_> = headings.map(anchor).collect();
    for target in targets {
        match target.strip_prefix('#') {
            Some(target) => assert!(anchors.contains(target), "no heading {target}: {anchors:?}"),
            None => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(target);
                assert!(path.exists(), "{target} does not exist");
            }
        }
    }
}
