//! Recognising names of secrets.
//!
//! The macros check the names of arguments by the same rules. The code is in `ctx-macros`, which cannot export functions.

ctx_macros::secret_name!();
