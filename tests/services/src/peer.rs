//! Programs in other languages, with OpenTelemetry's instrumentation.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{Result, printed::Printed};

/// A program in another language.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    /// `peers/<name>.py`
    Python,
    /// `peers/<name>.js`
    Node,
}

/// Runs `peers/<name>` with arguments to its end, and returns what it printed: a span, and the baggage that it sees.
///
/// Blocks, so call it on a thread of its own where it talks to this process.
pub fn run(language: Language, name: &str, arguments: &[&str]) -> Result<Printed> {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers");
    let installed =
        PathBuf::from(env::var("CTX_SERVICES").map_err(|_| "CTX_SERVICES is not set: run tests/services/run")?);
    let mut command = match language {
        Language::Python => {
            let mut command = Command::new(installed.join("venv/bin/python"));
            command.arg(sources.join(format!("{name}.py")));
            command
        }
        Language::Node => {
            let mut command = Command::new("node");
            command.arg(sources.join(format!("{name}.js"))).env("NODE_PATH", installed.join("node/node_modules"));
            command
        }
    };
    let output = command.args(arguments).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        Ok(Printed::read(&text))
    } else {
        Err(format!("{language:?} {name} failed: {}\n{text}", output.status).into())
    }
}
