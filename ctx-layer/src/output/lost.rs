//! Lines that could not be written.

use std::{
    cell::Cell,
    fmt,
    io::{self, Write},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::panic::{Panicked, caught_with};

/// Counts the lines of an output that are lost. Cheap to clone; all clones count the same lines.
///
/// ```
/// use ctx_layer::output::json;
/// use tracing_subscriber::prelude::*;
///
/// let layer = json::layer();
/// let lost = layer.lost_lines();
/// let subscriber = tracing_subscriber::registry().with(layer);
/// # drop(subscriber);
/// assert_eq!(lost.count(), 0); // To be shown as a metric, for instance.
/// ```
#[derive(Clone, Debug, Default)]
pub struct LostLines(Arc<Lost>);

#[derive(Debug, Default)]
struct Lost {
    count: AtomicU64,
    has_said: AtomicBool,
    /// The last line was written in part: the next one begins with a line end.
    is_within_line: AtomicBool,
}

thread_local! {
    /// `true` while a line is being written on this thread. Has no destructor, and so can always be read.
    static IS_WRITING: Cell<bool> = const { Cell::new(false) };
}

impl LostLines {
    /// Returns how many lines are lost so far.
    pub fn count(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Writes a line. It is lost where the writer fails or panics, and where the writer itself logs.
    pub(super) fn write<W: Write>(&self, line: &[u8], make: impl FnOnce() -> W) {
        if IS_WRITING.replace(true) {
            // Its line would have its writer log again.
            self.0.count.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let _written = Written;
        match caught_with(AssertUnwindSafe(|| self.write_whole(line, &mut make()))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.lose(&error),
            Err(panic) => self.lose(&Panicked::with(&panic)),
        }
    }

    fn write_whole(&self, line: &[u8], writer: &mut impl Write) -> io::Result<()> {
        if self.0.is_within_line.load(Ordering::Relaxed) {
            writer.write_all(b"\n")?;
            self.0.is_within_line.store(false, Ordering::Relaxed);
        }
        let mut rest = line;
        while !rest.is_empty() {
            match writer.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if rest.len() < line.len() {
                        self.0.is_within_line.store(true, Ordering::Relaxed);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn lose(&self, why: &dyn fmt::Display) {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        if !self.0.has_said.swap(true, Ordering::Relaxed) {
            // If this fails, too, the message is lost. Not `eprintln!`, which panics then.
            let _ = writeln!(
                io::stderr().lock(),
                "ctx-layer: a log line could not be written and is lost: {why}. Further ones are only counted, see \
                 `LostLines`"
            );
        }
    }
}

struct Written;

impl Drop for Written {
    #[inline]
    fn drop(&mut self) {
        IS_WRITING.set(false);
    }
}
