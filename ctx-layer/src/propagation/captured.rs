//! Captured context for payloads.

use std::fmt;

use super::{
    boundary::Boundary,
    carrier::{Carrier, CarrierMut},
    names,
};

/// The maximum length of a stored value, in bytes. Valid values are shorter.
const MAX_VALUE_LEN: usize = 32 * 1024;

/// A captured context, to be stored in a payload such as a JSON document, a job's row or a task's argument, and
/// [extracted](super::extract()) where the payload is processed.
///
/// It is an ordered map of at most three strings, with the names and values of the headers. With the feature `serde` it
/// is serialized as that map. A deserialized context is as untrusted as a header: other keys, values that are not
/// strings, and strings that are too long are ignored, and [`Trust`](super::Trust) applies to the rest.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, propagation};
///
/// let captured = TENANT_ID.in_scope("acme", propagation::capture);
/// assert_eq!(captured.iter().collect::<Vec<_>>(), [("baggage", "tenant_id=acme")]);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Captured {
    values: [Option<Box<str>>; names::ALL.len()],
}

impl Captured {
    /// Creates an empty one.
    pub const fn new() -> Self {
        Captured { values: [None, None, None] }
    }

    /// Returns the string under a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        position(key).and_then(|at| self.values[at].as_deref())
    }

    /// Sets the string under a key. Other keys and strings that are too long are ignored.
    pub fn insert(&mut self, key: &str, value: &str) {
        if let Some(at) = position(key)
            && value.len() <= MAX_VALUE_LEN
        {
            self.values[at] = Some(value.into());
        }
    }

    /// Returns the keys and strings: `traceparent`, `tracestate` and `baggage`, as far as present.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        names::ALL.into_iter().zip(&self.values).filter_map(|(key, value)| Some((key, value.as_deref()?)))
    }

    /// Returns the number of strings.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Returns `true` if there are no strings.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn position(key: &str) -> Option<usize> {
    names::ALL.iter().position(|known| known.eq_ignore_ascii_case(key))
}

impl fmt::Debug for Captured {
    /// Shows keys and lengths only: the strings are untrusted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, format!("{} bytes", value.len())))).finish()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Captured {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut captured = Captured::new();
        captured.extend(pairs);
        captured
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Extend<(K, V)> for Captured {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        pairs.into_iter().for_each(|(key, value)| self.insert(key.as_ref(), value.as_ref()));
    }
}

impl Carrier for Captured {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        if let Some(value) = self.get(key) {
            line(value.as_bytes());
        }
    }

    fn boundary(&self) -> &'static Boundary {
        Boundary::captured()
    }
}

impl CarrierMut for Captured {
    fn set(&mut self, key: &str, value: &str) {
        self.insert(key, value);
    }

    fn remove(&mut self, key: &str) {
        if let Some(at) = position(key) {
            self.values[at] = None;
        }
    }
}

#[cfg(feature = "serde")]
mod serialized {
    use serde::{
        Deserialize, Deserializer, Serialize, Serializer,
        de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
        ser::SerializeMap,
    };

    use super::*;

    impl Serialize for Captured {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(self.len()))?;
            for (key, value) in self.iter() {
                map.serialize_entry(key, value)?;
            }
            map.end()
        }
    }

    impl<'de> Deserialize<'de> for Captured {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(CapturedVisitor)
        }
    }

    struct CapturedVisitor;

    impl<'de> Visitor<'de> for CapturedVisitor {
        type Value = Captured;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of strings: captured context")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Captured, A::Error> {
            let mut captured = Captured::new();
            // The map's size hint is untrusted, so it reserves nothing.
            while let Some(Known(at)) = map.next_key()? {
                match at {
                    Some(at) => captured.values[at] = map.next_value::<BoundedString>()?.0,
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(captured)
        }
    }

    /// The index of a known key; `None` for any other.
    struct Known(Option<usize>);

    impl<'de> Deserialize<'de> for Known {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct KeyVisitor;

            impl Visitor<'_> for KeyVisitor {
                type Value = Known;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a key")
                }

                fn visit_str<E>(self, key: &str) -> Result<Known, E> {
                    Ok(Known(position(key)))
                }
            }
            deserializer.deserialize_str(KeyVisitor)
        }
    }

    /// A string that is not too long; `None` for anything else.
    struct BoundedString(Option<Box<str>>);

    impl<'de> Deserialize<'de> for BoundedString {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct StringVisitor;

            macro_rules! nothing {
                ($($visit:ident: $type:ty),* $(,)?) => {
                    $(fn $visit<E>(self, _: $type) -> Result<BoundedString, E> {
                        Ok(BoundedString(None))
                    })*
                };
            }

            impl<'de> Visitor<'de> for StringVisitor {
                type Value = BoundedString;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a string")
                }

                fn visit_str<E>(self, text: &str) -> Result<BoundedString, E> {
                    Ok(BoundedString((text.len() <= MAX_VALUE_LEN).then(|| text.into())))
                }

                nothing!(
                    visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128,
                    visit_f64: f64, visit_bytes: &[u8],
                );

                fn visit_unit<E>(self) -> Result<BoundedString, E> {
                    Ok(BoundedString(None))
                }

                fn visit_none<E>(self) -> Result<BoundedString, E> {
                    Ok(BoundedString(None))
                }

                fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<BoundedString, D::Error> {
                    BoundedString::deserialize(deserializer)
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BoundedString, A::Error> {
                    while seq.next_element::<IgnoredAny>()?.is_some() {}
                    Ok(BoundedString(None))
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BoundedString, A::Error> {
                    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                    Ok(BoundedString(None))
                }
            }
            // Formats that are not self-describing contain only strings here.
            if deserializer.is_human_readable() {
                deserializer.deserialize_any(StringVisitor)
            } else {
                deserializer.deserialize_str(StringVisitor)
            }
        }
    }
}
