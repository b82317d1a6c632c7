//! Arguments, files, progress, output, exit status.

mod arguments;
mod progress;
mod run;

pub(super) use run::run;
