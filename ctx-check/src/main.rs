//! The command `ctx-check`.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
