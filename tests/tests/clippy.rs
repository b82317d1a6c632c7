//! `clippy.toml.example` makes a bare `tokio::spawn` and a guard that is held across `.await` warnings. Runs clippy on
//! a small crate, next to stub crates with the names of tokio and of this crate, so that it compiles quickly.

use std::{fs, path::Path, process::Command};

fn write(at: &Path, text: &str) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, text).unwrap();
}

#[test]
fn the_documented_clippy_lines_make_a_bare_spawn_a_warning() {
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clippy");
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{more}")
    };
    let lines = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ctx-layer/clippy.toml.example"));
    write(&at.join("clippy.toml"), &lines.unwrap());
    write(&at.join("tokio/Cargo.toml"), &package("tokio", ""));
    write(&at.join("tokio/src/lib.rs"), "pub fn spawn() {}\npub fn other() {}\n");
    write(&at.join("ctx_layer/Cargo.toml"), &package("ctx_layer", ""));
    // Our items are in private modules as well, and have destructors.
    let guard = |name| format!("pub struct {name};\nimpl Drop for {name} {{\n    fn drop(&mut self) {{}}\n}}\n");
    let [fields, extracted, snapshot] = ["FieldsGuard", "ExtractedGuard", "SnapshotGuard"].map(guard);
    let ours = format!(
        "mod scope {{\n{fields}}}\npub use scope::FieldsGuard;\npub mod propagation {{\n{extracted}}}\npub mod task {{\n{snapshot}}}\n"
    );
    write(&at.join("ctx_layer/src/lib.rs"), &ours);
    let dependencies =
        "[dependencies]\nctx_layer = { path = \"ctx_layer\" }\ntokio = { path = \"tokio\" }\n[workspace]\n";
    write(&at.join("Cargo.toml"), &package("bare", dependencies));
    let program = "fn main() {\n    tokio::spawn();\n    tokio::other();\n    drop(std::thread::spawn(|| ()));\n    \
                   std::thread::scope(|scope| drop(scope.spawn(|| ())));\n    drop(held());\n}\n";
    let held = "async fn held() {\n    let _one = ctx_layer::FieldsGuard;\n    let _other = ctx_layer::task::SnapshotGuard;\n    \
                let _third = ctx_layer::propagation::ExtractedGuard;\n    std::future::ready(()).await;\n}\n";
    write(&at.join("src/main.rs"), &format!("{program}{held}"));

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
    for guard in ["FieldsGuard", "task::SnapshotGuard", "propagation::ExtractedGuard"] {
        assert!(
            text.contains(&format!("holding a disallowed type across an await point `ctx_layer::{guard}`")),
            "{text}"
        );
    }
    assert!(text.contains("future.with_field(..)"), "it says what to write instead: {text}");
}
