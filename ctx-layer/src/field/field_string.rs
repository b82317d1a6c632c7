//! A string that is cheap to create and to clone.

use std::{borrow::Borrow, borrow::Cow, convert::Infallible, fmt, ops::Deref, str::FromStr, sync::Arc};

use smol_str::SmolStr;

/// A string that is cheap to create and to clone: the type of the [well-known](super::well_known) fields.
///
/// A string of up to 23 bytes is stored inline, and so is not allocated. A longer one is shared, and cloning it counts a
/// reference. [`from_static`](Self::from_static) and the conversion from an `Arc<str>` never copy.
///
/// It dereferences to `str` and compares with strings of all types.
///
/// ```
/// use ctx_layer::field::{FieldString, well_known::TENANT_ID};
///
/// let _guard = TENANT_ID.attach("acme");
/// let tenant: FieldString = TENANT_ID.get().unwrap_or_default();
/// assert_eq!(tenant, "acme");
/// assert!(tenant.starts_with("ac"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldString(SmolStr);

impl FieldString {
    /// Creates a string from a static one. Does not allocate, whatever its length.
    ///
    /// ```
    /// use ctx_layer::field::FieldString;
    ///
    /// const REGION: FieldString = FieldString::from_static("the region in which this process runs");
    /// assert_eq!(REGION.len(), 37);
    /// ```
    pub const fn from_static(text: &'static str) -> Self {
        FieldString(SmolStr::new_static(text))
    }

    /// Returns the string.
    #[inline]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for FieldString {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for FieldString {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for FieldString {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for FieldString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for FieldString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl FromStr for FieldString {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

macro_rules! from {
    ($($type:ty),*) => {
        $(impl From<$type> for FieldString {
            #[inline]
            fn from(text: $type) -> Self {
                FieldString(SmolStr::from(text))
            }
        })*
    };
}
from!(&str, &mut str, &String, String, Box<str>, Arc<str>, Cow<'_, str>);

impl From<&FieldString> for FieldString {
    fn from(text: &FieldString) -> Self {
        text.clone()
    }
}

impl From<char> for FieldString {
    fn from(char: char) -> Self {
        FieldString::from(&*char.encode_utf8(&mut [0; 4]))
    }
}

impl From<FieldString> for String {
    fn from(text: FieldString) -> Self {
        text.0.into()
    }
}

impl From<FieldString> for Arc<str> {
    fn from(text: FieldString) -> Self {
        text.0.into()
    }
}

macro_rules! equals {
    ($($type:ty),*) => {
        $(impl PartialEq<$type> for FieldString {
            fn eq(&self, other: &$type) -> bool {
                self.as_str() == &other[..]
            }
        }

        impl PartialEq<FieldString> for $type {
            fn eq(&self, other: &FieldString) -> bool {
                other == self
            }
        })*
    };
}
equals!(str, &str, String);

#[cfg(feature = "serde")]
impl serde::Serialize for FieldString {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for FieldString {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes a borrowed string without copying it to the heap first.
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = FieldString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FieldString, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_all_types_become_the_same_field_string() {
        for text in ["", "acme", "a tenant's name that is longer than the room inside"] {
            let of_all: [FieldString; 7] = [
                text.into(),
                text.to_owned().into(),
                (&text.to_owned()).into(),
                Box::<str>::from(text).into(),
                Arc::<str>::from(text).into(),
                Cow::Borrowed(text).into(),
                text.parse().unwrap_or_default(),
            ];
            for of_one in of_all {
                assert!(of_one == text && *text == of_one && of_one == *text.to_owned());
                assert_eq!((of_one.to_string(), format!("{of_one:?}")), (text.to_owned(), format!("{text:?}")));
                assert_eq!((String::from(of_one.clone()), &*Arc::<str>::from(of_one)), (text.to_owned(), text));
            }
        }
    }

    #[test]
    fn a_long_string_is_shared_and_not_copied() {
        let shared = Arc::<str>::from("a tenant's name that is longer than the room inside");
        let text = FieldString::from(shared.clone());
        assert!(std::ptr::eq(text.as_str(), &*shared) && std::ptr::eq(text.clone().as_str(), &*shared));
    }
}
