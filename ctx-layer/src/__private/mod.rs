//! The one path that the expansions of the macros name. None of this is a stable interface.

mod exit;
mod restore;
mod set_field;

pub use tracing::{
    self, Level,
    field::{Empty, Value},
};

pub use crate::{
    __place as place,
    observe::{
        Asked, Best, BorrowedFailure, Ended, Ending, Event, Failed, Failure, Inside, Log, Made, Names, ObservedCall,
        ObservedFuture, ObservedStream, PanicWatch, Plain, REDACTED, Returned, Sites, debug, debug_naming, display,
        value,
    },
    site::{Place, Site, Values},
};
pub use exit::{Exit, FromExit};
#[cfg(all(feature = "messaging", feature = "tokio"))]
pub(crate) use restore::Restorable;
pub use restore::{Restore, Returns};
pub use set_field::{SetField, Setting, in_fields, unless_sensitive};

/// The traits that select the best form of a value. They are imported as `_` where a value is shown, so that they do not hide
/// names of the user's code.
pub mod forms {
    pub use super::{
        restore::forms::{FromCarrier as _, FromContext as _, FromOptionalCarrier as _, InjectHere as _},
        set_field::forms::{
            SetFromDisplay as _, SetFromDisplayOption as _, SetFromInto as _, SetFromOption as _,
            SetFromReference as _, SetItself as _,
        },
    };
    pub use crate::observe::{
        failure::forms::{
            AsCopy as _, AsCopyInside as _, AsError as _, AsErrorInside as _, AsErrorOf as _, ErrorAsDebug as _,
            ErrorAsDisplay as _, ErrorAsTypeName as _,
        },
        forms::{
            AsDebug as _, AsDebugOption as _, AsDisplay as _, AsInteger as _, AsItself as _, AsNothing as _,
            AsOption as _, AsResult as _, AsSuccess as _, AsText as _, AsTypeName as _, DebugAsked as _,
            DebugInside as _, DisplayAsked as _, DisplayInside as _,
        },
    };
}
