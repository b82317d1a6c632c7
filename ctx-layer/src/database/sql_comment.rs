//! Comments in SQL statements, by <https://google.github.io/sqlcommenter/spec/>.

use std::{borrow::Cow, collections::BTreeMap};

use super::exposed::Exposed;

/// A comment that names the request behind a SQL statement in the database's own log, by the specification of [sqlcommenter].
///
/// It contains `traceparent`, `tracestate`, and the fields and the baggage that may leave the process, except sensitive ones: others can
/// read the log. All characters but letters, digits and `-._~` are percent-encoded, so no value can end the comment, contain a quote or
/// look like a placeholder.
///
/// ```
/// use ctx_layer::{database::SqlComment, field::well_known::TENANT_ID};
///
/// let statement = TENANT_ID.in_scope("*/ DROP TABLE x; --", || SqlComment::new().add_to("SELECT 1"));
/// assert_eq!(statement, "SELECT 1 /*tenant_id='%2A%2F%20DROP%20TABLE%20x%3B%20--'*/");
/// ```
///
/// # Prepared statements
///
/// Databases and clients recognise a prepared statement by its string. With a comment each is a new one: `sqlx` prepares it for
/// one use, and its cache of statements fills up. So it is added only where this is called. To keep the cache, leave the trace out
/// ([`without_trace`](Self::without_trace)), so that there are as many statements as tenants; or use `persistent(false)` for statements
/// with a trace.
///
/// # With `sqlx`
///
/// `sqlx` takes only static strings, unless a string is marked as safe. This one is, if the statement is:
/// `sqlx::query(AssertSqlSafe(SqlComment::new().add_to("SELECT 1").into_owned())).persistent(false)`.
///
/// [sqlcommenter]: https://google.github.io/sqlcommenter/spec/
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a comment does nothing until it is added to a statement"]
pub struct SqlComment {
    has_trace: bool,
}

impl SqlComment {
    /// Creates a comment with everything.
    pub const fn new() -> Self {
        SqlComment { has_trace: true }
    }

    /// Leaves `traceparent` and `tracestate` out, which are others in every request.
    pub const fn without_trace(mut self) -> Self {
        self.has_trace = false;
        self
    }

    /// Returns a statement with the current context as a comment at its end, before a last semicolon.
    ///
    /// A statement that already ends in a comment, and one without context, stay as they are.
    pub fn add_to<'a>(&self, statement: &'a str) -> Cow<'a, str> {
        let end = statement.trim_end();
        let (body, semicolon) = match end.strip_suffix(';') {
            Some(body) => (body.trim_end(), ";"),
            None => (end, ""),
        };
        if body.is_empty() || body.ends_with("*/") {
            return Cow::Borrowed(statement);
        }
        let comment = self.pairs();
        if comment.is_empty() {
            return Cow::Borrowed(statement);
        }
        // A comment of a line would contain this one and the semicolon, too.
        let is_line_comment = |line: &str| line.contains("--") || line.contains('#');
        let space = if body.rsplit('\n').next().is_some_and(is_line_comment) { '\n' } else { ' ' };
        Cow::Owned(format!("{body}{space}/*{comment}*/{semicolon}"))
    }

    /// Returns the pairs, sorted by key.
    fn pairs(&self) -> String {
        let context = Exposed::current();
        let mut pairs: BTreeMap<String, String> =
            context.members().map(|(key, value)| (encoded(key), encoded(value))).collect();
        if self.has_trace {
            for key in ["traceparent", "tracestate"] {
                if let Some(value) = context.get(key) {
                    // Not a member of baggage, so a percent sign is one.
                    pairs.insert(key.to_owned(), encoded(&value.replace('%', "%25")));
                }
            }
        } else {
            pairs.remove("traceparent");
            pairs.remove("tracestate");
        }
        pairs.iter().map(|(key, value)| format!("{key}='{value}'")).collect::<Vec<_>>().join(",")
    }
}

impl Default for SqlComment {
    fn default() -> Self {
        SqlComment::new()
    }
}

/// Percent-encodes what is not encoded yet.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'%' => {
                encoded.push(char::from(byte))
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
