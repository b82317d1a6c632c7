//! Errors, shown with the best trait that their type implements.

use std::{error::Error, fmt};

use tracing::field::Value;

use super::{
    best::{TypeName, debug, display},
    shown::value,
    text,
};

/// An error, to be shown as [`dyn Error`](Error) if its type implements it, else with its `Display`, else with its
/// `Debug`, else as the name of its type.
pub struct Failure<'a, E: ?Sized>(pub &'a E);

/// An error that may borrow, or whose type is not known. `dyn Error` is `'static`, so a copy is shown, with the messages of
/// the error and of its sources.
pub struct BorrowedFailure<'a, E: ?Sized>(pub &'a E);

/// An error in a form that can be shown.
pub trait Failed {
    /// Returns the source of the error.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        None
    }

    /// Returns the error's message.
    fn text(&self) -> String;

    /// Calls `take` with the error as a field's value.
    fn with_value(&self, take: &mut dyn FnMut(&dyn Value));
}

/// A form that shows an error as `dyn Error`.
pub struct ErrorForm<'a>(pub(super) &'a (dyn Error + 'static));

impl Failed for ErrorForm<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn with_value(&self, take: &mut dyn FnMut(&dyn Value)) {
        if could_forge(self.0) {
            // Text formats do not quote errors.
            let copy: &(dyn Error + 'static) = &Copied::of(self.0);
            return take(&copy);
        }
        take(&self.0);
    }
}

/// Returns `true` if the message of an error, or of a source, could end its line.
fn could_forge(error: &dyn Error) -> bool {
    text::has_unsafe(error) || error.source().is_some_and(could_forge)
}

/// A form that shows a copy of an error.
pub struct CopyForm<'a>(&'a (dyn Error + 'a));

impl Failed for CopyForm<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn with_value(&self, take: &mut dyn FnMut(&dyn Value)) {
        let copy: &(dyn Error + 'static) = &Copied::of(self.0);
        take(&copy);
    }
}

/// The messages of an error and of its sources, with characters escaped that must not reach a terminal or a log file.
struct Copied {
    display: String,
    debug: String,
    source: Option<Box<Copied>>,
}

impl Copied {
    fn of(error: &dyn Error) -> Self {
        let source = error.source().map(|source| Box::new(Copied::of(source)));
        Copied { display: text::escaped(error), debug: format!("{error:?}"), source }
    }
}

impl fmt::Debug for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.debug)
    }
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl Error for Copied {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// A form that shows the `Display` of an error.
pub struct DisplayForm<T>(T);

impl<T: fmt::Display> Failed for DisplayForm<T> {
    fn text(&self) -> String {
        self.0.to_string()
    }

    fn with_value(&self, take: &mut dyn FnMut(&dyn Value)) {
        take(value(&display(&self.0)));
    }
}

/// A form that shows the `Debug` of an error.
pub struct DebugForm<T>(T);

impl<T: fmt::Debug> Failed for DebugForm<T> {
    fn text(&self) -> String {
        format!("{:?}", debug(&self.0))
    }

    fn with_value(&self, take: &mut dyn FnMut(&dyn Value)) {
        take(&debug(&self.0));
    }
}

/// The traits that select a form, best first.
pub(crate) mod forms {
    use super::*;

    /// Selects the error itself.
    pub trait AsError<'a> {
        fn form(&self) -> ErrorForm<'a>;
    }

    impl<'a, E: Error + 'static> AsError<'a> for &&&&Failure<'a, E> {
        fn form(&self) -> ErrorForm<'a> {
            ErrorForm(self.0)
        }
    }

    /// Selects the error inside a box.
    pub trait AsErrorInside<'a> {
        fn form(&self) -> ErrorForm<'a>;
    }

    macro_rules! error_inside {
        ($($error:ty),*) => {$(
            impl<'a> AsErrorInside<'a> for &&&&&Failure<'a, Box<$error>> {
                fn form(&self) -> ErrorForm<'a> {
                    ErrorForm(&**self.0)
                }
            }
        )*};
    }

    error_inside!(dyn Error, dyn Error + Send, dyn Error + Send + Sync);

    /// Selects the error that `AsRef` returns, as for `anyhow` and `eyre`.
    pub trait AsErrorOf<'a> {
        fn form(&self) -> ErrorForm<'a>;
    }

    /// Selects a copy.
    pub trait AsCopy<'a> {
        fn form(&self) -> CopyForm<'a>;
    }

    impl<'a, E: Error> AsCopy<'a> for &&&&BorrowedFailure<'a, E> {
        fn form(&self) -> CopyForm<'a> {
            CopyForm(self.0)
        }
    }

    /// Selects a copy of the error inside a box.
    pub trait AsCopyInside<'a> {
        fn form(&self) -> CopyForm<'a>;
    }

    macro_rules! copy_inside {
        ($lifetime:lifetime: $($error:ty),*) => {$(
            impl<$lifetime> AsCopyInside<$lifetime> for &&&&&BorrowedFailure<$lifetime, Box<$error>> {
                fn form(&self) -> CopyForm<$lifetime> {
                    CopyForm(&**self.0)
                }
            }
        )*};
    }

    copy_inside!('a: dyn Error + 'a, dyn Error + Send + 'a, dyn Error + Send + Sync + 'a);

    /// Selects the `Display`.
    pub trait ErrorAsDisplay<'a> {
        type Shown: ?Sized + 'a;
        fn form(&self) -> DisplayForm<&'a Self::Shown>;
    }

    /// Selects the `Debug`.
    pub trait ErrorAsDebug<'a> {
        type Shown: ?Sized + 'a;
        fn form(&self) -> DebugForm<&'a Self::Shown>;
    }

    /// Selects the name of the type.
    pub trait ErrorAsTypeName {
        fn form(&self) -> DisplayForm<TypeName>;
    }

    /// The forms that an error has whether it may borrow or not.
    macro_rules! either {
        ($($failure:ident)*) => {$(
            impl<'a, E: AsRef<dyn Error + 'static>> AsErrorOf<'a> for &&&$failure<'a, E> {
                fn form(&self) -> ErrorForm<'a> {
                    ErrorForm(self.0.as_ref())
                }
            }

            impl<'a, E: fmt::Display + ?Sized> ErrorAsDisplay<'a> for &&$failure<'a, E> {
                type Shown = E;
                fn form(&self) -> DisplayForm<&'a E> {
                    DisplayForm(self.0)
                }
            }

            impl<'a, E: fmt::Debug + ?Sized> ErrorAsDebug<'a> for &$failure<'a, E> {
                type Shown = E;
                fn form(&self) -> DebugForm<&'a E> {
                    DebugForm(self.0)
                }
            }

            impl<E: ?Sized> ErrorAsTypeName for $failure<'_, E> {
                fn form(&self) -> DisplayForm<TypeName> {
                    DisplayForm(TypeName::of::<E>())
                }
            }
        )*};
    }

    either!(Failure BorrowedFailure);
}
