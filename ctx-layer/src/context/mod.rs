//! The values in force now: read, attach, scope.
//!
//! Values live in the [OpenTelemetry context](opentelemetry::Context), as one typed value, so whatever carries an
//! OpenTelemetry context carries the fields too. Only what was [recorded](crate::ContextField::record) on a span that is
//! open is kept beside it, on the thread where that was done, until the span is left.
//!
//! | to | write |
//! |---|---|
//! | read one | `TENANT_ID.get()` |
//! | read all | [`Fields::current()`](crate::Fields::current) |
//! | set one until the guard is dropped | `let _guard = TENANT_ID.attach("acme");` |
//! | set several | `let _guard = Fields::current().with(&TENANT_ID, "acme").with(&USER_ID, "u-1").attach();` |
//! | unset one | `let _guard = TENANT_ID.detach();` |
//! | set one for a future | `future.with_field(&TENANT_ID, "acme").await` |
//! | set several for a future | `future.with_fields(fields).await` |
//! | set one on the span that is open already | `TENANT_ID.record("acme");` |
//! | read or set in an OpenTelemetry context | [`ContextFieldsExt`] |
//!
//! Values set as [OpenTelemetry baggage](opentelemetry::baggage) under a field's baggage key count as the field's: a
//! value set by the program comes first, then baggage. Baggage that does not parse as the field's type, is longer than
//! the field allows, or has control characters, is not a value.

mod attach;
mod current;
mod frame;
pub(crate) mod frame_stack;
mod future;
mod remembered;
mod remote;
mod scope;
mod thread;
mod view;

pub use current::ContextFieldsExt;
pub use future::{FutureFieldsExt, WithFields};

#[doc(hidden)]
pub use future::Setting;
pub use scope::FieldsGuard;

pub(crate) use attach::attach;
pub(crate) use current::{
    ContextRemoteExt, active_ids, fields_in, generation, has_nothing, is_blank, register, registered,
};
pub(crate) use frame::{Frame, FrameId, SpanKey};
pub(crate) use remembered::Remembered;
pub(crate) use remote::{OfValue, Remote, RemoteBaggage, RemoteProperties};
pub(crate) use scope::Scope;
pub(crate) use thread::{
    BAGGAGE, InForce, NOTHING, address_alone, give_back, in_force, is_gone, is_nothing_in_force, is_recorded, read,
    read_if_ready,
};
pub(crate) use view::View;
