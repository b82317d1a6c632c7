//! Reading and setting the current values.
//!
//! - The innermost scope wins.
//! - A span brings the fields that were current when it was created, unless it is entered inside the same request: then what
//!   is current there stays.
//! - What replaces (a received message, a [snapshot](crate::task::Snapshot), isolation) hides everything else.
//! - [`record`](crate::ContextField::record) sets a value on the current span and on everything inside it.
//! - The log level plays no part.
//!
//! These five sentences summarise twelve rules. The repository's `docs/semantics.md` has them, each with an example and the
//! tests that check it.
//!
//! | to | write |
//! |---|---|
//! | read one | `TENANT_ID.get()` |
//! | read all | [`Fields::current()`](crate::Fields::current) |
//! | set one until the guard is dropped | `let _guard = TENANT_ID.attach("acme");` |
//! | set several; all others stay | `let _guard = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "u-1").attach();` |
//! | unset one | `let _guard = TENANT_ID.unset();` |
//! | replace all | `let _guard = fields.replace();` |
//! | set one for a future | `future.with_field(&TENANT_ID, "acme").await` |
//! | set several for a future; all others stay | `future.with_fields(fields).await` |
//! | replace all for a future | `future.replace_fields(fields).await` |
//! | set one on the current span | `TENANT_ID.record("acme")` |
//! | set one on another open span | [`TENANT_ID.record_on(&span, "acme")`](crate::ContextField::record_on) |
//! | set one on the span of the request | [`USER_ID.record_on_request("ada")`](crate::ContextField::record_on_request) |
//! | read or set in an OpenTelemetry context | [`ContextFieldsExt`] |
//!
//! # OpenTelemetry
//!
//! Values are stored in the [OpenTelemetry context](opentelemetry::Context), as one typed value. Code that carries an OpenTelemetry
//! context carries the fields. A value recorded on an open span is in the context when the span is next entered;
//! [`current_context`](crate::task::current_context) and everything in [`task`](crate::task) have it at once. A context that
//! another library attaches replaces the current one, and values cannot be recorded on it.
//!
//! A value in [OpenTelemetry baggage](opentelemetry::baggage) under a field's baggage key is the field's value if the program
//! neither set nor unset the field. Baggage is ignored if it does not parse as the field's type, is longer than the field allows,
//! or has control characters.

mod attach;
mod context_value;
mod current_fields;
mod frame;
pub(crate) mod frame_stack;
mod reading;
mod remembered;
mod remembering;
mod remote;
mod scope;
mod thread_state;
mod view;
mod with_fields;

pub use reading::ContextFieldsExt;
pub use with_fields::{FutureFieldsExt, WithFields};

pub use scope::FieldsGuard;
#[doc(hidden)]
pub use with_fields::Setting;

#[cfg(feature = "_received")]
pub(crate) use attach::attach;
#[cfg(feature = "_received")]
pub(crate) use context_value::address_alone;
pub(crate) use context_value::{BAGGAGE, ContextValueExt, NOTHING, has_nothing, is_blank};
pub(crate) use current_fields::{CurrentFields, current_fields, give_back, is_nothing_current};
pub(crate) use frame::{Entering, Frame, FrameId, SpanKey};
pub(crate) use frame_stack::fields_in;
pub(crate) use reading::{active_ids, generation, register, registered};
pub(crate) use remembered::Remembered;
pub(crate) use remote::{OfValue, Remote, RemoteBaggage, RemoteProperties};
pub(crate) use scope::Scope;
pub(crate) use thread_state::{is_gone, is_recorded, read, read_if_ready};
pub(crate) use view::View;
