//! The scenarios on each database.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{
    scenarios::{self, Tables},
    shared::Stack,
};

/// Declares the tests of a database.
macro_rules! test_on {
    ($connect:path: $($scenario:ident $(then $check:ident)?;)*) => {
        $(#[test]
        fn $scenario() {
            let stack = Stack::new();
            stack.run(async {
                let tables = Tables::create($connect().await, &new_name()).await;
                scenarios::$scenario(&tables).await;
            });
            $(scenarios::$check(&stack);)?
        })*
    };
}

/// Declares the tests of all databases.
macro_rules! scenarios {
    ($($scenario:ident $(then $check:ident)?;)*) => {
        mod sqlite {
            use super::*;

            test_on!(connect::sqlite: $($scenario $(then $check)?;)*);
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            use super::*;

            test_on!(connect::postgres: $($scenario $(then $check)?;)*);
        }

        #[cfg(feature = "mysql")]
        mod mysql {
            use super::*;

            test_on!(connect::mysql: $($scenario $(then $check)?;)*);
        }
    };
}

scenarios! {
    a_row_is_sent_in_the_context_in_which_it_was_written then spans_of_a_row_are_in_the_trace_of_its_request;
    a_row_of_a_transaction_that_is_rolled_back_is_not_sent;
    a_row_that_was_not_marked_is_sent_again_unchanged;
    rows_of_a_relay_that_gave_up_are_released;
    a_send_that_fails_waits_and_is_given_up;
    a_delayed_message_is_linked_and_keeps_its_fields then spans_of_a_delayed_message_are_linked;
    relays_that_run_at_once_send_each_row_once;
    rows_are_sent_in_the_order_in_which_they_were_written;
    an_id_is_stored_once;
    published_rows_can_be_purged;
}

/// Returns a name for tables that no other test and no other run uses.
fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{}_{}_{}", now.as_millis(), std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Connecting to each database. A server that is missing is an error.
mod connect {
    use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

    /// Creates a database in memory, which ends with its only connection.
    pub(super) async fn sqlite() -> SqlitePool {
        SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.expect("it is created")
    }

    #[cfg(feature = "postgres")]
    pub(super) async fn postgres() -> sqlx::PgPool {
        let url = std::env::var("CTX_POSTGRES").unwrap_or("postgres://postgres@127.0.0.1/postgres".to_owned());
        let options = sqlx::postgres::PgPoolOptions::new().max_connections(4);
        options.connect(&url).await.unwrap_or_else(|error| panic!("no PostgreSQL at {url} (`CTX_POSTGRES`): {error}"))
    }

    #[cfg(feature = "mysql")]
    pub(super) async fn mysql() -> sqlx::MySqlPool {
        let url = std::env::var("CTX_MYSQL").unwrap_or("mysql://root@127.0.0.1/test".to_owned());
        let options = sqlx::mysql::MySqlPoolOptions::new().max_connections(4);
        options.connect(&url).await.unwrap_or_else(|error| panic!("no MariaDB at {url} (`CTX_MYSQL`): {error}"))
    }
}
