//! `clippy.toml.example` makes a bare `tokio::spawn` a warning. Runs clippy on a small crate, beside a crate that has tokio's
//! name and nothing else, so that nothing is downloaded or compiled for long.

use std::{fs, path::Path, process::Command};

fn write(at: &Path, text: &str) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, text).unwrap();
}

#[test]
fn a_bare_spawn_is_a_warning_under_the_lines_that_the_documentation_gives() {
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clippy");
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{more}")
    };
    let lines = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ctx-layer/clippy.toml.example"));
    write(&at.join("clippy.toml"), &lines.unwrap());
    write(&at.join("tokio/Cargo.toml"), &package("tokio", ""));
    write(&at.join("tokio/src/lib.rs"), "pub fn spawn() {}\npub fn other() {}\n");
    write(&at.join("Cargo.toml"), &package("bare", "[dependencies]\ntokio = { path = \"tokio\" }\n[workspace]\n"));
    let program = "fn main() {\n    tokio::spawn();\n    tokio::other();\n    drop(std::thread::spawn(|| ()));\n    \
                   std::thread::scope(|scope| drop(scope.spawn(|| ())));\n}\n";
    write(&at.join("src/main.rs"), program);

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut clippy = Command::new(cargo);
    clippy.args(["clippy", "--offline", "--quiet"]).current_dir(&at).env("CARGO_TARGET_DIR", at.join("target"));
    clippy.env_remove("RUSTFLAGS").env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER");
    let output = clippy.output().expect("cargo can be run");
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("no such command: `clippy`") || text.contains("is not installed") {
        eprintln!("clippy is not installed here: nothing was tested");
        return;
    }
    let warnings: Vec<_> = text.lines().filter(|line| line.starts_with("warning: use of a disallowed")).collect();
    let expected = ["tokio::spawn", "std::thread::spawn", "std::thread::Scope::spawn"]
        .map(|it| format!("warning: use of a disallowed method `{it}`"));
    assert_eq!(warnings, expected, "{text}");
    assert!(text.contains("ctx_layer::task::spawn"), "it says what to write instead: {text}");
}
