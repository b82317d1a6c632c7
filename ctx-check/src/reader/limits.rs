//! Limits of the memory that a file may take.

/// The limits of what is read at once.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// The longest line, document or message, in bytes: 256 MiB. A longer one is a problem, and is skipped.
    pub document: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { document: 256 << 20 }
    }
}
