//! Values that must not be in telemetry.

use std::{collections::HashSet, sync::LazyLock};

use memchr::{memchr, memmem::Finder};
use regex::{Regex, RegexSet};
use sha2::{Digest, Sha256};

use super::keys::Known;
use crate::settings::Sensitive;

/// Finds sensitive values.
pub(super) struct Detector {
    builtin: bool,
    names: Vec<String>,
    patterns: RegexSet,
    hashes: HashSet<[u8; 32]>,
}

impl Detector {
    pub(super) fn new(settings: &Sensitive) -> Result<Self, regex::Error> {
        for pattern in settings.patterns.values() {
            Regex::new(pattern)?;
        }
        let hashes = settings.hashes.iter().filter_map(|hash| {
            let mut bytes = [0; 32];
            for (byte, digits) in bytes.iter_mut().zip(hash.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            }
            (hash.len() == 64).then_some(bytes)
        });
        Ok(Self {
            builtin: settings.builtin,
            names: settings.patterns.keys().cloned().collect(),
            patterns: RegexSet::new(settings.patterns.values())?,
            hashes: hashes.collect(),
        })
    }

    /// Returns the kind of sensitive value that this is, if it is one.
    pub(super) fn find(&self, key: Known, value: &str) -> Option<&str> {
        if key.is_allowed || value.is_empty() {
            return None;
        }
        if self.builtin && key.is_secret && !is_masked(value) {
            return Some("a value under the name of a secret");
        }
        self.find_in(value, !key.is_program)
    }

    /// Returns the kind of sensitive value that a message contains, if it does.
    pub(super) fn find_in_message(&self, value: &str) -> Option<&str> {
        self.find_in(value, true)
    }

    fn find_in(&self, value: &str, has_emails: bool) -> Option<&str> {
        if self.builtin
            && let Some(what) = builtin(value.as_bytes(), has_emails)
        {
            return Some(what);
        }
        if !self.hashes.is_empty() && self.hashes.contains(&<[u8; 32]>::from(Sha256::digest(value))) {
            return Some("a value whose hash was given");
        }
        let found = self.patterns.matches(value).iter().next()?;
        self.names.get(found).map(|name| &**name)
    }
}

/// Returns `true` for a mask of a value: `***`, `[redacted]`, a salted hash.
fn is_masked(value: &str) -> bool {
    let plain = value.trim_matches(['[', ']', '<', '>', '(', ')']).to_ascii_lowercase();
    plain.bytes().all(|byte| matches!(byte, b'*' | b'x' | b'.'))
        || ["redacted", "masked", "filtered", "hidden", "removed"].iter().any(|word| plain.starts_with(word))
        || plain.starts_with("sha256:")
        || matches!(&*plain, "true" | "false")
}

// To prepare a search costs more than the search.
static WEB_TOKEN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("eyJ"));
static BEGIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("-----BEGIN "));
static PRIVATE_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("PRIVATE KEY-----"));
static AWS_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("AKIA"));
static AWS_SESSION_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ASIA"));

fn builtin(value: &[u8], has_emails: bool) -> Option<&'static str> {
    if value.len() < 6 {
        return None;
    }
    if has_emails && memchr(b'@', value).is_some() && has_email(value) {
        return Some("an e-mail address");
    }
    if value.len() >= 13 && has_card(value) {
        return Some("the number of a card");
    }
    if value.len() >= 16 {
        if WEB_TOKEN.find(value).is_some_and(|at| is_web_token(&value[at..])) {
            return Some("a JSON Web Token");
        }
        if BEGIN.find(value).is_some() && PRIVATE_KEY.find(value).is_some() {
            return Some("a private key");
        }
        if [&AWS_KEY, &AWS_SESSION_KEY].iter().any(|prefix| {
            prefix.find(value).is_some_and(|at| {
                let rest = &value[at..];
                rest.len() >= 20 && rest[4..20].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            })
        }) {
            return Some("a key of AWS");
        }
        if value.starts_with(b"Bearer ") || value.starts_with(b"Basic ") && value.len() > 20 {
            return Some("a header with a token");
        }
    }
    None
}

/// `name@host.domain`. The password of a URL, `redis://user:pass@host.domain`, is one, too.
fn has_email(value: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = memchr(b'@', &value[from..]).map(|at| from + at) {
        let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'%');
        let local = value[..at].iter().rev().take_while(|byte| is_local(byte)).count();
        let host = value[at + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            .count();
        let host = &value[at + 1..at + 1 + host];
        let domain = host.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if local > 0 && domain >= 2 && host.len() > domain + 1 && host[host.len() - domain - 1] == b'.' {
            return true;
        }
        from = at + 1;
    }
    false
}

/// 13 to 19 digits with a right checksum (ISO/IEC 7812-1, annex B), which may be in groups, and start like those of an issuer of cards.
fn has_card(value: &[u8]) -> bool {
    let mut at = 0;
    while at < value.len() {
        if !value[at].is_ascii_digit()
            || at > 0 && (value[at - 1].is_ascii_alphanumeric() || matches!(value[at - 1], b'.' | b'-' | b'_'))
        {
            at += 1;
            continue;
        }
        let mut digits = [0_u8; 20];
        let mut number = 0;
        let mut end = at;
        while end < value.len() && number < 20 {
            match value[end] {
                digit if digit.is_ascii_digit() => {
                    digits[number] = digit - b'0';
                    number += 1;
                }
                b' ' | b'-' if number % 4 == 0 && value.get(end + 1).is_some_and(u8::is_ascii_digit) => {}
                _ => break,
            }
            end += 1;
        }
        let is_alone = value.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        // Time stamps in nanoseconds have 19 digits, and in microseconds 16: they start with 1.
        if is_alone && (13..=19).contains(&number) && matches!(digits[0], 3..=6) && luhn(&digits[..number]) {
            return true;
        }
        at = end.max(at + 1);
    }
    false
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match u32::from(*digit) * (1 + at as u32 % 2) {
            doubled @ 10.. => doubled - 9,
            digit => digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Three parts of Base64 with a header that is a JSON object.
fn is_web_token(value: &[u8]) -> bool {
    let is_of_it = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let token = &value[..value.iter().take_while(is_of_it).count()];
    token.iter().filter(|byte| **byte == b'.').count() == 2 && token.len() > 40
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitive_values_are_found() {
        for (value, kind) in [
            ("ada@example.com", "an e-mail address"),
            ("sent to <ada.l+x@mail.example.co.uk>!", "an e-mail address"),
            ("4111 1111 1111 1111", "the number of a card"),
            ("card=5500005555555559;", "the number of a card"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "a JSON Web Token"),
            ("AKIAIOSFODNN7EXAMPLE", "a key of AWS"),
            ("Bearer 0123456789abcdef", "a header with a token"),
            ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ] {
            assert_eq!(builtin(value.as_bytes(), true), Some(kind), "{value}");
        }
    }

    #[test]
    fn harmless_values_are_not_found() {
        for value in [
            "4111111111111112",
            "1795782896123456000",
            "0af7651916cd43dd8448eb211c80319c",
            "@",
            "a@b",
            "user@localhost",
            "@decorator.example",
            "550e8400-e29b-41d4-a716-446655440000",
            "GET /orders/{id}",
            "3.14159265358979",
            "eyJ",
            "",
        ] {
            assert_eq!(builtin(value.as_bytes(), true), None, "{value}");
        }
        assert!(is_masked("***") && is_masked("[REDACTED]") && !is_masked("hunter2"));
    }
}
