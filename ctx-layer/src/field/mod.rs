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
//! | file | concept |
//! |---|---|
//! | `name` | legal field names |
//! | `baggage_key` | legal baggage keys |
//! | `policy` | where a field appears and whether it propagates |
//! | `declaration` | a field without its type: name, policy, parser |
//! | `key` | a field with its type: [`ContextField`], [`DerivedField`] |
//! | `number` | numbers as short strings |
//! | `presenter` | cutting long strings and replacing control characters |
//! | `refused` | why a value is refused |
//! | `value` | one stored value |
//! | `slots` | how sets hold and share values |
//! | `encoded` | the cached encodings of a set |
//! | `fields` | the immutable set of values: [`Fields`] |
//! | `schema` | the fields that a layer shows: [`Schema`] |
//! | `well_known` | common fields |

mod baggage_key;
mod calls;
mod declaration;
#[cfg(feature = "json")]
mod encoded;
mod fields;
#[cfg(feature = "hashed")]
mod hash;
mod key;
mod name;
mod number;
mod policy;
mod presenter;
mod refused;
mod schema;
mod slots;
mod unregistered;
mod value;
pub mod well_known;

pub use declaration::{Declaration, DeclareError};
pub use fields::Fields;
#[cfg(feature = "hashed")]
pub use hash::{SaltError, set_hash_salt};
pub use key::{ContextField, DerivedField, FieldType};
pub use name::NameError;
pub use policy::Policy;
pub use schema::{Schema, SchemaBuilder, SchemaError, SchemaProblem};

pub(crate) use baggage_key::TOKEN;
pub(crate) use calls::Call;
pub(crate) use declaration::{Derived, Origin};
#[cfg(feature = "json")]
pub(crate) use encoded::Encoded;
pub(crate) use name::METRIC_PREFIXES;
pub(crate) use policy::Sensitivity;
pub(crate) use presenter::is_unsafe_in_text;
pub(crate) use refused::Refused;
pub(crate) use schema::Registered;
pub(crate) use slots::Shared;
#[cfg(feature = "json")]
pub(crate) use unregistered::set_all_shown;
pub(crate) use unregistered::{set_any_layer, warn_of_postponed};
pub(crate) use value::Entry;
#[cfg(feature = "axum")]
pub(crate) use value::MASK;
#[cfg(feature = "json")]
pub(crate) use value::Visible;
#[cfg(feature = "http-server")]
pub(crate) use value::parse_untrusted;

#[doc(hidden)]
pub use declaration::Parse;
#[doc(hidden)]
pub use value::{NoParser, Parser};
