//! Fields of every type.

use std::{fmt, num::ParseIntError, str::FromStr};

ctx_layer::context_fields! {
    /// How often the request was tried.
    pub static ATTEMPT: i64 = "attempt";
    /// The shard that holds the tenant's data.
    pub static SHARD: u64 = "shard" => propagated, baggage_key("x-shard");
    /// The share of requests that are traced.
    pub static RATIO: f64 = "ratio";
    /// `true` if the user sees unreleased features.
    pub static BETA: bool = "beta";
    /// The plan that the tenant pays for.
    pub static PLAN: Plan = "plan" => propagated, max_len(16);
    /// The user's address, which is masked.
    pub static EMAIL: String = "email" => masked;
    /// The user's address, which is hashed.
    pub static HASHED_EMAIL: String = "email_hash" => hashed;
}

/// A user-defined type.
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
