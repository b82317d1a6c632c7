//! Compares the README and the guide with what they show: their programs are files that are compiled and run, word for word,
//! and print what the pages say.
//!
//! A comment in front of each fenced block says what the block is, so none can be left out:
//!
//! | comment | the block is |
//! |---|---|
//! | `<!-- program: readme -->` | the whole of `examples/readme.rs` |
//! | `<!-- stdout: readme -->`, `<!-- stderr: readme -->` | all that this program prints there |
//! | `<!-- example: before and after -->` | a line of the first program, without and with context fields |
//! | `<!-- commands -->` | commands that CI runs too |
//! | `<!-- versions -->` | dependencies, in the versions that the workspace is tested with |

use std::{collections::BTreeMap, path::Path, process::Command};

const README: &str = include_str!("../../README.md");
const GUIDE: &str = include_str!("../../docs/guide.md");
const CI: &str = include_str!("../../.ci/run");
const WORKSPACE: &str = include_str!("../../Cargo.toml");

struct Program {
    name: &'static str,
    source: &'static str,
    executable: &'static str,
}

macro_rules! programs {
    ($($name:literal),*) => {
        [$(Program {
            name: $name,
            source: include_str!(concat!("../../examples/", $name, ".rs")),
            executable: env!(concat!("CARGO_BIN_EXE_", $name)),
        }),*]
    };
}

const PROGRAMS: [Program; 5] =
    programs!["readme", "guide_quick", "guide_fields", "guide_opentelemetry", "guide_observability"];

/// The most words that a README has.
const MOST_WORDS: usize = 700;

/// A fenced block with the comment in front of it.
#[derive(Debug)]
struct Block {
    marker: String,
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut before = "";
    let mut lines = README.lines().chain(GUIDE.lines());
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let marker = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
            let marker = marker.unwrap_or_else(|| panic!("no comment in front of the block under {before:?}"));
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { marker: marker.to_owned(), language: language.to_owned(), text });
        }
        if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

/// Returns the contents of the blocks with a marker of this kind, by the name in the marker.
fn marked(kind: &str) -> BTreeMap<String, String> {
    let of_kind = blocks().into_iter().filter_map(|block| {
        let name = block.marker.strip_prefix(kind)?.trim_start_matches(": ").to_owned();
        Some((name, block.text))
    });
    of_kind.collect()
}

/// Replaces trace and span ids, which are random, by their length.
fn without_ids(text: &str) -> String {
    ["\"trace_id\":\"", "\"span_id\":\""].iter().fold(text.to_owned(), |text, key| {
        let mut parts = text.split(key);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let digits = part.chars().take_while(|c| matches!(c, '0'..='9' | 'a'..='f')).count();
            format!("{text}{key}<{digits} digits>{}", &part[digits..])
        })
    })
}

#[test]
fn every_block_has_a_checked_kind_and_its_language() {
    let blocks = blocks();
    for block in &blocks {
        let languages: &[&str] = match block.marker.split(':').next().unwrap() {
            "program" => &["rust"],
            "stdout" | "stderr" => &["text", "json"],
            "example" => &["json"],
            "commands" => &["sh"],
            "versions" => &["toml"],
            _ => panic!("nothing checks {block:?}"),
        };
        assert!(languages.contains(&block.language.as_str()), "{block:?}");
    }
    let mut markers: Vec<_> = blocks.iter().map(|block| &block.marker).collect();
    markers.sort();
    markers.dedup();
    assert_eq!(markers.len(), blocks.len(), "two blocks are marked alike: {markers:?}");
}

#[test]
fn every_program_in_the_readme_is_the_file_that_is_run() {
    let mut shown = marked("program");
    for program in &PROGRAMS {
        let shown = shown.remove(program.name).unwrap_or_else(|| panic!("{} is not shown", program.name));
        assert_eq!(shown, program.source, "README.md and examples/{}.rs differ", program.name);
    }
    assert!(shown.is_empty(), "not run: {:?}", shown.keys());
}

#[test]
fn every_program_prints_exactly_what_the_readme_shows() {
    let (mut stdout, mut stderr) = (marked("stdout"), marked("stderr"));
    for program in &PROGRAMS {
        // On a terminal the lines are coloured.
        let output = Command::new(program.executable).env("NO_COLOR", "1").output().expect("it can be run");
        assert!(output.status.success(), "{}: {output:?}", program.name);
        for (name, printed, shown) in [("stdout", output.stdout, &mut stdout), ("stderr", output.stderr, &mut stderr)] {
            let printed = String::from_utf8(printed).expect("outputs write UTF-8");
            let shown = shown.remove(program.name).unwrap_or_default();
            assert_eq!(without_ids(&printed), without_ids(&shown), "{} of {}: {printed}", name, program.name);
        }
    }
    assert!(stdout.is_empty() && stderr.is_empty(), "printed by no program: {stdout:?} {stderr:?}");
}

#[test]
fn the_line_before_and_after_is_one_of_the_readme_s_program() {
    let example = marked("example").remove("before and after").expect("there is a block of two lines");
    let [before, after] = example.lines().collect::<Vec<_>>()[..] else { panic!("not two lines: {example}") };
    let printed = marked("stdout").remove("readme").expect("there is a block");
    assert!(printed.lines().any(|line| line == after), "not printed: {after}");
    let without = after.split(",\"tenant_id\"").next().map(|line| format!("{line}}}"));
    assert_eq!(without.as_deref(), Some(before));
}

#[test]
fn the_readme_is_read_in_a_minute() {
    let words = README.split_whitespace().count();
    assert!(words <= MOST_WORDS, "{words} words");
}

#[test]
fn random_ids_are_compared_by_length_only() {
    let line = |id: &str| without_ids(&format!("{{\"trace_id\":\"{id}\",\"span_id\":\"0a\",\"x\":\"0a\"}}"));
    assert_eq!(line("12ef"), "{\"trace_id\":\"<4 digits>\",\"span_id\":\"<2 digits>\",\"x\":\"0a\"}");
    assert_eq!(line("12ef"), line("00ff"));
    assert_ne!(line("12ef"), line("12e"));
    assert_ne!(line("12ef"), line("tenant"));
}

#[test]
fn every_command_of_the_readme_is_run_by_ci() {
    let commands = marked("commands").remove("").expect("there is a block of commands");
    assert_eq!(commands.lines().count(), 2, "{commands}");
    for command in commands.lines() {
        assert!(CI.contains(command), "{command:?} is not in .ci/run");
    }
}

/// The version that the workspace has of a dependency.
fn version_of(name: &str) -> &'static str {
    let line = WORKSPACE.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap_or_else(|| {
        panic!("{name} is no dependency of the workspace");
    });
    let version = if line.contains('{') { line.split("version = ").nth(1) } else { line.split(" = ").nth(1) };
    version.and_then(|version| version.split('"').nth(1)).expect("each dependency has a version")
}

#[test]
fn the_versions_in_the_readme_are_those_of_the_workspace() {
    let versions = marked("versions").remove("").expect("there is a block of dependencies");
    let mut count = 0;
    for line in versions.lines().filter(|line| line.contains('=')) {
        let (name, value) = line.split_once(" = ").unwrap();
        let shown = value.split("version = ").last().and_then(|value| value.split('"').nth(1)).unwrap();
        let ours = version_of(name);
        assert!(ours == shown || ours.starts_with(&format!("{shown}.")), "{name} is {shown} there and {ours} here");
        count += 1;
    }
    assert!(count > 3, "{versions}");
    let msrv = WORKSPACE.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(README.contains(&format!("Rust {msrv} ")), "the README does not name Rust {msrv}");
    let version = WORKSPACE.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    assert_eq!(version_of("ctx-layer"), version);
}

#[test]
fn the_readmes_dependencies_cover_the_crates_of_its_programs() {
    let dependencies = marked("versions").remove("").expect("there is a block of dependencies");
    for program in PROGRAMS.iter().filter(|program| program.name == "readme") {
        let lines = program.source.lines().map(str::trim_start);
        let imports = lines.clone().filter_map(|line| line.strip_prefix("use "));
        let attributes = lines.filter_map(|line| line.strip_prefix("#["));
        for path in imports.chain(attributes).filter(|path| path.contains("::") && !path.starts_with("std::")) {
            let name = path.split("::").next().unwrap_or_default();
            let mut known = dependencies.lines().filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_")));
            assert!(known.any(|known| known == name), "{} needs {name}", program.name);
        }
    }
}

#[test]
fn every_feature_is_named_in_the_readme_and_in_the_documentation() {
    let manifest = include_str!("../../ctx-layer/Cargo.toml");
    let library = include_str!("../../ctx-layer/src/lib.rs");
    let features = manifest.split("[features]\n").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let names =
        features.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).filter(|line| !line.starts_with('#'));
    // One that begins with `_` is private.
    let names: Vec<_> = names.filter(|name| *name != "default" && !name.starts_with('_')).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let name = format!("`{name}`");
        assert!(README.contains(&name), "{name} is not in the README");
        assert!(library.contains(&name), "{name} is not in the documentation of the crate");
    }
}

#[test]
fn every_file_that_the_readme_links_to_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let links: Vec<_> = README.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        // The test `docs` checks the headings.
        let file = link.split('#').next().unwrap_or_default();
        assert!(root.join(file).exists(), "{link} does not exist");
    }
}
