//! Carriers, from which context is read and to which it is written: headers, attributes, variables.

use std::{rc::Rc, sync::Arc};

use super::boundary::Boundary;

/// A carrier from which context is read.
///
/// Implemented for maps, lists of pairs, `http::HeaderMap`, JSON objects, the process environment,
/// [captured](super::Captured) context, for references, boxes and `Arc`s of these and, with [`OtelExtractor`](super::carriers::OtelExtractor), for all
/// extractors of OpenTelemetry. See [`carriers`](super::carriers). For any other type use
/// [`extract_with`](super::extract_with), or implement this trait:
///
/// ```
/// use ctx_layer::propagation::{self, Carrier, Trust};
///
/// struct Message {
///     headers: Vec<(&'static str, Vec<u8>)>,
/// }
///
/// impl Carrier for Message {
///     fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
///         for (_, value) in self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)) {
///             line(value);
///         }
///     }
/// }
///
/// let parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_vec();
/// let message = Message { headers: vec![("Traceparent", parent)] };
/// assert!(propagation::extract(&message, Trust::internal()).is_continued());
/// ```
pub trait Carrier {
    /// Calls `line` with each value under `key`, in order. Keys are case-insensitive.
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8]));

    /// Returns the boundary that counts what is read, if the caller names none. Defaults to [`Boundary::unnamed`].
    fn boundary(&self) -> &'static Boundary {
        Boundary::unnamed()
    }
}

/// A carrier to which context is written.
///
/// Implemented for the same types as [`Carrier`], for `Command`s and, with [`OtelInjector`](super::carriers::OtelInjector), for all injectors of
/// OpenTelemetry. For any other type use [`inject_with`](super::inject_with).
pub trait CarrierMut {
    /// Sets `key` to one value and replaces any previous ones.
    fn set(&mut self, key: &str, value: &str);

    /// Removes the values under `key`: they belong to another request.
    fn remove(&mut self, key: &str);

    /// Returns `true` if others than the recipient can read the carrier, as with environment variables. Sensitive
    /// fields are never written to such a carrier. Defaults to `false`.
    fn is_exposed(&self) -> bool {
        false
    }
}

macro_rules! carrier_behind {
    ($($pointer:ty)*) => {$(
        impl<C: Carrier + ?Sized> Carrier for $pointer {
            fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
                (**self).lines(key, line);
            }

            fn boundary(&self) -> &'static Boundary {
                (**self).boundary()
            }
        }
    )*};
}

carrier_behind!(&C &mut C Box<C> Rc<C> Arc<C>);

/// An empty carrier if `None`, such as a row without captured context.
impl<C: Carrier> Carrier for Option<C> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|carrier| carrier.lines(key, line));
    }

    fn boundary(&self) -> &'static Boundary {
        self.as_ref().map_or(Boundary::unnamed(), C::boundary)
    }
}

impl<C: CarrierMut + ?Sized> CarrierMut for &mut C {
    fn set(&mut self, key: &str, value: &str) {
        (**self).set(key, value);
    }

    fn remove(&mut self, key: &str) {
        (**self).remove(key);
    }

    fn is_exposed(&self) -> bool {
        (**self).is_exposed()
    }
}
