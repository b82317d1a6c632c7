//! The attributes' expansions trigger no lint that `#[instrument]` does not trigger.
//!
//! Runs clippy alone, on one file and the compiled dependencies.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Functions of every kind, some as the lints require and some not. The attribute is on a line of its own.
const FUNCTIONS: &str = r#"
ATTRIBUTE
pub fn add(a: u8, b: u8) -> u8 { return a.saturating_add(b); }
ATTRIBUTE
pub fn add_implicitly(a: u8, b: u8) -> u8 { a.saturating_add(b) }
ATTRIBUTE
pub fn unit() {}
ATTRIBUTE
pub fn unit_that_returns(a: u8) { if a > 1 { return; } }
ATTRIBUTE
pub async fn unit_later() {}
ATTRIBUTE
pub async fn length(text: &str) -> usize { return text.len(); }
ATTRIBUTE
pub async fn length_implicitly(text: &str) -> usize { text.len() }
ATTRIBUTE
pub fn fails(a: u8) -> Result<u8, std::num::TryFromIntError> { let b = i8::try_from(a)?; return Ok(b.unsigned_abs()); }
ATTRIBUTE
pub async fn fails_later(a: u8) -> Result<u8, String> { let b = i8::try_from(a).map_err(|error| return error.to_string())?; return Ok(b.unsigned_abs()); }
ATTRIBUTE
pub fn optional(a: Option<u8>) -> Option<u8> { let b = a?; return b.checked_add(1); }
ATTRIBUTE
pub fn borrows<'a>(a: &'a str, _unused: &[u8]) -> &'a str { return a.trim(); }
ATTRIBUTE
pub fn generic<T: core::fmt::Debug, const N: usize>(items: [T; N]) -> impl Iterator<Item = T> { return items.into_iter(); }
ATTRIBUTE
pub fn made(a: u8) -> impl Future<Output = u8> { return core::future::ready(a); }
ATTRIBUTE
pub fn block(a: u8) -> impl Future<Output = u8> { async move { return a; } }
ATTRIBUTE
pub fn boxed(a: u8) -> core::pin::Pin<Box<dyn Future<Output = u8> + Send>> { Box::pin(async move { return a; }) }
OURS
pub fn never() -> ! { loop { core::hint::spin_loop(); } }
ATTRIBUTE
pub fn patterns((a, b): (u8, u8), mut c: Vec<u8>) -> Vec<u8> { c.push(a); c.push(b); return c; }
ATTRIBUTE
pub fn shadows(a: u8) -> u8 { let a = a.wrapping_add(1); return a; }
ATTRIBUTE
pub async fn shadows_later(a: u8) -> u8 { let a = a.wrapping_add(1); return a; }
pub struct Own(u8);
impl Own {
ATTRIBUTE
pub fn get(&self) -> u8 { return self.0; }
ATTRIBUTE
pub async fn set(&mut self, to: u8) -> &mut Self { self.0 = to; return self; }
ATTRIBUTE
pub fn into_inner(self) -> u8 { return self.0; }
}
impl core::fmt::Debug for Own { fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { return f.write_str("own"); } }
"#;

fn source_text(attribute: &str) -> String {
    let lines: Vec<_> = FUNCTIONS.lines().collect();
    let next = |at: usize| lines.get(at + 1).copied().unwrap_or_default();
    let with = |at: usize, line: &str| match line {
        // `#[instrument]` cannot be on a function that never returns.
        "OURS" if attribute.contains("instrument]") => String::new(),
        // `#[propagate]` without arguments does nothing on a synchronous function.
        "ATTRIBUTE" | "OURS" if !next(at).contains("async") && !next(at).contains("Future") => {
            attribute.replace("propagate]", "propagate(isolated)]")
        }
        "ATTRIBUTE" | "OURS" => attribute.to_owned(),
        line => line.to_owned(),
    };
    lines.iter().enumerate().map(|(at, line)| with(at, line) + "\n").collect()
}

/// Returns the compiled versions of a crate next to this test, the newest first.
fn compiled(name: &str) -> Vec<PathBuf> {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let begin = format!("lib{name}-");
    let files = fs::read_dir(&deps).unwrap().map(|entry| entry.unwrap().path());
    let mut versions: Vec<_> = files
        .filter(|path| {
            let file = path.file_name().unwrap().to_string_lossy();
            file.starts_with(&begin) && file.ends_with(".rlib")
        })
        .collect();
    versions.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().modified().unwrap()));
    versions
}

/// Uses both crates, with the features that the functions need.
const BOTH_CRATES: &str = "
    #[tracing::instrument]
    pub fn instrumented() {}
    #[ctx_layer::with_observability]
    pub fn observed() {}
";

/// Returns the compiled crates that fit together.
///
/// A package that was built alone, with fewer features, left versions of its own in the same folder, and they may be newer.
fn dependencies(driver: &Path) -> &'static [(&'static str, PathBuf)] {
    static FOUND: OnceLock<Vec<(&str, PathBuf)>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let ours = compiled("ctx_layer");
        let theirs = compiled("tracing");
        let pairs = ours.iter().flat_map(|ours| theirs.iter().map(move |theirs| (ours, theirs)));
        let mut pairs = pairs.map(|(ours, theirs)| vec![("ctx_layer", ours.clone()), ("tracing", theirs.clone())]);
        let probe = folder().join("probe.rs");
        fs::write(&probe, BOTH_CRATES).unwrap();
        pairs.find(|pair| compiler(driver, &probe, pair).output().unwrap().status.success()).expect("they are compiled")
    })
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("restriction");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Returns a command that compiles one file with these crates.
fn compiler(driver: &Path, source: &Path, crates: &[(&str, PathBuf)]) -> Command {
    let mut compiler = Command::new(driver);
    compiler.args(["--crate-type=lib", "--edition=2024", "--emit=metadata", "--error-format=json"]).arg(source);
    compiler.arg("--out-dir").arg(folder()).env_remove("RUSTC_WRAPPER");
    for (name, path) in crates {
        compiler.arg("--extern").arg(format!("{name}={}", path.display()));
        compiler.arg(format!("-Ldependency={}", path.parent().unwrap().display()));
    }
    compiler
}

/// Returns the triggered lints, each with its line.
fn lints(name: &str, attribute: &str) -> Option<BTreeSet<(u64, String)>> {
    let driver = Path::new(&std::env::var_os("CARGO").unwrap_or_default()).with_file_name("clippy-driver");
    if !driver.exists() {
        return None;
    }
    let source = folder().join(format!("{name}.rs"));
    fs::write(&source, source_text(attribute)).unwrap();
    let mut clippy = compiler(&driver, &source, dependencies(&driver));
    clippy.args(["-Wclippy::all", "-Wclippy::pedantic", "-Wclippy::nursery", "-Wclippy::restriction"]);
    let output = clippy.output().expect("it can be run");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let found = messages.filter_map(|message| {
        let lint = message["code"]["code"].as_str()?.to_owned();
        let spans = message["spans"].as_array()?;
        let span = spans.iter().find(|span| span["is_primary"] == true)?;
        // A lint at the attribute counts for the function.
        let mut line = span["line_start"].as_u64()?;
        if FUNCTIONS
            .lines()
            .nth(usize::try_from(line).unwrap() - 1)
            .is_some_and(|line| ["ATTRIBUTE", "OURS"].contains(&line))
        {
            line += 1;
        }
        Some((line, lint))
    });
    Some(found.collect())
}

#[test]
fn no_lint_is_triggered_that_instrument_does_not_trigger() {
    let Some(theirs) = lints("instrument", "#[tracing::instrument]") else {
        eprintln!("clippy is not installed here: nothing was tested");
        return;
    };
    let plain = lints("plain", "").unwrap();
    assert!(plain.len() > 20, "{plain:?}");
    let mut all = Vec::new();
    for (name, attribute) in [
        ("with_observability", "#[ctx_layer::with_observability]"),
        (
            "without_events",
            "#[ctx_layer::with_observability(log_args = false, log_result = false, log_errors = false)]",
        ),
        ("like_instrument", "#[ctx_layer::with_observability(attributes_from_args = all, ret, err)]"),
        ("propagate", "#[ctx_layer::propagate]"),
        ("both", "#[ctx_layer::with_observability] #[ctx_layer::propagate]"),
    ] {
        let ours = lints(name, attribute).unwrap();
        let more = ours.difference(&theirs).filter(|lint| !plain.contains(lint));
        all.extend(more.map(|(line, lint)| {
            let function = FUNCTIONS.lines().nth(usize::try_from(*line).unwrap() - 1).unwrap_or_default();
            format!("{name}: {lint} on `{function}`")
        }));
    }
    assert!(all.is_empty(), "{all:#?}");
}
