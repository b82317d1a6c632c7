//! The attributes' expansions trigger no lint that `#[instrument]` does not trigger.
//!
//! Runs clippy alone, on one file and the compiled dependencies.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
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

/// Returns the newest compiled version of a crate next to this test.
fn compiled(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let begin = format!("lib{name}-");
    let files = fs::read_dir(&deps).unwrap().map(|entry| entry.unwrap().path());
    let versions = files.filter(|path| {
        let file = path.file_name().unwrap().to_string_lossy();
        file.starts_with(&begin) && file.ends_with(".rlib")
    });
    versions.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap()).expect("it is compiled")
}

/// Returns the triggered lints, each with its line.
fn lints(name: &str, attribute: &str) -> Option<BTreeSet<(u64, String)>> {
    let driver = Path::new(&std::env::var_os("CARGO").unwrap_or_default()).with_file_name("clippy-driver");
    if !driver.exists() {
        return None;
    }
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("restriction");
    fs::create_dir_all(&at).unwrap();
    let source = at.join(format!("{name}.rs"));
    fs::write(&source, source_text(attribute)).unwrap();
    let mut clippy = Command::new(driver);
    clippy.args(["--crate-type=lib", "--edition=2024", "--emit=metadata", "--error-format=json"]).arg(&source);
    clippy
        .args(["-Wclippy::all", "-Wclippy::pedantic", "-Wclippy::nursery", "-Wclippy::restriction", "--out-dir"])
        .arg(&at);
    for name in ["ctx_layer", "tracing"] {
        let path = compiled(name);
        clippy.arg("--extern").arg(format!("{name}={}", path.display()));
        clippy.arg(format!("-Ldependency={}", path.parent().unwrap().display()));
    }
    let output = clippy.env_remove("RUSTC_WRAPPER").output().expect("it can be run");
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
