//! The runtime of observed function calls: what [`with_observability`](crate::with_observability) expands to.
//!
//! The expansion contains only what depends on the function (names, expressions, types); the rest is here, compiled once. None
//! of this is a stable interface.

mod exit;
pub mod failure;
mod masked;
mod observed_call;
mod observed_future;
mod observed_stream;
mod repeated;
pub mod restore;
mod secret_name;
pub mod set_field;
pub mod shown;
mod site;
mod status;
mod text;

pub use crate::__place as place;
pub use exit::{Exit, FromExit};
pub use failure::{BorrowedFailure, Failed, Failure};
pub use masked::Names;
pub use observed_call::{Inside, Log, ObservedCall, PanicWatch};
pub use observed_future::{Ending, Made, ObservedFuture};
pub use observed_stream::ObservedStream;
pub use restore::{Restore, Returns};
pub use set_field::{SetField, Setting, in_fields, unless_sensitive};
pub use shown::{Asked, Best, Ended, Plain, REDACTED, Returned, debug, debug_naming, display, value};
pub use site::{Event, Place, Site, Sites, Values};
pub use tracing::{
    self, Level,
    field::{Empty, Value},
};

/// The traits that select the best form of a value. They are imported as `_` where a value is shown, so that they do not hide
/// names of the user's code.
pub mod forms {
    pub use super::failure::forms::{
        AsCopy as _, AsCopyInside as _, AsError as _, AsErrorInside as _, AsErrorOf as _, ErrorAsDebug as _,
        ErrorAsDisplay as _, ErrorAsTypeName as _,
    };
    pub use super::restore::forms::{FromCarrier as _, FromContext as _, FromOptionalCarrier as _, InjectHere as _};
    pub use super::set_field::forms::{
        SetFromDisplay as _, SetFromDisplayOption as _, SetFromInto as _, SetFromOption as _, SetFromReference as _,
        SetItself as _,
    };
    pub use super::shown::forms::{
        AsDebug as _, AsDebugOption as _, AsDisplay as _, AsInteger as _, AsItself as _, AsNothing as _, AsOption as _,
        AsResult as _, AsSuccess as _, AsText as _, AsTypeName as _, DebugAsked as _, DebugInside as _,
        DisplayAsked as _, DisplayInside as _,
    };
}
