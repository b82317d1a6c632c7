//! Setting fields from strings that were received.

use std::mem;
#[cfg(feature = "http-server")]
use std::str::FromStr;

#[cfg(feature = "http-server")]
use super::parser::parse_as;
use super::{declaration::Declaration, entry::Entry, fields::Fields, presenter, refused::Refused};

/// Parses an untrusted string as a field's value.
///
/// # Errors
/// Returns an error if the string does not [pass the checks](check_untrusted), or does not parse as the field's type.
#[cfg(feature = "http-server")]
pub(crate) fn parse_untrusted<T: FromStr + 'static>(declaration: &Declaration, untrusted: &str) -> Result<T, Refused> {
    check_untrusted(declaration, untrusted, false)?;
    parse_as(untrusted)
}

/// Checks an untrusted string by the rules for all types. The check for printable characters is skipped if
/// `is_printable`.
fn check_untrusted(declaration: &Declaration, untrusted: &str, is_printable: bool) -> Result<(), Refused> {
    if untrusted.len() > declaration.policy().max_text_len() {
        return Err(Refused::TooLong);
    }
    if is_printable { Ok(()) } else { presenter::check(untrusted) }
}

impl Fields {
    /// Sets a field from baggage, which is untrusted. The check for printable characters is skipped if `is_printable`.
    pub(crate) fn set_from_baggage(
        &mut self,
        declaration: &'static Declaration,
        untrusted: &str,
        is_printable: bool,
    ) -> Result<(), Refused> {
        if !declaration.policy().is_from_baggage() {
            return Err(Refused::NotFromBaggage);
        }
        check_untrusted(declaration, untrusted, is_printable)?;
        let parse = declaration.parse().ok_or(Refused::WrongType)?;
        let value = (parse.0)(declaration.policy(), untrusted)?;
        *self = mem::take(self).with_entry(Entry::of(declaration, value));
        Ok(())
    }
}
