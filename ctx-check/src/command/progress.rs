//! A progress bar on a terminal.

use std::{
    io::{self, IsTerminal, Read},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar over the bytes of the files.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Creates one, which is hidden if standard error is no terminal.
    pub(super) fn new(bytes: Option<u64>, is_quiet: bool) -> Self {
        if is_quiet || !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr_with_hz(10));
        let template = "{spinner} {bytes}/{total_bytes} {bar:40} {bytes_per_sec} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Counts what is read from a stream.
    pub(super) fn over<R: Read>(&self, stream: R) -> impl Read + use<R> {
        self.0.wrap_read(stream)
    }

    pub(super) fn say(&self, message: String) {
        self.0.set_message(message);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
