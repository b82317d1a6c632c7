//! Fields of every type.

use std::{fmt, num::ParseIntError, str::FromStr};

ctx_layer::context_fields! {
    /// How often the request was tried.
    pub static ATTEMPT: i64 = "attempt";
    /// The shard that holds the tenant's data.
    pub static SHARD: u64 = "shard" => propagated, baggage_key("x-shard");
    /// The share of requests that are traced.
    pub static RATIO: f64 = "ratio";
    /// Whether the user sees what is not released yet.
    pub static BETA: bool = "beta";
    /// What the tenant pays for.
    pub static PLAN: Plan = "plan" => propagated, max_len(16);
    /// The user's address; never shown.
    pub static EMAIL: String = "email" => masked;
    /// The user's address; only told to be the same.
    pub static HASHED_EMAIL: String = "email_hash" => hashed;
}

/// A type of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan(pub u8);

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan-{}", self.0)
    }
}

impl FromStr for Plan {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.strip_prefix("plan-").unwrap_or(text).parse().map(Plan)
    }
}
