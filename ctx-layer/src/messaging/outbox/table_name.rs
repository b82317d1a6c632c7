//! Names of tables.

use std::borrow::Cow;

/// The maximum length of a name: PostgreSQL's identifiers have 63 bytes, and an index adds a suffix.
const MAX_LEN: usize = 50;

/// The name of a table, which is part of statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableName(Cow<'static, str>);

impl TableName {
    pub(super) const fn of(name: &'static str) -> Self {
        TableName(Cow::Borrowed(name))
    }

    /// Checks a name.
    ///
    /// # Errors
    /// Returns an error for a name that is not 1 to 50 of `a-z A-Z 0-9 _` or starts with a digit.
    pub(super) fn checked(name: &str) -> Result<Self, sqlx::Error> {
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_long = !(1..=MAX_LEN).contains(&name.len());
        if !is_word || is_long || name.starts_with(|first: char| first.is_ascii_digit()) {
            let problem = format!(
                "`{name}` cannot be a table's name: use 1 to {MAX_LEN} of `a-z A-Z 0-9 _`, and no digit at the start"
            );
            return Err(sqlx::Error::Configuration(problem.into()));
        }
        Ok(TableName(Cow::Owned(name.to_owned())))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_are_words() {
        for (name, is_one) in [
            ("outbox", true),
            ("Shop_outbox2", true),
            ("_", true),
            (&"a".repeat(50), true),
            (&"a".repeat(51), false),
            ("", false),
            ("2box", false),
            ("a b", false),
            ("a;drop table x", false),
            ("a\"b", false),
            ("ä", false),
        ] {
            assert_eq!(TableName::checked(name).is_ok(), is_one, "{name}");
        }
    }
}
