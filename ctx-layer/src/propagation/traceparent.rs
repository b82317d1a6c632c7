//! The `traceparent` header: the trace, the calling span, and whether the trace is recorded.
//!
//! The rules are those of [W3C Trace Context Level 2](https://www.w3.org/TR/trace-context-2/#traceparent-header).

use std::{fmt, ops::Deref};

use super::list;

/// The length of a header of version 00, in bytes.
pub(super) const LEN: usize = 55;

/// Bit 0: the caller records the trace.
pub(super) const SAMPLED: u8 = 0b01;

/// Bit 1: the last 56 bits of the trace id are random.
pub(super) const RANDOM_TRACE_ID: u8 = 0b10;

/// The content of a `traceparent` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TraceParent {
    /// Numbers, so that they stay in registers.
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

impl TraceParent {
    /// Creates a header; `None` if an id is zero. Unknown flags are dropped.
    pub(super) const fn new(trace_id: [u8; 16], parent_id: [u8; 8], flags: u8) -> Option<Self> {
        Self::of_numbers(u128::from_be_bytes(trace_id), u64::from_be_bytes(parent_id), flags)
    }

    #[inline(always)]
    const fn of_numbers(trace_id: u128, parent_id: u64, flags: u8) -> Option<Self> {
        // An all-zero id is invalid (Trace Context, sections 3.2.2.3 and 3.2.2.4).
        if trace_id == 0 || parent_id == 0 {
            return None;
        }
        // Other flags must be zero (section 3.2.2.5.3).
        Some(TraceParent { trace_id, parent_id, flags: flags & (SAMPLED | RANDOM_TRACE_ID) })
    }

    /// Parses a header's value. Blanks around it are ignored.
    ///
    /// # Errors
    /// Returns an error if it is not valid. It must be ignored then, together with `tracestate`, and a new trace
    /// started.
    #[inline]
    pub(super) fn parse(value: &[u8]) -> Result<Self, TraceParentError> {
        // Whitespace around a field value is not part of it (RFC 9110, section 5.5).
        let value = list::trim(value);
        let Some((known, rest)) = value.split_first_chunk::<LEN>() else {
            return Err(TraceParentError::Length);
        };
        if known[2] != b'-' || known[35] != b'-' || known[52] != b'-' {
            return Err(TraceParentError::Separator);
        }
        let ends = [known[0], known[1], known[53], known[54], b'0', b'0', b'0', b'0'];
        let (ends, is_ends) = eight_digits(u64::from_le_bytes(ends));
        let [version, flags, ..] = ends.to_be_bytes();
        let (upper, is_upper) = sixteen_digits(known, 3);
        let (lower, is_lower) = sixteen_digits(known, 19);
        let (parent_id, is_parent_id) = sixteen_digits(known, 36);
        if !(is_ends && is_upper && is_lower && is_parent_id) {
            return Err(TraceParentError::NotHex);
        }
        match (version, rest) {
            // Version ff is invalid (section 3.2.2.1).
            (0xff, _) => return Err(TraceParentError::Version),
            // Version 00 has exactly four fields (section 3.2.2).
            (0, []) | (1..=0xfe, []) => {}
            // A higher version is parsed as far as it is known, if a `-` follows (section 4.3).
            (1..=0xfe, [b'-', ..]) => {}
            (1..=0xfe, _) => return Err(TraceParentError::Separator),
            (0, _) => return Err(TraceParentError::Length),
        }
        let trace_id = u128::from(upper) << 64 | u128::from(lower);
        Self::of_numbers(trace_id, parent_id, flags).ok_or(TraceParentError::Zero)
    }

    /// Returns the id of the trace.
    pub(super) const fn trace_id(&self) -> [u8; 16] {
        self.trace_id.to_be_bytes()
    }

    /// Returns the id of the calling span.
    pub(super) const fn parent_id(&self) -> [u8; 8] {
        self.parent_id.to_be_bytes()
    }

    /// Returns the known flags: [`SAMPLED`] and [`RANDOM_TRACE_ID`].
    pub(super) const fn flags(&self) -> u8 {
        self.flags
    }

    /// Returns the header's value, of version 00. Does not allocate.
    #[inline]
    pub(super) fn to_text(self) -> TraceParentText {
        let mut text = *b"00-................................-................-..";
        write_hex(&self.trace_id.to_be_bytes(), &mut text[3..35]);
        write_hex(&self.parent_id.to_be_bytes(), &mut text[36..52]);
        write_hex(&[self.flags], &mut text[53..]);
        TraceParentText(text)
    }
}

/// The value of a `traceparent` header, as a string on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TraceParentText([u8; LEN]);

impl Deref for TraceParentText {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        // The bytes are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for TraceParentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for TraceParentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

/// An error in a `traceparent` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceParentError {
    /// The header is too short, or of version 00 and too long.
    Length,
    /// A `-` is missing.
    Separator,
    /// A character is not a lowercase hexadecimal digit.
    NotHex,
    /// The version is `ff`.
    Version,
    /// The trace id or the parent id is zero.
    Zero,
}

impl fmt::Display for TraceParentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TraceParentError::Length => "it is too short or too long",
            TraceParentError::Separator => "a `-` is missing",
            TraceParentError::NotHex => "it has characters other than lowercase hexadecimal digits",
            TraceParentError::Version => "its version is ff",
            TraceParentError::Zero => "an id is zero",
        })
    }
}

impl std::error::Error for TraceParentError {}

/// Parses sixteen digits at a position in a header.
#[inline(always)]
fn sixteen_digits(header: &[u8; LEN], at: usize) -> (u64, bool) {
    let eight = |at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&header[at..at + 8]);
        eight_digits(u64::from_le_bytes(eight))
    };
    let ((upper, is_upper), (lower, is_lower)) = (eight(at), eight(at + 8));
    (u64::from(upper) << 32 | u64::from(lower), is_upper && is_lower)
}

/// Parses eight digits at once, one byte in each lane of a number.
///
/// Accepts HEXDIGLC (section 3.2), which is lowercase only. Integer parsers would accept signs as well.
#[inline(always)]
const fn eight_digits(text: u64) -> (u32, bool) {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES * 0x80;
    // With ASCII in all lanes, no sum carries into the next. The high bit of a lane is set if the byte is at least the
    // bound.
    let low = text & !HIGH;
    let is_digit = (low + ONES * (0x80 - 0x30)) & !(low + ONES * (0x80 - 0x3a));
    let is_letter = (low + ONES * (0x80 - 0x61)) & !(low + ONES * (0x80 - 0x67));
    let is_hex = (is_digit | is_letter) & !text & HIGH == HIGH;
    let values = (text & (ONES * 0xf)) + ((is_letter & HIGH) >> 7) * 9;
    // The first digit of two is the higher one, and is in the lower lane.
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (((fours | fours >> 16) as u32).swap_bytes(), is_hex)
}

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [b"0123456789abcdef"[byte >> 4], b"0123456789abcdef"[byte & 0xf]];
        byte += 1;
    }
    pairs
};

#[inline(always)]
fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        pair.copy_from_slice(&PAIRS[usize::from(*byte)]);
    }
}
