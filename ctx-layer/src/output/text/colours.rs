//! The colours of a terminal.

use tracing_core::Level;

/// The control sequences that a line has. Empty strings where there are to be no colours.
#[derive(Debug)]
pub(super) struct Colours {
    pub(super) dim: &'static str,
    pub(super) bold: &'static str,
    pub(super) error: &'static str,
    pub(super) reset: &'static str,
    levels: [&'static str; 5],
}

/// No colours.
pub(super) static NONE: Colours = Colours { dim: "", bold: "", error: "", reset: "", levels: [""; 5] };

/// Those of `fmt`: red, yellow, green, blue, magenta.
pub(super) static ANSI: Colours = Colours {
    dim: "\x1b[2m",
    bold: "\x1b[1m",
    error: "\x1b[31m",
    reset: "\x1b[0m",
    levels: ["\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[34m", "\x1b[35m"],
};

impl Colours {
    /// Returns the colour of a level, and its name in five characters.
    pub(super) fn of(&self, level: Level) -> (&'static str, &'static str) {
        let (at, name) = match level {
            Level::ERROR => (0, "ERROR"),
            Level::WARN => (1, "WARN "),
            Level::INFO => (2, "INFO "),
            Level::DEBUG => (3, "DEBUG"),
            Level::TRACE => (4, "TRACE"),
        };
        (self.levels[at], name)
    }
}
