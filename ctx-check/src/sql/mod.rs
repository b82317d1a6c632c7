//! The rules as SQL, for spans that are in a database already.

use crate::Settings;

/// Returns a query for the tables of the Collector's ClickHouse exporter: a row for each rule, service, edge and field.
///
/// `table` is the table of the spans, `otel_traces` unless it was renamed; `condition` limits them, for example
/// `Timestamp > now() - INTERVAL 1 HOUR`. Both are part of the query as they are: they must come from a trusted place.
pub fn clickhouse(settings: &Settings, table: &str, condition: &str) -> String {
    let fields: Vec<String> = settings.require.iter().map(|field| quoted(field)).collect();
    // The type of an empty array cannot be inferred.
    let require = if fields.is_empty() { "emptyArrayString()".to_owned() } else { format!("[{}]", fields.join(", ")) };
    let exempt: Vec<String> = settings.exempt.spans.written().iter().map(|pattern| expression(pattern)).collect();
    let exempt = if exempt.is_empty() { "^$.".to_owned() } else { format!("^(?:{})$", exempt.join("|")) };
    include_str!("clickhouse.sql")
        .replace("{table}", table)
        .replace("{where}", &format!("({condition})"))
        .replace("{tenant}", &quoted(&settings.tenant))
        .replace("{require}", &require)
        .replace("{exempt}", &quoted(&exempt))
}

/// A string of ClickHouse's SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
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
        assert!(!["{table}", "{where}", "{tenant}", "{require}", "{exempt}"].iter().any(|left| sql.contains(left)));
    }
}
