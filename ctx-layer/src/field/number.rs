//! Numbers as short strings.

use std::fmt::{self, Write};

/// The room for a number of any primitive type.
const MAX_LEN: usize = 40;

/// A number as a string, without an allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberText {
    bytes: [u8; MAX_LEN],
    len: usize,
    is_whole: bool,
}

impl NumberText {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for NumberText {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let Some(room) = self.bytes.get_mut(self.len..self.len + s.len()) else {
            self.is_whole = false;
            return Err(fmt::Error);
        };
        room.copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}

/// Returns a number as a string.
pub(crate) fn text_of(number: &impl fmt::Display) -> NumberText {
    write(format_args!("{number}"))
}

/// Returns the shortest string that parses as this float: `1e300` for what `Display` writes in 301 digits.
pub(crate) fn shortest(float: impl fmt::Display + fmt::LowerExp + Copy) -> NumberText {
    let (plain, scientific) = (text_of(&float), write(format_args!("{float:e}")));
    if plain.is_whole && plain.len <= scientific.len { plain } else { scientific }
}

fn write(text: fmt::Arguments<'_>) -> NumberText {
    let mut number = NumberText { bytes: [0; MAX_LEN], len: 0, is_whole: true };
    // Fails if it does not fit.
    let _ = number.write_fmt(text);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_in_the_shorter_of_two_forms() {
        for (float, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (1000.0, "1e3"),
            (100.0, "100"),
            (1e20, "1e20"),
            (1e300, "1e300"),
            (-1e-300, "-1e-300"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(shortest(float).as_str(), text);
        }
        assert_eq!(shortest(0.1_f32).as_str(), "0.1");
        assert_eq!(text_of(&u64::MAX).as_str(), "18446744073709551615");
    }

    #[test]
    fn every_float_parses_as_it_was_written() {
        // Each step reaches another exponent and other digits.
        let mut bits = 0x0123_4567_89ab_cdef_u64;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let float = f64::from_bits(bits ^ bits >> 29);
            if float.is_finite() {
                let text = shortest(float);
                assert_eq!(text.as_str().parse::<f64>().map(f64::to_bits), Ok(float.to_bits()), "{}", text.as_str());
                assert!(text.len <= 24);
            }
        }
    }
}
