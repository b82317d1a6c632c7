//! How much of a URL's query is recorded on spans.

use std::{borrow::Cow, fmt};

use crate::span_string;

const REDACTED: &str = "REDACTED";

/// A policy of how much of a URL's query is recorded on spans. Defaults to [`QueryPolicy::names`].
///
/// ```
/// use ctx_layer::http::QueryPolicy;
///
/// let policy = QueryPolicy::names().show(["page"]);
/// assert_eq!(policy.shown("page=3&token=s3cret").unwrap().to_string(), "page=3&token=REDACTED");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPolicy {
    shown: QueryDetail,
    values: Vec<Cow<'static, str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueryDetail {
    Whole,
    Names,
    Nothing,
}

impl QueryPolicy {
    /// Records names only: each value, and each parameter without a name, is `REDACTED`, since URLs often contain
    /// secrets.
    pub const fn names() -> Self {
        QueryPolicy { shown: QueryDetail::Names, values: Vec::new() }
    }

    /// Records the whole query.
    pub const fn whole() -> Self {
        QueryPolicy { shown: QueryDetail::Whole, values: Vec::new() }
    }

    /// Records no query.
    pub const fn nothing() -> Self {
        QueryPolicy { shown: QueryDetail::Nothing, values: Vec::new() }
    }

    /// Records the values under these names too.
    pub fn show(mut self, names: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.values.extend(names.into_iter().map(Into::into));
        self
    }

    /// Returns what is recorded of a query, at most its first 1024 bytes. `None` if it is nothing.
    pub fn shown<'a>(&'a self, query: &'a str) -> Option<impl fmt::Display + 'a> {
        (self.shown != QueryDetail::Nothing && !query.is_empty())
            .then(|| Query { policy: self, query: span_string::cut(query) })
    }
}

impl Default for QueryPolicy {
    fn default() -> Self {
        Self::names()
    }
}

struct Query<'a> {
    policy: &'a QueryPolicy,
    query: &'a str,
}

impl fmt::Display for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.policy.shown == QueryDetail::Whole {
            return f.write_str(self.query);
        }
        // A short value can become a longer one.
        let mut left = span_string::MAX_LEN;
        for (at, pair) in self.query.split('&').enumerate() {
            let and = if at > 0 { "&" } else { "" };
            let parts = match pair.split_once('=') {
                _ if pair.is_empty() => [and, "", "", ""],
                Some((name, _)) if self.policy.values.iter().any(|shown| shown == name) => [and, pair, "", ""],
                Some((name, _)) => [and, name, "=", REDACTED],
                None => [and, REDACTED, "", ""],
            };
            let len = parts.map(str::len).iter().sum();
            let Some(rest) = left.checked_sub(len) else { break };
            left = rest;
            parts.iter().try_for_each(|part| f.write_str(part))?;
        }
        Ok(())
    }
}

/// A URL without its user and password, with its query as far as it is shown.
#[cfg(feature = "http-client")]
pub(super) struct ShownUrl<'a> {
    pub(super) scheme: &'a str,
    /// The host and port.
    pub(super) authority: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) policy: &'a QueryPolicy,
}

#[cfg(feature = "http-client")]
impl fmt::Display for ShownUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The conventions replace user and password by `REDACTED`.
        let (user, host) = match self.authority.rsplit_once('@') {
            Some((_, host)) => ("REDACTED:REDACTED@", host),
            None => ("", self.authority),
        };
        write!(f, "{}://{user}{host}{}", self.scheme, span_string::cut(self.path))?;
        match self.query.and_then(|query| self.policy.shown(query)) {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_only_under_the_given_names() {
        let names = QueryPolicy::names();
        let page = QueryPolicy::names().show(["page"]);
        for (policy, query, shown) in [
            (&names, "page=3&token=s3cret", "page=REDACTED&token=REDACTED"),
            (&page, "page=3&token=s3cret", "page=3&token=REDACTED"),
            (&page, "xpage=3", "xpage=REDACTED"),
            (&names, "s3cret", "REDACTED"),
            (&names, "a==b&&c=", "a=REDACTED&&c=REDACTED"),
            (&QueryPolicy::whole(), "page=3&token=x", "page=3&token=x"),
        ] {
            assert_eq!(policy.shown(query).map(|shown| shown.to_string()).as_deref(), Some(shown));
        }
        for query in ["a=&".repeat(5000), "a&".repeat(5000), "a".repeat(5000) + "=b", "a=b&".repeat(5000)] {
            let shown = names.shown(&query).map(|shown| shown.to_string());
            assert!(shown.is_some_and(|shown| shown.len() <= 1024), "{query}");
        }
        assert!(QueryPolicy::nothing().shown("a=b").is_none());
        assert!(names.shown("").is_none());
    }
}
