//! The salted hash in which a sensitive field may be shown.

use std::{
    collections::hash_map::RandomState,
    fmt::{self, Write},
    hash::{BuildHasher, Hasher},
    sync::OnceLock,
};

use sha2::{Digest, Sha256};

static SALT: OnceLock<Box<[u8]>> = OnceLock::new();

/// Sets the salt of [`Sensitivity::Hashed`](super::Sensitivity::Hashed) fields, once, at start-up.
///
/// Services that share a salt show the same hash for the same value. Without one, each process makes up a random
/// salt: hashes can be compared within the process and nowhere else, which is the safe default.
///
/// Take 16 random bytes or more, and keep them as secret as the values: who has the salt finds a short value, such as a
/// telephone number, by trying them all.
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
/// When a salt is in use already, because it was set before or a hashed field was shown.
pub fn set_hash_salt(salt: &[u8]) -> Result<(), SaltAlreadyInUse> {
    SALT.set(salt.into()).map_err(|_| SaltAlreadyInUse)
}

/// A hash salt was set too late: hashes have been shown with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaltAlreadyInUse;

impl fmt::Display for SaltAlreadyInUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the hash salt is already in use: call `set_hash_salt` once, before the subscriber is installed")
    }
}

impl std::error::Error for SaltAlreadyInUse {}

/// 32 hexadecimal digits: 128 bits of SHA-256 over salt, field name and value.
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
    // A `Display` that fails is hashed as far as it came.
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
