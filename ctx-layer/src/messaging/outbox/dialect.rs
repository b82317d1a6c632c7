//! The statements of each database.

use sqlx::Database;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Dialect {
    /// Returns the kind of a driver.
    ///
    /// # Errors
    /// Returns an error for a driver that is not known, such as `Any`.
    pub(super) fn of<DB: Database>() -> Result<Self, sqlx::Error> {
        match DB::NAME {
            "SQLite" => Ok(Dialect::Sqlite),
            "PostgreSQL" => Ok(Dialect::Postgres),
            "MySQL" => Ok(Dialect::MySql),
            other => {
                let problem = format!("an outbox needs SQLite, PostgreSQL or MySQL, not `{other}`");
                Err(sqlx::Error::Configuration(problem.into()))
            }
        }
    }

    /// Returns a statement in this dialect: `?` is each value, and `{t}` the table.
    pub(super) fn statement(self, table: &str, template: &str) -> String {
        let template = template.replace("{t}", table);
        if self != Dialect::Postgres {
            return template;
        }
        let mut statement = String::with_capacity(template.len() + 16);
        for (at, part) in template.split('?').enumerate() {
            if at > 0 {
                statement.push_str(&format!("${at}"));
            }
            statement.push_str(part);
        }
        statement
    }

    /// Returns the statements that create an outbox.
    pub(super) fn outbox_schema(self) -> &'static [&'static str] {
        match self {
            Dialect::Sqlite => &[
                "CREATE TABLE IF NOT EXISTS {t} (\
                 id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL UNIQUE, system TEXT NOT NULL, \
                 destination TEXT NOT NULL, headers TEXT NOT NULL, payload BLOB NOT NULL, created_at BIGINT NOT NULL, \
                 published_at BIGINT, attempts BIGINT NOT NULL DEFAULT 0, claimed_by TEXT, \
                 claimed_until BIGINT NOT NULL DEFAULT 0)",
                "CREATE INDEX IF NOT EXISTS {t}_pending ON {t} (id) WHERE published_at IS NULL",
            ],
            Dialect::Postgres => &[
                "CREATE TABLE IF NOT EXISTS {t} (\
                 id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, \
                 system TEXT NOT NULL, destination TEXT NOT NULL, headers TEXT NOT NULL, payload BYTEA NOT NULL, \
                 created_at BIGINT NOT NULL, published_at BIGINT, attempts BIGINT NOT NULL DEFAULT 0, claimed_by TEXT, \
                 claimed_until BIGINT NOT NULL DEFAULT 0)",
                "CREATE INDEX IF NOT EXISTS {t}_pending ON {t} (id) WHERE published_at IS NULL",
            ],
            Dialect::MySql => &["CREATE TABLE IF NOT EXISTS {t} (\
                 id BIGINT AUTO_INCREMENT PRIMARY KEY, message_id VARCHAR(255) NOT NULL UNIQUE, \
                 `system` VARCHAR(255) NOT NULL, destination VARCHAR(255) NOT NULL, headers MEDIUMTEXT NOT NULL, \
                 payload LONGBLOB NOT NULL, created_at BIGINT NOT NULL, published_at BIGINT, \
                 attempts BIGINT NOT NULL DEFAULT 0, claimed_by VARCHAR(36), \
                 claimed_until BIGINT NOT NULL DEFAULT 0, KEY {t}_pending (published_at, id)\
                 ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"],
        }
    }

    /// Returns the statement that creates an inbox.
    pub(super) fn inbox_schema(self) -> &'static str {
        match self {
            Dialect::Sqlite | Dialect::Postgres => {
                "CREATE TABLE IF NOT EXISTS {t} (\
                 consumer TEXT NOT NULL, message_id TEXT NOT NULL, handled_at BIGINT NOT NULL, \
                 PRIMARY KEY (consumer, message_id))"
            }
            Dialect::MySql => {
                "CREATE TABLE IF NOT EXISTS {t} (\
                 consumer VARCHAR(128) NOT NULL, message_id VARCHAR(255) NOT NULL, handled_at BIGINT NOT NULL, \
                 PRIMARY KEY (consumer, message_id)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            }
        }
    }

    pub(super) fn insert(self) -> &'static str {
        // `system` is a reserved word of MySQL.
        match self {
            Dialect::MySql => {
                "INSERT INTO {t} (message_id, `system`, destination, headers, payload, created_at) \
                 VALUES (?, ?, ?, ?, ?, ?)"
            }
            _ => {
                "INSERT INTO {t} (message_id, system, destination, headers, payload, created_at) \
                 VALUES (?, ?, ?, ?, ?, ?)"
            }
        }
    }

    /// Returns the statement that claims rows: the relay, the end of its lease, now, the maximum of attempts, the number of rows.
    pub(super) fn claim(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "UPDATE {t} SET claimed_by = ?, claimed_until = ? WHERE id IN (SELECT id FROM {t} \
                 WHERE published_at IS NULL AND claimed_until <= ? AND attempts < ? ORDER BY id LIMIT ?)"
            }
            // Rows that another relay is claiming are skipped.
            Dialect::Postgres => {
                "UPDATE {t} SET claimed_by = ?, claimed_until = ? WHERE id IN (SELECT id FROM {t} \
                 WHERE published_at IS NULL AND claimed_until <= ? AND attempts < ? ORDER BY id LIMIT ? \
                 FOR UPDATE SKIP LOCKED)"
            }
            Dialect::MySql => {
                "UPDATE {t} SET claimed_by = ?, claimed_until = ? \
                 WHERE published_at IS NULL AND claimed_until <= ? AND attempts < ? ORDER BY id LIMIT ?"
            }
        }
    }

    pub(super) fn claimed(self) -> &'static str {
        match self {
            Dialect::MySql => {
                "SELECT id, message_id, `system`, destination, headers, payload, attempts FROM {t} \
                 WHERE claimed_by = ? AND published_at IS NULL ORDER BY id"
            }
            _ => {
                "SELECT id, message_id, system, destination, headers, payload, attempts FROM {t} \
                 WHERE claimed_by = ? AND published_at IS NULL ORDER BY id"
            }
        }
    }
}

/// Marks a row as published: now, the row.
pub(super) const PUBLISHED: &str = "UPDATE {t} SET published_at = ?, claimed_by = NULL WHERE id = ?";

/// Releases a row that was not sent: when it may be claimed again, the row, the relay.
pub(super) const FAILED: &str =
    "UPDATE {t} SET attempts = attempts + 1, claimed_by = NULL, claimed_until = ? WHERE id = ? AND claimed_by = ?";

/// Releases all rows of a relay.
pub(super) const RELEASED: &str =
    "UPDATE {t} SET claimed_by = NULL, claimed_until = 0 WHERE claimed_by = ? AND published_at IS NULL";

/// Deletes rows that were published before a time.
pub(super) const PURGED: &str = "DELETE FROM {t} WHERE published_at < ?";

/// Looks for a message that was handled: the consumer, the message.
pub(super) const IS_HANDLED: &str = "SELECT handled_at FROM {t} WHERE consumer = ? AND message_id = ?";

/// Stores that a message was handled: the consumer, the message, now.
pub(super) const HANDLED: &str = "INSERT INTO {t} (consumer, message_id, handled_at) VALUES (?, ?, ?)";

/// Deletes messages that were handled before a time.
pub(super) const FORGOTTEN: &str = "DELETE FROM {t} WHERE handled_at < ?";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_those_of_the_database() {
        assert_eq!(
            Dialect::MySql.statement("box", "UPDATE {t} SET a = ? WHERE b = ?"),
            "UPDATE box SET a = ? WHERE b = ?"
        );
        assert_eq!(
            Dialect::Postgres.statement("box", "UPDATE {t} SET a = ? WHERE b = ?"),
            "UPDATE box SET a = $1 WHERE b = $2"
        );
    }
}
