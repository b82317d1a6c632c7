//! The output of a process.

use serde_json::Value;

use crate::Result;

/// The objects of JSON that a worker or a peer printed, a line each: log lines, and exported spans.
#[derive(Debug)]
pub struct Printed(Vec<Value>);

impl Printed {
    /// Reads the objects. Other lines are ignored: those of a test harness.
    pub fn read(text: &str) -> Self {
        let objects = text.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok());
        Printed(objects.collect())
    }

    /// Returns the lines with a message.
    pub fn lines(&self, message: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["message"] == message).collect()
    }

    /// Returns the only line with a message.
    pub fn line(&self, message: &str) -> Result<&Value> {
        match self.lines(message)[..] {
            [line] => Ok(line),
            _ => Err(format!("not one line {message:?} in {self:#?}").into()),
        }
    }

    /// Returns the exported spans of a kind, such as `consumer`.
    pub fn spans(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    /// Returns the only exported span of a kind.
    pub fn span(&self, kind: &str) -> Result<&Value> {
        match self.spans(kind)[..] {
            [span] => Ok(span),
            _ => Err(format!("not one {kind} span in {self:#?}").into()),
        }
    }
}
