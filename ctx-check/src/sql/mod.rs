//! The rules as SQL, for spans that are in a database already.

use crate::{Settings, settings::QueueMode};

/// Returns a query for the tables of the Collector's ClickHouse exporter: a row for each rule, service, edge and field.
///
/// `table` is the table of the spans, `otel_traces` unless it was renamed; `condition` limits them, for example
/// `Timestamp > now() - INTERVAL 1 HOUR`. Both are part of the query as they are: they must come from a trusted place.
pub fn clickhouse(settings: &Settings, table: &str, condition: &str) -> String {
    let fields: Vec<String> = settings.require.iter().map(|field| quoted(field)).collect();
    // The type of an empty array cannot be inferred.
    let require = if fields.is_empty() { "emptyArrayString()".to_owned() } else { format!("[{}]", fields.join(", ")) };
    let of_mode = |mode| {
        let queues = settings.queues.iter().filter(move |queue| queue.mode == mode);
        quoted(&any_of(queues.flat_map(|queue| queue.name.written())))
    };
    include_str!("clickhouse.sql")
        .replace("{table}", table)
        .replace("{where}", &format!("({condition})"))
        .replace("{tenant}", &quoted(&settings.tenant))
        .replace("{require}", &require)
        .replace("{exempt}", &quoted(&any_of(settings.exempt.spans.written())))
        .replace("{parent_queues}", &of_mode(QueueMode::Parent))
        .replace("{link_queues}", &of_mode(QueueMode::Link))
        .replace("{tolerance}", &settings.tolerance.nanoseconds().to_string())
}

/// A string of ClickHouse's SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Returns the regular expression of all patterns; without any, it matches nothing.
fn any_of<'p>(patterns: impl IntoIterator<Item = &'p String>) -> String {
    let patterns: Vec<String> = patterns.into_iter().map(|pattern| expression(pattern)).collect();
    if patterns.is_empty() { "^$.".to_owned() } else { format!("^(?:{})$", patterns.join("|")) }
}

/// The regular expression of a pattern with `*` and `?`.
fn expression(pattern: &str) -> String {
    pattern.chars().fold(String::new(), |mut expression, letter| {
        match letter {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            _ => expression.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
        expression
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strings_of_the_query() {
        let settings = Settings { tenant: "it's\\".to_owned(), require: vec!["a'b".to_owned()], ..Settings::default() };
        let sql = clickhouse(&settings, "otel_traces", "1");
        assert!(sql.contains(r"attributes['it\'s\\']") && sql.contains(r"['a\'b']"), "{sql}");
        assert!(!sql.contains('{'));
    }
}
