//! Consumers in processes of their own.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{Result, printed::Printed};

/// How a worker settles the messages it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Handles and settles them.
    Handle,
    /// Handles the first, and waits for its end with the message unsettled.
    Hang,
    /// Handles and rejects them.
    Reject,
}

/// A running worker: a process of this test binary, which is killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

/// Returns `true` in a worker.
pub fn is_worker() -> bool {
    env::var_os("CTX_WORKER_QUEUE").is_some()
}

/// Returns the queue, the mode and the number of messages, in a worker.
pub fn assignment() -> Option<(String, Mode, usize)> {
    let mode = match env::var("CTX_WORKER_MODE").ok()?.as_str() {
        "Handle" => Mode::Handle,
        "Hang" => Mode::Hang,
        "Reject" => Mode::Reject,
        _ => return None,
    };
    Some((env::var("CTX_WORKER_QUEUE").ok()?, mode, env::var("CTX_WORKER_MESSAGES").ok()?.parse().ok()?))
}

impl Process {
    /// Starts a worker that ends after a number of messages. The binary must have a test `worker`.
    pub fn start(queue: &str, mode: Mode, messages: usize) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["worker", "--exact", "--ignored", "--nocapture"])
            .env("CTX_WORKER_QUEUE", queue)
            .env("CTX_WORKER_MODE", format!("{mode:?}"))
            .env("CTX_WORKER_MESSAGES", messages.to_string())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("the output is piped")?);
        Ok(Process { child, output })
    }

    /// Waits for its end, and returns what it printed.
    pub fn finish(mut self) -> Result<Printed> {
        let text = std::io::read_to_string(&mut self.output)?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(Printed::read(&text))
        } else {
            Err(format!("the worker failed: {status}\n{text}").into())
        }
    }

    /// Waits until it prints a line with a message, and kills it as `kill -9` does. Returns what it printed.
    pub fn kill_at(mut self, message: &str) -> Result<Printed> {
        let mut text = String::new();
        while Printed::read(&text).lines(message).is_empty() {
            if self.output.read_line(&mut text)? == 0 {
                return Err(format!("the worker ended without {message:?}:\n{text}").into());
            }
        }
        self.child.kill()?;
        Ok(Printed::read(&text))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
