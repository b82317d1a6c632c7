//! Observed function calls: what [`with_observability`](crate::with_observability) runs.
//!
//! The expansion contains only what depends on the function (names, expressions, types); the rest is here, compiled once. The
//! expansion names it by the paths of [`__private`](crate::__private).

mod best;
pub(crate) mod failure;
mod integer;
mod itself;
mod masked;
mod names;
mod observed_call;
mod observed_future;
mod observed_stream;
mod repeated;
mod secret_name;
mod shown;
mod sites;
mod text;

pub(crate) use best::forms;
pub use best::{Asked, Best, Ended, Plain, Returned, debug, debug_naming, display};
pub use failure::{BorrowedFailure, Failed, Failure};
pub use names::Names;
pub use observed_call::{Inside, Log, ObservedCall, PanicWatch};
pub use observed_future::{Ending, Made, ObservedFuture};
pub use observed_stream::ObservedStream;
pub use shown::{REDACTED, value};
pub use sites::{Event, Sites};
