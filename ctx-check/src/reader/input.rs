//! The files to read.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

/// A file to read, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Standard,
}

impl Input {
    /// Returns the name that reports show.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Standard => "standard input".to_owned(),
        }
    }

    /// Returns the size in bytes, if it is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::File(path) => fs::metadata(path).ok().map(|metadata| metadata.len()),
            Self::Standard => None,
        }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Standard => Box::new(BufReader::new(io::stdin())),
        })
    }
}

/// Returns the files that the arguments of the command name: `-` is standard input, and a directory is all files in it and below,
/// in alphabetical order, without hidden ones.
///
/// # Errors
///
/// If a file or a directory does not exist or cannot be listed: the error names it.
pub fn inputs(paths: &[PathBuf]) -> io::Result<Vec<Input>> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.push(Input::Standard);
        } else {
            add(path, &mut found)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        }
    }
    Ok(found)
}

fn add(path: &Path, found: &mut Vec<Input>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        found.push(Input::File(path.to_owned()));
        return Ok(());
    }
    let mut entries: Vec<_> = fs::read_dir(path)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        // A link in a directory may lead out of it, or around.
        if !entry.file_name().to_string_lossy().starts_with('.') && !entry.file_type()?.is_symlink() {
            add(&entry.path(), found)?;
        }
    }
    Ok(())
}
