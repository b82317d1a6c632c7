//! Integers, in a type that every output supports.

use std::{
    num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize, Wrapping},
    rc::Rc,
    sync::Arc,
};

use tracing::field::{Empty, Value};

use super::shown::Shown;

/// An integer. OpenTelemetry integers are signed, and its layer exports a `u64` as a string.
pub enum Integer {
    None,
    Small(i64),
    Large(u64),
}

impl Shown for Integer {
    fn value(&self) -> &dyn Value {
        match self {
            Integer::None => &Empty,
            Integer::Small(number) => number,
            Integer::Large(number) => number,
        }
    }
}

/// A type that converts to [`Integer`]: signed types, too, so that a literal keeps its default type.
pub trait ToInteger {
    fn to_integer(&self) -> Integer;
}

macro_rules! to_integer {
    ($($number:ident)*) => {$(
        impl ToInteger for $number {
            #[allow(clippy::cast_lossless, reason = "some types are as large as `u64`")]
            fn to_integer(&self) -> Integer {
                i64::try_from(*self).map_or(Integer::Large(*self as u64), Integer::Small)
            }
        }
    )*};
}

to_integer!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

macro_rules! non_zero_to_integer {
    ($($number:ident)*) => {$(
        impl ToInteger for $number {
            fn to_integer(&self) -> Integer {
                self.get().to_integer()
            }
        }
    )*};
}

non_zero_to_integer!(NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroUsize);

macro_rules! pointer_to_integer {
    ($($pointer:ty)*) => {$(
        impl<T: ToInteger> ToInteger for $pointer {
            fn to_integer(&self) -> Integer {
                (**self).to_integer()
            }
        }
    )*};
}

pointer_to_integer!(&T &mut T Box<T> Rc<T> Arc<T>);

impl<T: ToInteger> ToInteger for Wrapping<T> {
    fn to_integer(&self) -> Integer {
        self.0.to_integer()
    }
}

impl<T: ToInteger> ToInteger for Option<T> {
    fn to_integer(&self) -> Integer {
        self.as_ref().map_or(Integer::None, T::to_integer)
    }
}
