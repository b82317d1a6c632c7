//! The values that are added.

use smallvec::SmallVec;
use tracing_core::field::Value;

/// The values of a span or event, each at its field's index.
pub(in crate::layer) type RewriteValues<'a> = [Option<&'a (dyn Value + 'a)>];

/// Strings to add, each with the index of its field. What `tracing` is given points to a `&str`, which has to be stored.
pub(in crate::layer) type AddedStrings<'a> = SmallVec<[(usize, &'a str); 8]>;

/// Values to add to a source's own.
pub(in crate::layer) trait Additions {
    /// Adds values, and stores the strings to add.
    fn add<'a: 'v, 'v>(&'a self, values: &mut RewriteValues<'v>, strings: &mut AddedStrings<'a>);
}

/// Puts strings at the indices of their fields.
#[inline(always)]
pub(super) fn add_strings<'v>(values: &mut RewriteValues<'v>, strings: &'v [(usize, &'v str)]) {
    for (index, string) in strings {
        if let Some(value) = values.get_mut(*index) {
            *value = Some(string);
        }
    }
}
