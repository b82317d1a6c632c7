//! Showing values in the best form that their type allows.
//!
//! Each form is a trait on one reference more than the next best: the compiler takes the first that applies ("autoref
//! specialisation"), and requires none that the type does not implement.

use std::{any::type_name, fmt};

use tracing::field::{DebugValue, DisplayValue, Value};

use super::{
    integer::{Integer, ToInteger},
    itself::Itself,
    masked::Masked,
    names::Names,
    shown::Shown,
    text::{Text, ToText},
};

/// Declares types that select a form of a value, and a function of the same name that creates each.
macro_rules! finders {
    ($($(#[$doc:meta])* $finder:ident)*) => {$(
        $(#[$doc])*
        pub struct $finder<'a, T: ?Sized> {
            value: &'a T,
            names: &'static Names,
        }

        #[allow(non_snake_case, reason = "the function has the name of the type it creates")]
        $(#[$doc])*
        pub fn $finder<T: ?Sized>(value: &T) -> $finder<'_, T> {
            $finder { value, names: Names::NONE }
        }

        impl<'a, T: ?Sized> $finder<'a, T> {
            /// Sets the names that are masked or revealed within `Debug` output.
            pub fn naming(self, names: &'static Names) -> Self {
                $finder { names, ..self }
            }

            #[allow(dead_code, reason = "not all of these types have a masked form")]
            fn masked<'v, V: fmt::Debug + ?Sized>(&self, value: &'v V) -> DebugValue<Masked<'v, V>> {
                tracing::field::debug(Masked { value, names: self.names })
            }
        }
    )*};
}

finders! {
    /// An argument, or a value read from one: with its own type if fields support it, else with its `Display`, else with its
    /// `Debug`, else as the name of its type. An `Option` is shown as its value, or not at all.
    Best
    /// An argument as `#[tracing::instrument]` shows types other than values: with its `Debug`, or as the name of its type.
    Plain
    /// An argument in the requested form. An `Option` without a value is left out.
    Asked
    /// The result of a function: with its own type if fields support it, else with its `Debug`, else with its `Display`, else
    /// as the name of its type. An `Option` is shown with its `Debug`, so that `None` is visible.
    Returned
}

/// Shows a value with its `Display`, quoted if a text format could confuse it with another line or field.
pub fn display<T: fmt::Display + ?Sized>(value: &T) -> Text {
    Text::of(value)
}

/// Shows a value with its `Debug`, with secrets masked.
pub fn debug<T: fmt::Debug + ?Sized>(value: &T) -> DebugValue<Masked<'_, T>> {
    debug_naming(value, Names::NONE)
}

/// Shows a value with its `Debug`, with secrets and the given names masked.
pub fn debug_naming<'a, T: fmt::Debug + ?Sized>(value: &'a T, names: &'static Names) -> DebugValue<Masked<'a, T>> {
    tracing::field::debug(Masked { value, names })
}

/// The outcome of a call: that of a `Result`; all other values are a success.
pub struct Ended<'a, T: ?Sized>(pub &'a T);

/// The name of a type whose values cannot be shown.
pub struct TypeName(&'static str);

impl TypeName {
    pub(super) fn of<T: ?Sized>() -> Self {
        TypeName(type_name::<T>())
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The traits that select a form, best first.
pub(crate) mod forms {
    use super::*;

    /// Selects an integer type that every output supports.
    pub trait AsInteger {
        fn show(&self) -> Integer;
    }

    impl<T: ToInteger> AsInteger for &&&&&Best<'_, T> {
        fn show(&self) -> Integer {
            self.value.to_integer()
        }
    }

    /// Selects the string itself.
    pub trait AsText<'a> {
        fn show(&self) -> Option<&'a str>;
    }

    impl<'a, T: ToText + ?Sized> AsText<'a> for &&&&&&Best<'a, T> {
        fn show(&self) -> Option<&'a str> {
            self.value.to_text()
        }
    }

    /// Selects a value of its own type.
    pub trait AsItself<'a> {
        type Shown: Value + 'a;
        fn show(&self) -> Self::Shown;
    }

    impl<'a, T: Itself + ?Sized> AsItself<'a> for &&&&Best<'a, T> {
        type Shown = &'a T;
        fn show(&self) -> &'a T {
            self.value
        }
    }

    impl<'a, T: Itself> AsItself<'a> for &&&Returned<'a, T> {
        type Shown = &'a T;
        fn show(&self) -> &'a T {
            self.value
        }
    }

    /// Leaves out `()`, which carries no information.
    pub trait AsNothing {
        fn show(&self) -> Option<bool>;
    }

    impl AsNothing for &&&&&Returned<'_, ()> {
        fn show(&self) -> Option<bool> {
            None
        }
    }

    /// Selects the value of an `Option`.
    pub trait AsOption<'a> {
        type Shown: super::Shown + 'a;
        fn show(&self) -> Self::Shown;
    }

    impl<'a, T: fmt::Display> AsOption<'a> for &&&Best<'a, Option<T>> {
        type Shown = Text;
        fn show(&self) -> Text {
            Text::of_option(self.value.as_ref())
        }
    }

    impl<'a, T: fmt::Display> AsOption<'a> for &&&Best<'a, &'a Option<T>> {
        type Shown = Text;
        fn show(&self) -> Text {
            Text::of_option(self.value.as_ref())
        }
    }

    impl<'a, T> AsOption<'a> for &&&&Returned<'a, Option<T>>
    where
        Option<T>: fmt::Debug,
    {
        type Shown = DebugValue<Masked<'a, Option<T>>>;
        fn show(&self) -> Self::Shown {
            self.masked(self.value)
        }
    }

    /// Selects the `Display`.
    pub trait AsDisplay<'a> {
        type Shown: super::Shown + 'a;
        fn show(&self) -> Self::Shown;
    }

    impl<'a, T: fmt::Display + ?Sized> AsDisplay<'a> for &&Best<'a, T> {
        type Shown = Text;
        fn show(&self) -> Text {
            Text::of(self.value)
        }
    }

    impl<'a, T: fmt::Display + ?Sized> AsDisplay<'a> for &Returned<'a, T> {
        type Shown = Text;
        fn show(&self) -> Text {
            Text::of(self.value)
        }
    }

    /// Selects the `Debug` of the value of an `Option`.
    pub trait AsDebugOption<'a> {
        type Shown: Value + 'a;
        fn show(&self) -> Self::Shown;
    }

    impl<'a, T: fmt::Debug> AsDebugOption<'a> for &&Best<'a, Option<T>> {
        type Shown = Option<DebugValue<Masked<'a, T>>>;
        fn show(&self) -> Self::Shown {
            self.value.as_ref().map(|value| self.masked(value))
        }
    }

    impl<'a, T: fmt::Debug> AsDebugOption<'a> for &&Best<'a, &'a Option<T>> {
        type Shown = Option<DebugValue<Masked<'a, T>>>;
        fn show(&self) -> Self::Shown {
            self.value.as_ref().map(|value| self.masked(value))
        }
    }

    /// Selects the `Debug`.
    pub trait AsDebug<'a> {
        type Shown: Value + 'a;
        fn show(&self) -> Self::Shown;
    }

    macro_rules! as_debug {
        ($([$($reference:tt)*] $finder:ident),*) => {$(
            impl<'a, T: fmt::Debug + ?Sized> AsDebug<'a> for $($reference)* $finder<'a, T> {
                type Shown = DebugValue<Masked<'a, T>>;
                fn show(&self) -> Self::Shown {
                    self.masked(self.value)
                }
            }
        )*};
    }

    as_debug!([&] Best, [&&] Plain, [&&] Returned);

    /// Selects the `Display` of the value of an `Option`.
    pub trait DisplayInside<'a> {
        type Shown: super::Shown + 'a;
        fn displayed(&self) -> Self::Shown;
    }

    impl<'a, T: fmt::Display> DisplayInside<'a> for &Asked<'a, Option<T>> {
        type Shown = Text;
        fn displayed(&self) -> Text {
            Text::of_option(self.value.as_ref())
        }
    }

    impl<'a, T: fmt::Display> DisplayInside<'a> for &Asked<'a, &'a Option<T>> {
        type Shown = Text;
        fn displayed(&self) -> Text {
            Text::of_option(self.value.as_ref())
        }
    }

    /// Selects the `Display`. If the type has none, the method's bound reports it.
    pub trait DisplayAsked<'a> {
        type Shown: ?Sized + 'a;
        fn displayed(&self) -> Text
        where
            Self::Shown: fmt::Display;
    }

    impl<'a, T: ?Sized> DisplayAsked<'a> for Asked<'a, T> {
        type Shown = T;
        fn displayed(&self) -> Text
        where
            T: fmt::Display,
        {
            Text::of(self.value)
        }
    }

    /// Selects the `Debug` of an `Option` that has a value.
    pub trait DebugInside<'a> {
        type Shown: Value + 'a;
        fn debugged(&self) -> Self::Shown;
    }

    impl<'a, T: fmt::Debug> DebugInside<'a> for &Asked<'a, Option<T>> {
        type Shown = Option<DebugValue<Masked<'a, Option<T>>>>;
        fn debugged(&self) -> Self::Shown {
            self.value.is_some().then(|| self.masked(self.value))
        }
    }

    impl<'a, T: fmt::Debug> DebugInside<'a> for &Asked<'a, &'a Option<T>> {
        type Shown = Option<DebugValue<Masked<'a, Option<T>>>>;
        fn debugged(&self) -> Self::Shown {
            self.value.is_some().then(|| self.masked(*self.value))
        }
    }

    /// Selects the `Debug`. If the type has none, the method's bound reports it.
    pub trait DebugAsked<'a> {
        type Shown: ?Sized + 'a;
        fn debugged(&self) -> DebugValue<Masked<'a, Self::Shown>>
        where
            Self::Shown: fmt::Debug;
    }

    impl<'a, T: ?Sized> DebugAsked<'a> for Asked<'a, T> {
        type Shown = T;
        fn debugged(&self) -> DebugValue<Masked<'a, T>>
        where
            T: fmt::Debug,
        {
            self.masked(self.value)
        }
    }

    /// Selects the name of the type.
    pub trait AsTypeName {
        fn show(&self) -> DisplayValue<TypeName>;
    }

    macro_rules! as_type_name {
        ($($finder:ident)*) => {$(
            impl<T: ?Sized> AsTypeName for $finder<'_, T> {
                fn show(&self) -> DisplayValue<TypeName> {
                    tracing::field::display(TypeName::of::<T>())
                }
            }
        )*};
    }

    as_type_name!(Best Plain Returned);

    /// Selects the outcome of a `Result`.
    pub trait AsResult<'a> {
        type Success: 'a;
        type Error: 'a;
        fn split(&self) -> Result<&'a Self::Success, &'a Self::Error>;
    }

    impl<'a, T, E> AsResult<'a> for &Ended<'a, Result<T, E>> {
        type Success = T;
        type Error = E;
        fn split(&self) -> Result<&'a T, &'a E> {
            self.0.as_ref()
        }
    }

    /// Selects success for all other types.
    pub trait AsSuccess<'a> {
        type Success: ?Sized + 'a;
        fn split(&self) -> Result<&'a Self::Success, &'a std::convert::Infallible>;
    }

    impl<'a, T: ?Sized> AsSuccess<'a> for Ended<'a, T> {
        type Success = T;
        fn split(&self) -> Result<&'a T, &'a std::convert::Infallible> {
            Ok(self.0)
        }
    }
}
