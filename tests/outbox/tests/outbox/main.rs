//! The outbox: what was captured with a row leaves, under that row's context, also after a crash. The same tests run on SQLite and,
//! with the features `postgres` and `mysql`, on real servers.

mod crash;
mod databases;
mod scenarios;
mod shared;
