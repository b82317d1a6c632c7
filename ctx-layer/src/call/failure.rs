//! Errors, in the best form that their type has.

use std::{error::Error, fmt};

use tracing::field::Value;

use super::{
    shown::{TypeName, debug, display, value},
    text,
};

/// An error whose best form is to be found: as [`dyn Error`](Error) where it is one, else its `Display`, else its
/// `Debug`, else the name of its type.
pub struct Failure<'a, E: ?Sized>(pub &'a E);

/// The same of an error that may borrow, or whose type may be anything: `dyn Error` is `'static`, so it is a copy that
/// is shown, with the texts of the error and of its sources.
pub struct BorrowedFailure<'a, E: ?Sized>(pub &'a E);

/// An error in a form in which it can be shown.
pub trait Failed {
    /// What it comes from.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        None
    }

    /// As a text.
    fn text(&self) -> String;

    /// Gives it as a field's value.
    fn with_value(&self, take: &mut dyn FnMut(&dyn Value));
}

/// As an error.
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

/// Returns `true` if the text of an error, or of a source, could end its line.
fn could_forge(error: &dyn Error) -> bool {
    text::has_unsafe(error) || error.source().is_some_and(could_forge)
}

/// As a copy of an error.
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

/// The texts of an error and of its sources, with the characters escaped that must not reach a terminal or a log file.
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

/// As its `Display`.
pub struct DisplayForm<T>(T);

impl<T: fmt::Display> Failed for DisplayForm<T> {
    fn text(&self) -> String {
        self.0.to_string()
    }

    fn with_value(&self, take: &mut dyn FnMut(&dyn Value)) {
        take(value(&display(&self.0)));
    }
}

/// As its `Debug`.
pub struct DebugForm<T>(T);

impl<T: fmt::Debug> Failed for DebugForm<T> {
    fn text(&self) -> String {
        format!("{:?}", debug(&self.0))
    }

    fn with_value(&self, take: &mut dyn FnMut(&dyn Value)) {
        take(&debug(&self.0));
    }
}

/// The forms, best first.
pub mod forms {
    use super::*;

    /// As an error.
    pub trait AsError<'a> {
        fn form(&self) -> ErrorForm<'a>;
    }

    impl<'a, E: Error + 'static> AsError<'a> for &&&&Failure<'a, E> {
        fn form(&self) -> ErrorForm<'a> {
            ErrorForm(self.0)
        }
    }

    /// As the error that it holds: boxed ones.
    pub trait AsErrorInside<'a> {
        fn form(&self) -> ErrorForm<'a>;
    }

    impl<'a> AsErrorInside<'a> for &&&&&Failure<'a, Box<dyn Error>> {
        fn form(&self) -> ErrorForm<'a> {
            ErrorForm(&**self.0)
        }
    }

    impl<'a> AsErrorInside<'a> for &&&&&Failure<'a, Box<dyn Error + Send>> {
        fn form(&self) -> ErrorForm<'a> {
            ErrorForm(&**self.0)
        }
    }

    impl<'a> AsErrorInside<'a> for &&&&&Failure<'a, Box<dyn Error + Send + Sync>> {
        fn form(&self) -> ErrorForm<'a> {
            ErrorForm(&**self.0)
        }
    }

    /// As the error that it can be seen as: those of `anyhow` and `eyre`.
    pub trait AsErrorOf<'a> {
        fn form(&self) -> ErrorForm<'a>;
    }

    impl<'a, E: AsRef<dyn Error + 'static>> AsErrorOf<'a> for &&&Failure<'a, E> {
        fn form(&self) -> ErrorForm<'a> {
            ErrorForm(self.0.as_ref())
        }
    }

    /// As a copy.
    pub trait AsCopy<'a> {
        fn form(&self) -> CopyForm<'a>;
    }

    impl<'a, E: Error> AsCopy<'a> for &&&&BorrowedFailure<'a, E> {
        fn form(&self) -> CopyForm<'a> {
            CopyForm(self.0)
        }
    }

    /// As a copy of the error that it holds.
    pub trait AsCopyInside<'a> {
        fn form(&self) -> CopyForm<'a>;
    }

    impl<'a> AsCopyInside<'a> for &&&&&BorrowedFailure<'a, Box<dyn Error + 'a>> {
        fn form(&self) -> CopyForm<'a> {
            CopyForm(&**self.0)
        }
    }

    impl<'a> AsCopyInside<'a> for &&&&&BorrowedFailure<'a, Box<dyn Error + Send + 'a>> {
        fn form(&self) -> CopyForm<'a> {
            CopyForm(&**self.0)
        }
    }

    impl<'a> AsCopyInside<'a> for &&&&&BorrowedFailure<'a, Box<dyn Error + Send + Sync + 'a>> {
        fn form(&self) -> CopyForm<'a> {
            CopyForm(&**self.0)
        }
    }

    impl<'a, E: AsRef<dyn Error + 'static>> AsErrorOf<'a> for &&&BorrowedFailure<'a, E> {
        fn form(&self) -> ErrorForm<'a> {
            ErrorForm(self.0.as_ref())
        }
    }

    /// As its `Display`.
    pub trait ErrorAsDisplay<'a> {
        type Shown: ?Sized + 'a;
        fn form(&self) -> DisplayForm<&'a Self::Shown>;
    }

    impl<'a, E: fmt::Display + ?Sized> ErrorAsDisplay<'a> for &&Failure<'a, E> {
        type Shown = E;
        fn form(&self) -> DisplayForm<&'a E> {
            DisplayForm(self.0)
        }
    }

    impl<'a, E: fmt::Display + ?Sized> ErrorAsDisplay<'a> for &&BorrowedFailure<'a, E> {
        type Shown = E;
        fn form(&self) -> DisplayForm<&'a E> {
            DisplayForm(self.0)
        }
    }

    /// As its `Debug`.
    pub trait ErrorAsDebug<'a> {
        type Shown: ?Sized + 'a;
        fn form(&self) -> DebugForm<&'a Self::Shown>;
    }

    impl<'a, E: fmt::Debug + ?Sized> ErrorAsDebug<'a> for &Failure<'a, E> {
        type Shown = E;
        fn form(&self) -> DebugForm<&'a E> {
            DebugForm(self.0)
        }
    }

    impl<'a, E: fmt::Debug + ?Sized> ErrorAsDebug<'a> for &BorrowedFailure<'a, E> {
        type Shown = E;
        fn form(&self) -> DebugForm<&'a E> {
            DebugForm(self.0)
        }
    }

    /// As the name of its type.
    pub trait ErrorAsTypeName {
        fn form(&self) -> DisplayForm<TypeName>;
    }

    impl<E: ?Sized> ErrorAsTypeName for Failure<'_, E> {
        fn form(&self) -> DisplayForm<TypeName> {
            DisplayForm(TypeName::of::<E>())
        }
    }
    impl<E: ?Sized> ErrorAsTypeName for BorrowedFailure<'_, E> {
        fn form(&self) -> DisplayForm<TypeName> {
            DisplayForm(TypeName::of::<E>())
        }
    }
}
