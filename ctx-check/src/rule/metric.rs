//! Names and units of metrics.

use std::{collections::HashSet, sync::OnceLock};

/// Returns `true` for a key of the semantic conventions.
pub(super) fn is_attribute_key(name: &str) -> bool {
    static KEYS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let keys =
        KEYS.get_or_init(|| include_str!("attributes.txt").lines().filter(|line| !line.starts_with('#')).collect());
    keys.contains(name)
}

/// Units of the Unified Code for Units of Measure that metrics have.
const ATOMS: &[&str] = &[
    "m", "s", "g", "rad", "K", "C", "cd", "mol", "sr", "Hz", "N", "Pa", "J", "W", "A", "V", "F", "Ohm", "S", "Wb",
    "Cel", "T", "H", "lm", "lx", "Bq", "Gy", "Sv", "l", "L", "ar", "min", "h", "d", "a", "wk", "mo", "t", "bar", "u",
    "eV", "pc", "bit", "By", "Bd", "B", "deg", "%", "cal", "g%",
];
const PREFIXES: &[&str] = &[
    "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y", "Ki", "Mi",
    "Gi", "Ti",
];

/// Returns `true` for a unit of the Unified Code for Units of Measure: `ms`, `By/s`, `{request}`, `1`.
pub(super) fn is_unit(unit: &str) -> bool {
    !unit.is_empty()
        && unit
            .split(['/', '.'])
            .enumerate()
            .all(|(at, term)| is_term(term) || at == 0 && term.is_empty() && unit.len() > 1)
}

fn is_term(term: &str) -> bool {
    // An annotation is behind a unit, or alone.
    let plain = match term.find('{') {
        Some(start) if term.ends_with('}') && term.is_ascii() => &term[..start],
        Some(_) => return false,
        None if term.is_empty() => return false,
        None => term,
    };
    let plain = plain.trim_end_matches(|last: char| last.is_ascii_digit() || matches!(last, '+' | '-' | '^' | '*'));
    plain.is_empty()
        || ATOMS.contains(&plain)
        || PREFIXES.iter().any(|prefix| plain.strip_prefix(prefix).is_some_and(|atom| ATOMS.contains(&atom)))
}

/// Returns `true` if a name contains the name of its unit.
pub(super) fn contains_unit(name: &str, unit: &str) -> bool {
    let words: &[&str] = match unit {
        "s" => &["s", "sec", "secs", "second", "seconds"],
        "ms" => &["ms", "millis", "millisecond", "milliseconds"],
        "us" => &["us", "micros", "microsecond", "microseconds"],
        "ns" => &["ns", "nanos", "nanosecond", "nanoseconds"],
        "min" => &["min", "mins", "minute", "minutes"],
        "h" => &["h", "hour", "hours"],
        "d" => &["day", "days"],
        "By" => &["by", "byte", "bytes"],
        "kBy" => &["kb", "kilobyte", "kilobytes"],
        "MBy" => &["mb", "megabyte", "megabytes"],
        "KiBy" => &["kib", "kibibyte", "kibibytes"],
        "MiBy" => &["mib", "mebibyte", "mebibytes"],
        "%" => &["percent"],
        "Cel" => &["celsius"],
        _ => &[],
    };
    name.split(['.', '_', '-']).any(|part| words.contains(&part.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_unified_code() {
        for unit in ["s", "ms", "By", "KiBy", "1", "{request}", "By/s", "{fault}/min", "%", "/s", "m2", "Cel"] {
            assert!(is_unit(unit), "{unit}");
        }
        for unit in ["", "seconds", "bytes", "requests", "milliseconds", "{", "count"] {
            assert!(!is_unit(unit), "{unit}");
        }
    }

    #[test]
    fn a_name_contains_its_unit_as_a_word() {
        assert!(contains_unit("collection.duration.seconds", "s") && contains_unit("sent_bytes", "By"));
        assert!(!contains_unit("collection.duration", "s") && !contains_unit("http.client.requests", "By"));
    }

    #[test]
    fn keys_of_the_conventions_are_known() {
        assert!(is_attribute_key("http.response.status_code") && !is_attribute_key("http.server.request.duration"));
    }
}
