//! References to environment variables, by "Configuration Data Model", "Environment variable substitution".

/// Replaces the references of a scalar: `${NAME}`, `${env:NAME}`, `${NAME:-default}`; `$$` is a dollar sign.
///
/// Values are not searched for references again. Returns the wrong reference if there is one.
pub(crate) fn substituted(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        replaced.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            replaced.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let Some((reference, after)) = after.split_once('}') else {
                return Err(rest.to_owned());
            };
            let (name, default) = match reference.split_once(":-") {
                Some((name, default)) => (name, default),
                None => (reference, ""),
            };
            let name = name.strip_prefix("env:").unwrap_or(name);
            if !is_name(name) {
                return Err(format!("${{{reference}}}"));
            }
            // An empty variable is unset.
            match variable(name) {
                Some(value) => replaced.push_str(&value),
                None => replaced.push_str(default),
            }
            rest = after;
        } else {
            replaced.push('$');
            rest = &rest[1..];
        }
    }
    replaced.push_str(rest);
    Ok(replaced)
}

fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::substituted;

    fn replaced(text: &str) -> Result<String, String> {
        substituted(text, &|name| match name {
            "STRING" => Some("value".to_owned()),
            "REFERENCE" => Some("${STRING}".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn the_examples_of_the_specification_are_replaced() {
        for (text, expected) in [
            ("${STRING}", "value"),
            ("${env:STRING}", "value"),
            ("foo ${STRING} ${OTHER:-fallback}", "foo value fallback"),
            ("${OTHER}", ""),
            ("${OTHER:-}", ""),
            ("${REFERENCE}", "${STRING}"),
            ("$${STRING}", "${STRING}"),
            ("$$${STRING}", "$value"),
            ("$$$${STRING}", "$${STRING}"),
            ("a $ b", "a $ b"),
            ("${OTHER:-a:-b}", "a:-b"),
        ] {
            assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_references_are_errors() {
        for text in ["${STRING:?error}", "${1A}", "${}", "${A B}", "${STRING"] {
            assert!(replaced(text).is_err(), "{text}");
        }
    }
}
