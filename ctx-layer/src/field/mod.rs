//! Typed keys, their values, and the schema of the fields that a layer shows.
//!
//! A field is declared once, as a `static`, with [`context_fields!`](crate::context_fields):
//!
//! ```
//! ctx_layer::context_fields! {
//!     /// The warehouse that serves the request.
//!     pub static WAREHOUSE: String = "warehouse" => propagated, max_len(32);
//!     /// The customer's address. Masked, and not propagated.
//!     pub static EMAIL: String = "customer.email" => masked;
//! }
//!
//! let _guard = WAREHOUSE.attach("rotterdam-2");
//! assert_eq!(WAREHOUSE.get().as_deref(), Some("rotterdam-2"));
//! ```
//!
//! | to | see |
//! |---|---|
//! | use fields that many services have | [`well_known`] |
//! | declare fields in the source, or at start-up | [`context_fields!`](crate::context_fields), [`ContextField::declare`] |
//! | choose where a field appears, how it is shown, and whether it is propagated | [`Policy`] |
//! | choose the type of its values | [`FieldType`], [`FieldString`] |
//! | collect the fields of an application | [`Schema`], [`Schema::builder`] |
//! | set several values at once | [`Fields`] |
//! | show the ids of the OpenTelemetry span | [`TRACE_ID`](well_known::TRACE_ID), [`SPAN_ID`](well_known::SPAN_ID) |

// The files:
//
// | file | concept |
// |---|---|
// | `name` | legal field names |
// | `baggage_key` | legal baggage keys |
// | `policy` | where a field appears and whether it propagates |
// | `declaration` | a field without its type: name, policy, parser |
// | `registration`, `unregistered` | the warning that no schema has a field that was set |
// | `key` | a field with its type: `ContextField`, `DerivedField` |
// | `at_run_time` | fields that are declared at run time |
// | `field_type` | the types of values: `FieldType` |
// | `number` | numbers as short strings |
// | `presenter` | cutting long strings and replacing control characters |
// | `refused` | why a value is refused |
// | `value` | a value without its field |
// | `parser`, `untrusted` | parsing and checking a value that was received |
// | `entry` | a field's value in a set |
// | `slots` | how sets hold and share values |
// | `encoded` | the cached encodings of a set |
// | `fields` | the immutable set of values: `Fields` |
// | `schema` | the fields that a layer shows: `Schema` |
// | `well_known` | common fields |

mod at_run_time;
mod baggage_key;
mod calls;
mod declaration;
#[cfg(feature = "_output")]
mod encoded;
mod entry;
mod field_string;
mod field_type;
mod fields;
#[cfg(feature = "hashed")]
mod hash;
mod key;
mod name;
mod number;
mod parser;
mod policy;
mod presenter;
mod refused;
mod registration;
mod schema;
mod slots;
mod unregistered;
mod untrusted;
mod value;
pub mod well_known;

pub use at_run_time::DeclareError;
pub use declaration::Declaration;
pub use field_string::FieldString;
pub use field_type::FieldType;
pub use fields::Fields;
#[cfg(feature = "hashed")]
pub use hash::{SaltError, set_hash_salt};
pub use key::{ContextField, DerivedField};
pub use name::NameError;
pub use policy::Policy;
pub use schema::{Schema, SchemaBuilder, SchemaError, SchemaProblem};

pub(crate) use baggage_key::TOKEN;
pub(crate) use calls::Call;
pub(crate) use declaration::{Derived, Origin};
#[cfg(feature = "_output")]
pub(crate) use encoded::{Encoded, EncodingBuffer};
pub(crate) use entry::Entry;
#[cfg(feature = "axum")]
pub(crate) use entry::MASK;
pub(crate) use name::METRIC_PREFIXES;
pub(crate) use policy::Sensitivity;
pub(crate) use presenter::is_unsafe_in_text;
pub(crate) use refused::Refused;
pub(crate) use schema::Registered;
pub(crate) use slots::Shared;
#[cfg(feature = "_output")]
pub(crate) use unregistered::set_all_shown;
pub(crate) use unregistered::{set_any_layer, warn_of_postponed};
#[cfg(feature = "http-server")]
pub(crate) use untrusted::parse_untrusted;
#[cfg(feature = "_output")]
pub(crate) use value::Visible;

#[doc(hidden)]
pub use parser::{NoParser, Parse, Parser};
