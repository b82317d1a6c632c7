//! What context is read from and written to: headers, attributes, variables.

use std::{rc::Rc, sync::Arc};

use opentelemetry::propagation::{Extractor, Injector};

use super::{Boundary, names};

/// What context is read from.
///
/// Implemented for maps, lists of pairs, `http::HeaderMap`, JSON objects, the process environment, what was
/// [captured](super::Captured), for references, boxes and `Arc`s of such and, by [`OtelExtractor`], for everything that
/// OpenTelemetry knows; see [`carriers`](crate::carriers). For anything else there is [`extract_with`](super::extract_with), or this:
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
    /// Calls `line` with each value that stands under `key`, in order. Keys are compared regardless of case.
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8]));

    /// The boundary under which is counted what is read, where none is named. Defaults to [`Boundary::unnamed`].
    fn boundary(&self) -> &'static Boundary {
        Boundary::unnamed()
    }
}

/// What context is written to.
///
/// Implemented for the same types as [`Carrier`], for `Command`s, and by [`OtelInjector`] for everything that
/// OpenTelemetry knows. For anything else there is [`inject_with`](super::inject_with).
pub trait CarrierMut {
    /// Sets `key` to one value, whatever stood there before.
    fn set(&mut self, key: &str, value: &str);

    /// Takes away what stands under `key`: it is of another request.
    fn remove(&mut self, key: &str);

    /// Whether others than the recipient may read it, as environment variables. Sensitive fields never stand there.
    /// Defaults to `false`.
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

/// A carrier without its baggage: what is linked to is a span, and nothing is to be believed.
pub(crate) struct TraceOnly<'a, C: ?Sized>(pub(crate) &'a C);

impl<C: Carrier + ?Sized> Carrier for TraceOnly<'_, C> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        if key != names::BAGGAGE {
            self.0.lines(key, line);
        }
    }

    fn boundary(&self) -> &'static Boundary {
        self.0.boundary()
    }
}

/// Nothing to read where there is none: a row without captured context.
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

/// A carrier by what OpenTelemetry reads it with.
#[allow(missing_debug_implementations)] // An `Extractor` need not have it.
#[derive(Clone, Copy)]
pub struct OtelExtractor<'a>(pub &'a dyn Extractor);

impl Carrier for OtelExtractor<'_> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        // One that can only give one line does so here.
        self.0.get_all(key).into_iter().flatten().for_each(|value| line(value.as_bytes()));
    }
}

/// A carrier by what OpenTelemetry writes it with.
///
/// Such a carrier can only be added to: what was there of another request stays, unless it is set anew.
#[allow(missing_debug_implementations)] // An `Injector` need not have it.
pub struct OtelInjector<'a>(pub &'a mut dyn Injector);

impl CarrierMut for OtelInjector<'_> {
    fn set(&mut self, key: &str, value: &str) {
        self.0.set(key, value.to_owned());
    }

    fn remove(&mut self, _key: &str) {}
}

/// A closure that is read: what is under a key, none, one or several values.
pub(super) struct Getter<F>(pub(super) F);

impl<F, L, V> Carrier for Getter<F>
where
    F: Fn(&str) -> L,
    L: IntoIterator<Item = V>,
    V: AsRef<[u8]>,
{
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        (self.0)(key).into_iter().for_each(|value| line(value.as_ref()));
    }
}

/// A closure that is written to.
pub(super) struct Setter<F>(pub(super) F);

impl<F: FnMut(&str, &str)> CarrierMut for Setter<F> {
    fn set(&mut self, key: &str, value: &str) {
        (self.0)(key, value);
    }

    fn remove(&mut self, _key: &str) {}
}
