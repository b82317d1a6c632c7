/// Returns what a program of the documentation prints. Included by the examples, and not part of the crate.
pub fn printed(program: impl FnOnce()) -> String {
    use std::io::Read;
    use ctx_layer::{Schema, SubscriberFieldsExt, fields_once_per_line};
    use tracing_subscriber::prelude::*;
    let (mut read, write) = std::io::pipe().unwrap();
    let text = tracing_subscriber::fmt::layer().without_time().with_target(false).with_ansi(false);
    let text = fields_once_per_line(text.with_writer(std::sync::Mutex::new(write)));
    let stack = tracing_subscriber::registry().with(text).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, program);
    let mut printed = String::new();
    read.read_to_string(&mut printed).unwrap();
    // Times differ from run to run.
    let lines = printed.lines().map(|line| line.split(" elapsed_ms=").next().unwrap_or(line).trim_start());
    lines.collect::<Vec<_>>().join("\n")
}
