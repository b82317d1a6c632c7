//! Reads settings files.

use std::{fs, io, path::Path};

/// Settings files are small: what is larger is another file.
const MAX_FILE_LEN: u64 = 1 << 20;

/// Reads a file, unless it is too long to be one of settings.
pub(crate) fn read_file(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE_LEN {
        return Err(io::Error::other(format!("it has more than {MAX_FILE_LEN} bytes")));
    }
    fs::read_to_string(path)
}
