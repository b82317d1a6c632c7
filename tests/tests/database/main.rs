//! Databases: comments in statements, and spans of calls.

mod calls;
mod comments;
