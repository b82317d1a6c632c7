//! Types whose values are recorded as they are.

use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroU128, NonZeroUsize, Wrapping,
};

use tracing::field::{Empty, Value};

/// A type whose values are recorded as they are: all of `tracing`'s except `dyn Error`, which is `'static`, and `fmt::Arguments`,
/// which text formats do not quote. Selecting a form does not depend on lifetimes, so with `dyn Error` an error that borrows
/// would not compile.
pub trait Itself: Value {}

macro_rules! itself {
    ($($value:ty)*) => {$(impl Itself for $value {})*};
}

itself!(bool f32 f64 u128 i128 str String [u8] Empty);
itself!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
itself!(NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128 NonZeroUsize);
itself!(NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128 NonZeroIsize);

impl<T: Itself + ?Sized> Itself for &T {}
impl<T: Itself + ?Sized> Itself for &mut T {}
impl<T: Itself + ?Sized> Itself for Box<T> {}
impl<T: Itself> Itself for Option<T> {}
impl<T: Itself> Itself for Wrapping<T> {}
