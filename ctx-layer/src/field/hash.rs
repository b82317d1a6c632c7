//! The salted hash that outputs show in place of a sensitive value.

use std::{
    collections::hash_map::RandomState,
    fmt::{self, Write},
    hash::{BuildHasher, Hasher},
    sync::OnceLock,
};

use sha2::{Digest, Sha256};

static SALT: OnceLock<Box<[u8]>> = OnceLock::new();

/// Sets the salt of `hashed` fields. Call it once, at start-up.
///
/// Services that share a salt show the same hash for the same value. Without a salt, each process uses a random one, so
/// that hashes can be compared only within the process. That is the safe default.
///
/// Use at least 16 random bytes, and keep them as secret as the values: with the salt, a short value such as a
/// telephone number can be found by trying all of them.
///
/// ```no_run
/// use ctx_layer::field::set_hash_salt;
///
/// // Before the subscriber is installed.
/// let salt = std::env::var("HASH_SALT")?;
/// set_hash_salt(salt.as_bytes())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns an error if the salt is empty, as an unset environment variable may be, or if a salt is already in use: it
/// was set before, or a hashed field was shown.
pub fn set_hash_salt(salt: &[u8]) -> Result<(), SaltError> {
    if salt.is_empty() {
        return Err(SaltError::Empty);
    }
    SALT.set(salt.into()).map_err(|_| SaltError::AlreadyInUse)
}

/// An error of setting the hash salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaltError {
    /// The salt is empty, so that values could be found by hashing guesses.
    Empty,
    /// A salt is already in use: it was set before, or a hashed field was shown.
    AlreadyInUse,
}

impl fmt::Display for SaltError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SaltError::Empty => "the hash salt is empty: use at least 16 random bytes",
            SaltError::AlreadyInUse => {
                "the hash salt is already in use: call `set_hash_salt` once, before the subscriber is installed"
            }
        })
    }
}

impl std::error::Error for SaltError {}

/// Returns 32 hexadecimal digits: 128 bits of SHA-256 over salt, field name and value.
pub(crate) fn hashed(name: &str, value: &dyn fmt::Display) -> Box<str> {
    let salt = SALT.get_or_init(|| {
        let random = || RandomState::new().build_hasher().finish().to_le_bytes();
        [random(), random()].concat().into()
    });
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update([0]);
    hasher.update(name);
    hasher.update([0]);
    // If `Display` fails, what it wrote until then is hashed.
    let _ = write!(HashWriter(&mut hasher), "{value}");
    hasher.finalize()[..16]
        .iter()
        .fold(String::with_capacity(32), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
        .into()
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.update(s);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_salt_and_a_second_salt_are_errors() {
        assert_eq!(set_hash_salt(b""), Err(SaltError::Empty));
        assert_eq!(set_hash_salt(b"0123456789abcdef"), Ok(()));
        assert_eq!(set_hash_salt(b"0123456789abcdef"), Err(SaltError::AlreadyInUse));
        assert_eq!(hashed("name", &"value"), hashed("name", &"value"));
    }
}
