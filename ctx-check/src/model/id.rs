//! The ids of traces and spans.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};

/// The id of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub u128);

/// The id of a span. Zero is no span: the parent of a root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(pub u64);

impl TraceId {
    /// Parses up to 32 hexadecimal digits of either case. Zipkin and Jaeger leave leading zeros out.
    ///
    /// Returns `None` for another string and for an id of zeros.
    pub fn parse(text: &str) -> Option<Self> {
        hexadecimal(text.as_bytes(), 32).filter(|id| *id != 0).map(Self)
    }

    /// Parses 16 bytes in Base64: 24 characters with their padding, which are no hexadecimal digits of another id.
    ///
    /// Returns `None` for another string and for an id of zeros.
    pub fn parse_base64(text: &str) -> Option<Self> {
        Self::from_bytes(&base64::<16>(text)?)
    }

    /// Returns the id of 16 bytes, or `None` for another length and for an id of zeros.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u128::from_be_bytes).filter(|id| *id != 0).map(Self)
    }
}

impl SpanId {
    /// No span.
    pub const NONE: Self = Self(0);

    /// Parses up to 16 hexadecimal digits of either case.
    ///
    /// Returns `None` for another string and for an id of zeros.
    pub fn parse(text: &str) -> Option<Self> {
        hexadecimal(text.as_bytes(), 16).filter(|id| *id != 0).map(|id| Self(id as u64))
    }

    /// Parses 8 bytes in Base64: 12 characters with their padding, which are no hexadecimal digits of another id.
    ///
    /// Returns `None` for another string and for an id of zeros.
    pub fn parse_base64(text: &str) -> Option<Self> {
        Self::from_bytes(&base64::<8>(text)?)
    }

    /// Returns the id of 8 bytes, or `None` for another length and for an id of zeros.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u64::from_be_bytes).filter(|id| *id != 0).map(Self)
    }

    /// Returns `true` if this is no span.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The value of a digit, or 16 and more for what is no digit.
const DIGITS: [u8; 256] = {
    let mut digits = [16; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

fn hexadecimal(digits: &[u8], longest: usize) -> Option<u128> {
    if digits.is_empty() || digits.len() > longest {
        return None;
    }
    let (mut high, mut low, mut seen) = (0_u64, 0_u64, 0_u8);
    let (first, last) = digits.split_at(digits.len().saturating_sub(16));
    for (part, digits) in [(&mut high, first), (&mut low, last)] {
        for digit in digits {
            let value = DIGITS[*digit as usize];
            seen |= value;
            *part = *part << 4 | u64::from(value & 15);
        }
    }
    (seen < 16).then_some(u128::from(high) << 64 | u128::from(low))
}

fn base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    // Three bytes of room more: the decoder writes whole groups of four characters.
    let mut bytes = [0; 18];
    let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes[..length].try_into().ok()
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_digits_of_either_case() {
        assert_eq!(
            TraceId::parse("0AF7651916cd43dd8448eb211c80319c").map(|id| id.to_string()).as_deref(),
            Some("0af7651916cd43dd8448eb211c80319c")
        );
        assert_eq!(TraceId::parse("b7ad6b7169203331"), Some(TraceId(0xb7ad_6b71_6920_3331)));
        assert_eq!(SpanId::parse("1"), Some(SpanId(1)));
        for wrong in ["", "0", "0000000000000000", "g", "+1", "0x1", "12345678901234567"] {
            assert_eq!(SpanId::parse(wrong), None, "{wrong}");
        }
        assert_eq!(TraceId::parse("0af7651916cd43dd8448eb211c80319c0"), None);
    }

    #[test]
    fn ids_in_base64_are_of_their_length_only() {
        let id = TraceId::parse_base64("QpC1h3qZMN55u0KDZTmOzA==");
        assert_eq!(id.map(|id| id.to_string()).as_deref(), Some("4290b5877a9930de79bb428365398ecc"));
        assert_eq!(SpanId::parse_base64("AAAAAABkfZg="), Some(SpanId(0x64_7d98)));
        for wrong in [
            "",
            "AAAAAAAAAAA=",
            "AAAAAABkfZg",
            "AAAAAABkfZgA",
            "0af7651916cd43dd8448eb211c80319c",
            "QpC1h3qZMN55u0KDZTmOzA==",
        ] {
            assert_eq!(SpanId::parse_base64(wrong), None, "{wrong}");
        }
    }
}
