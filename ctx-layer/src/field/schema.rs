//! The fields that a layer shows.

use std::{fmt, sync::Arc};

use super::{declaration::Declaration, policy::Policy, well_known};

/// The fields that a layer adds to spans and events, each with its policy. Cheap to clone.
///
/// ```
/// use ctx_layer::field::{Schema, well_known::{REQUEST_ID, TENANT_ID}};
///
/// ctx_layer::context_fields! {
///     /// The customer's address.
///     pub static EMAIL: String = "customer.email" => masked;
/// }
///
/// let schema = Schema::builder()
///     .field(&TENANT_ID)
///     .field(&REQUEST_ID)
///     // This output may show the address. The others mask it.
///     .field_with(&EMAIL, |policy| policy.reveal())
///     .build()?;
/// assert_eq!(schema.names().collect::<Vec<_>>(), ["tenant_id", "request_id", "customer.email"]);
/// # Ok::<(), ctx_layer::field::SchemaError>(())
/// ```
///
/// Two fields of one name, or more than [`MAX_FIELDS`](Self::MAX_FIELDS), are an error:
///
/// ```
/// # use ctx_layer::field::{Schema, well_known::TENANT_ID};
/// let error = Schema::builder().field(&TENANT_ID).field(&TENANT_ID).build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the schema cannot be used: the field `tenant_id` is in it twice: register it once, or rename one of the two",
/// );
/// ```
#[derive(Clone)]
pub struct Schema {
    fields: Arc<[Registered]>,
}

/// A field of a schema, with its policy there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Registered {
    pub(crate) declaration: ByAddress,
    pub(crate) policy: Policy,
}

/// A declaration, compared by its address.
#[derive(Clone, Copy)]
pub(crate) struct ByAddress(pub(crate) &'static Declaration);

impl PartialEq for ByAddress {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for ByAddress {}

impl std::hash::Hash for ByAddress {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

impl Schema {
    /// The maximum number of fields in a schema. Each of them is looked up on every event.
    pub const MAX_FIELDS: usize = 128;

    /// Returns a builder without fields.
    pub fn builder() -> SchemaBuilder {
        SchemaBuilder { fields: Vec::new() }
    }

    /// Creates a schema without fields.
    pub(crate) fn empty() -> Self {
        Schema { fields: Arc::default() }
    }

    /// Returns a schema of the well-known stored fields: `request_id`, `tenant_id`, `user_id`, `role`, `locale`,
    /// `correlation_id` and `feature_flags`.
    ///
    /// `trace_id` and `span_id` are not included: OpenTelemetry exports have them already. Add them to the one output
    /// that needs them; see [`ContextLayer`](crate::ContextLayer).
    pub fn well_known() -> Self {
        // The names are different constants, so the schema is valid.
        Schema { fields: Self::builder().well_known().fields.into() }
    }

    /// Returns the fields' names in the order of registration.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.declaration.0.name())
    }

    /// Returns the fields in the order of registration, each with its policy in this schema.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Declaration, Policy)> {
        self.fields.iter().map(|field| (field.declaration.0, field.policy))
    }

    /// Returns `true` if the schema has no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn registered(&self) -> &[Registered] {
        &self.fields
    }
}

impl Default for Schema {
    /// Returns [`Schema::well_known`].
    fn default() -> Self {
        Self::well_known()
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.fields().map(|(declaration, policy)| (declaration.name(), policy))).finish()
    }
}

/// A builder that collects the fields of a [`Schema`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SchemaBuilder {
    fields: Vec<Registered>,
}

impl SchemaBuilder {
    /// Adds a field with its declared policy.
    pub fn field(self, field: &'static impl AsRef<Declaration>) -> Self {
        self.field_with(field, |policy| policy)
    }

    /// Adds a field with a changed policy, which applies to this schema only.
    ///
    /// Only where the field appears and how it is shown can be changed. Length, propagation, baggage key and
    /// `from_baggage` belong to the field itself, and changing them here has no effect. A field that a call site
    /// declares and leaves empty is filled by the layer over the whole stack, with the sensitivity it has there.
    pub fn field_with(
        mut self,
        field: &'static impl AsRef<Declaration>,
        change: impl FnOnce(Policy) -> Policy,
    ) -> Self {
        let declaration = field.as_ref();
        self.fields.push(Registered { declaration: ByAddress(declaration), policy: change(*declaration.policy()) });
        self
    }

    /// Adds the fields of another schema, with their policies there.
    pub fn all_of(mut self, schema: &Schema) -> Self {
        self.fields.extend_from_slice(&schema.fields);
        self
    }

    /// Adds the fields of [`Schema::well_known`].
    pub fn well_known(self) -> Self {
        self.field(&well_known::REQUEST_ID)
            .field(&well_known::TENANT_ID)
            .field(&well_known::USER_ID)
            .field(&well_known::ROLE)
            .field(&well_known::LOCALE)
            .field(&well_known::CORRELATION_ID)
            .field(&well_known::FEATURE_FLAGS)
    }

    /// Builds the schema.
    ///
    /// # Errors
    /// Returns all problems at once: two fields of one name or of one baggage key, more than [`Schema::MAX_FIELDS`]
    /// fields.
    pub fn build(self) -> Result<Schema, SchemaError> {
        let mut problems = Vec::new();
        if self.fields.len() > Schema::MAX_FIELDS {
            problems.push(SchemaProblem::TooManyFields { count: self.fields.len() });
        }
        for (i, field) in self.fields.iter().enumerate() {
            let field = field.declaration.0;
            for earlier in self.fields[..i].iter().map(|earlier| earlier.declaration.0) {
                if earlier.name() == field.name() {
                    problems.push(SchemaProblem::DuplicateName { name: field.name() });
                    break;
                }
                if earlier.baggage_key() == field.baggage_key() {
                    problems.push(SchemaProblem::DuplicateBaggageKey {
                        key: field.baggage_key(),
                        names: [earlier.name(), field.name()],
                    });
                    break;
                }
            }
        }
        if problems.is_empty() { Ok(Schema { fields: self.fields.into() }) } else { Err(SchemaError { problems }) }
    }
}

impl fmt::Debug for SchemaBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields.iter().map(|field| field.declaration.0.name())).finish()
    }
}

/// An error of building a schema, with all its problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    problems: Vec<SchemaProblem>,
}

impl SchemaError {
    /// Returns all problems, in the order of the fields.
    pub fn problems(&self) -> &[SchemaProblem] {
        &self.problems
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the schema cannot be used: ")?;
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SchemaError {}

/// A problem of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// Two fields have the same name.
    DuplicateName {
        /// The name.
        name: &'static str,
    },
    /// Two fields have the same baggage key.
    DuplicateBaggageKey {
        /// The key.
        key: &'static str,
        /// The names of the two fields.
        names: [&'static str; 2],
    },
    /// There are more than [`Schema::MAX_FIELDS`] fields.
    TooManyFields {
        /// The number of fields.
        count: usize,
    },
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaProblem::DuplicateName { name } => {
                write!(f, "the field `{name}` is in it twice: register it once, or rename one of the two")
            }
            SchemaProblem::DuplicateBaggageKey { key, names: [a, b] } => {
                write!(f, "the fields `{a}` and `{b}` share the baggage key `{key}`: give one another `baggage_key`")
            }
            SchemaProblem::TooManyFields { count } => {
                write!(f, "it has {count} fields, more than the {} allowed: register fewer", Schema::MAX_FIELDS)
            }
        }
    }
}
