//! Legal field names.

use std::fmt;

/// An error of a context field's name.
///
/// A legal name has 1 to 64 characters of `[A-Za-z0-9_.-]`, starts with a letter or `_`, and does not end in `.` or
/// `-`. Names that `tracing` or its outputs use themselves are reserved: a line with two `level`s is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    Empty,
    /// The name is longer than 64 bytes.
    TooLong,
    /// The name has a character outside `[A-Za-z0-9_.-]`, or starts or ends with one that is not allowed there.
    Illegal,
    /// `tracing` or one of its outputs gives the name a special meaning: `message`, `error`, `log.*`, `otel.*` and the
    /// metric prefixes `counter.`, `monotonic_counter.`, `histogram.`, `gauge.`.
    Reserved,
    /// The policy's baggage key is not a token of 1 to 256 bytes.
    BaggageKey,
    /// Outputs use the name themselves, so the field would appear twice on a line or be dropped: `timestamp`, `level`,
    /// `target`, `name`, `span`, `spans`, `fields` and others.
    UsedByOutputs,
}

impl NameError {
    /// Returns the message: the error and its remedy. It is `const`, for a panic at compile time.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            NameError::Empty => "a context field's name is empty: give it one, such as \"tenant_id\"",
            NameError::TooLong => "a context field's name is longer than 64 bytes: shorten it",
            NameError::Illegal => {
                "a context field's name may only have [A-Za-z0-9_.-], must start with a letter or `_`, and must not end in `.` or `-`"
            }
            NameError::Reserved => {
                "a context field's name is reserved (`message`, `error`, `log.*`, `otel.*`, `counter.*`, `monotonic_counter.*`, `histogram.*`, `gauge.*`): choose another"
            }
            NameError::BaggageKey => {
                "a context field's baggage key must be a token, and not longer than 256 bytes: use letters, digits, `-`, `_` and `.`"
            }
            NameError::UsedByOutputs => {
                "a context field's name is used by outputs themselves (such as `timestamp`, `level`, `target`, `name`, `span`, `spans`, `time`, `file`, `line`, `thread.*`, `code.*`): choose another, such as \"customer.level\""
            }
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}

impl std::error::Error for NameError {}

/// The maximum length of a name, in bytes.
const MAX_NAME_LEN: usize = 64;

/// Names with a special meaning: `message` to `tracing`, `error` to `tracing-opentelemetry`, which exports it as an
/// exception.
const RESERVED: &[&str] = &["message", "error"];

/// Names that outputs use themselves.
const OF_OUTPUTS: &[&str] = &[
    // `fmt` json and `json-subscriber`: on a line, and in a span of it.
    "timestamp",
    "level",
    "fields",
    "target",
    "filename",
    "line_number",
    "span",
    "spans",
    "threadName",
    "threadId",
    "name",
    "field",
    "field_error",
    "openTelemetry",
    // `tracing-bunyan-formatter`, which drops some fields of these names.
    "v",
    "hostname",
    "pid",
    "time",
    "msg",
    "src",
    "line",
    "file",
    "elapsed_milliseconds",
    // `tracing-logfmt`.
    "ts",
    "span_path",
    "location",
    "module_path",
    "thread_name",
    "thread_id",
    // `fmt`, when a span closes (`with_span_events`).
    "time.busy",
    "time.idle",
    // `tracing-opentelemetry`, on spans.
    "busy_ns",
    "idle_ns",
];

/// Prefixes that `tracing-opentelemetry` and `opentelemetry-appender-tracing` use themselves.
const PREFIXES_OF_OUTPUTS: &[&str] = &["code.", "exception.", "thread."];

/// Prefixes with a special meaning: to the `log` bridge (`tracing_log::NormalizeEvent`), and to `tracing-opentelemetry`
/// on spans.
const RESERVED_PREFIXES: &[&str] = &["log.", "otel."];

/// The prefixes by which `tracing_opentelemetry::MetricsLayer` recognizes its instruments.
pub(crate) const METRIC_PREFIXES: &[&str] = &["monotonic_counter.", "counter.", "histogram.", "gauge."];

/// Checks a name, at compile time if the name is a constant.
pub(crate) const fn check(name: &str) -> Result<(), NameError> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Err(NameError::Empty);
    }
    if bytes.len() > MAX_NAME_LEN {
        return Err(NameError::TooLong);
    }
    let mut i = 0;
    while i < bytes.len() {
        let edge = i == 0;
        let last = i == bytes.len() - 1;
        match bytes[i] {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {}
            b'0'..=b'9' if !edge => {}
            b'.' | b'-' if !edge && !last => {}
            _ => return Err(NameError::Illegal),
        }
        i += 1;
    }
    if any(bytes, RESERVED, false) || any(bytes, RESERVED_PREFIXES, true) || any(bytes, METRIC_PREFIXES, true) {
        return Err(NameError::Reserved);
    }
    if any(bytes, OF_OUTPUTS, false) || any(bytes, PREFIXES_OF_OUTPUTS, true) {
        return Err(NameError::UsedByOutputs);
    }
    Ok(())
}

const fn any(name: &[u8], words: &[&str], as_prefix: bool) -> bool {
    let mut i = 0;
    while i < words.len() {
        let word = words[i].as_bytes();
        if starts_with(name, word) && (as_prefix || name.len() == word.len()) {
            return true;
        }
        i += 1;
    }
    false
}

const fn starts_with(name: &[u8], prefix: &[u8]) -> bool {
    if name.len() < prefix.len() {
        return false;
    }
    let mut i = 0;
    while i < prefix.len() {
        if name[i] != prefix[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names_are_accepted() {
        for name in [
            "tenant_id",
            "_x",
            "a",
            "user.id",
            "http-route",
            "A9",
            "counter",
            "logs.x",
            "messages",
            "Level",
            "levels",
            "span.id",
            "user.name",
            "code",
            "trace_id",
            "thread_pool",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn an_illegal_name_has_the_error_that_explains_it() {
        let long = "x".repeat(65);
        for (name, why) in [
            ("", NameError::Empty),
            (long.as_str(), NameError::TooLong),
            ("9lives", NameError::Illegal),
            ("a b", NameError::Illegal),
            ("tenant\nid", NameError::Illegal),
            ("ténant", NameError::Illegal),
            (".a", NameError::Illegal),
            ("a.", NameError::Illegal),
            ("a-", NameError::Illegal),
            ("a=b", NameError::Illegal),
            ("message", NameError::Reserved),
            ("error", NameError::Reserved),
            ("log.target", NameError::Reserved),
            ("otel.name", NameError::Reserved),
            ("gauge.x", NameError::Reserved),
            ("monotonic_counter.x", NameError::Reserved),
            ("level", NameError::UsedByOutputs),
            ("spans", NameError::UsedByOutputs),
            ("threadName", NameError::UsedByOutputs),
            ("time.busy", NameError::UsedByOutputs),
            ("thread.id", NameError::UsedByOutputs),
            ("code.file.path", NameError::UsedByOutputs),
        ] {
            assert_eq!(check(name), Err(why), "{name:?}");
        }
    }
}
