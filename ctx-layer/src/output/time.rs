//! Timestamps.

use std::{
    cell::Cell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// `2026-11-27T11:54:05`, in ASCII.
type Second = [u8; 19];

thread_local! {
    /// The text of the last second of this thread's lines: nearly always the next one's, too. Has no destructor.
    static LAST: Cell<(i64, Second)> = const { Cell::new((0, *b"1970-01-01T00:00:00")) };
}

/// Appends a time as RFC 3339 has it: UTC, microseconds. Years before 0 and after 9999 are not in RFC 3339: the nearest time that
/// is stands for them.
pub(super) fn push_rfc3339(bytes: &mut Vec<u8>, time: SystemTime) {
    let (second, nanos) = since_epoch(time);
    let (last, mut text) = LAST.get();
    let micros = nanos / 1000;
    if second != last {
        let clamped = second.clamp(FIRST, FINAL);
        text = text_of(clamped);
        if clamped != second {
            let rest = if second < FIRST { *b".000000Z" } else { *b".999999Z" };
            bytes.extend_from_slice(&text);
            return bytes.extend_from_slice(&rest);
        }
        LAST.set((second, text));
    }
    // In two stores: what is written byte by byte would have to be waited for when it is copied.
    bytes.extend_from_slice(&text);
    let digit = |number: u32, place: u32| u64::from(b'0' as u32 + number % 10) << (8 * place);
    let digits = digit(micros / 100_000, 1)
        | digit(micros / 10_000, 2)
        | digit(micros / 1000, 3)
        | digit(micros / 100, 4)
        | digit(micros / 10, 5)
        | digit(micros, 6);
    bytes.extend_from_slice(&(u64::from(b'.') | digits | u64::from(b'Z') << 56).to_le_bytes());
}

#[cfg(feature = "json")]
/// Appends a time as nanoseconds since the Unix epoch.
pub(super) fn push_unix_nanos(bytes: &mut Vec<u8>, time: SystemTime) {
    let (second, nanos) = since_epoch(time);
    let nanos = i128::from(second) * 1_000_000_000 + i128::from(nanos);
    bytes.extend_from_slice(itoa::Buffer::new().format(nanos).as_bytes());
}

/// The first and the last second that RFC 3339 can say.
const FIRST: i64 = -62_167_219_200;
const FINAL: i64 = 253_402_300_799;

/// Seconds since the Unix epoch, and nanoseconds after that.
#[inline]
fn since_epoch(time: SystemTime) -> (i64, u32) {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (whole_seconds(since), since.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            let nanos = before.subsec_nanos();
            let seconds = -whole_seconds(before);
            if nanos == 0 { (seconds, 0) } else { (seconds - 1, 1_000_000_000 - nanos) }
        }
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// By Howard Hinnant's `civil_from_days`.
#[cold]
fn text_of(second: i64) -> Second {
    let (days, rest) = (second.div_euclid(86_400), second.rem_euclid(86_400) as u32);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00";
    put_digits(&mut text[..4], year as u32);
    put_digits(&mut text[5..7], month as u32);
    put_digits(&mut text[8..10], day as u32);
    put_digits(&mut text[11..13], rest / 3600);
    put_digits(&mut text[14..16], rest / 60 % 60);
    put_digits(&mut text[17..], rest % 60);
    text
}

#[inline]
fn put_digits(places: &mut [u8], mut number: u32) {
    for place in places.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, nanos: u32) -> SystemTime {
        let nanos = Duration::from_nanos(u64::from(nanos));
        if second >= 0 {
            UNIX_EPOCH + Duration::from_secs(second as u64) + nanos
        } else {
            UNIX_EPOCH - Duration::from_secs(second.unsigned_abs()) + nanos
        }
    }

    fn rfc3339(second: i64, nanos: u32) -> String {
        let mut bytes = Vec::new();
        push_rfc3339(&mut bytes, at(second, nanos));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        for (second, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (951_827_696, 123_456_789, "2000-02-29T12:34:56.123456Z"),
            (951_827_696, 999, "2000-02-29T12:34:56.000000Z"),
            (1_709_251_199, 999_999_999, "2024-02-29T23:59:59.999999Z"),
            (-1, 500_000_000, "1969-12-31T23:59:59.500000Z"),
            (-86_400, 0, "1969-12-31T00:00:00.000000Z"),
            (FINAL, 0, "9999-12-31T23:59:59.000000Z"),
            (FINAL + 1, 0, "9999-12-31T23:59:59.999999Z"),
            (FIRST, 1000, "0000-01-01T00:00:00.000001Z"),
            (FIRST - 1, 0, "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(rfc3339(second, nanos), text);
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn nanoseconds_are_counted_from_the_epoch() {
        for (second, nanos, text) in [(1_586_960_586, 1, "1586960586000000001"), (-1, 999_999_999, "-1"), (0, 0, "0")] {
            let mut bytes = Vec::new();
            push_unix_nanos(&mut bytes, at(second, nanos));
            assert_eq!(String::from_utf8(bytes).unwrap(), text);
        }
    }
}
