//! The kinds of lines.

use super::escape::Escaping;

/// A key as it is written, with all that is between it and the value.
pub(super) type Key = Box<[u8]>;

/// How members of a line are written.
pub(super) trait Notation: Escaping + Sized + 'static {
    /// Tells this notation from others.
    const ID: u8;

    /// Returns the key of this name.
    fn key(name: &str) -> Key;

    /// Returns the key that a member begins with.
    fn key_of(member: &[u8]) -> &[u8];

    /// Appends an integer. It may be one that does not fit into 64 bits, and then is not `is_narrow`.
    fn push_wide(bytes: &mut Vec<u8>, digits: &str, is_narrow: bool);

    /// Appends a float.
    fn push_f64(bytes: &mut Vec<u8>, value: f64);
}
