//! Typed keys, which programs use to read and set values.

use std::{fmt, marker::PhantomData, str::FromStr};

use super::{
    at_run_time::{self, DeclareError},
    declaration::{Declaration, Derived, Origin},
    field_type::FieldType,
    parser::{Parse, Parser},
    policy::Policy,
};

/// A context field: its name, type and policy, and the key to its value.
///
/// Declared as a `static` with [`context_fields!`](crate::context_fields), or at start-up with
/// [`declare`](Self::declare). See [`context`](mod@crate::context) for how to read and set values.
///
/// ```
/// use ctx_layer::field::well_known::TENANT_ID;
///
/// assert_eq!(TENANT_ID.get(), None);
/// let guard = TENANT_ID.attach("acme");
/// assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
/// drop(guard);
/// assert_eq!(TENANT_ID.get(), None);
/// ```
pub struct ContextField<T> {
    declaration: Declaration,
    _type: PhantomData<fn() -> T>,
}

impl<T: FieldType> ContextField<T> {
    /// Creates a key. Called by [`context_fields!`](crate::context_fields), which finds `parse`.
    ///
    /// # Panics
    /// Panics if the name is not legal, or the policy propagates a type that cannot be parsed. In a `static` that is a
    /// compile error.
    #[doc(hidden)]
    pub const fn new(name: &'static str, doc: &'static str, policy: Policy, parse: Option<Parse>) -> Self {
        assert!(
            !policy.is_propagated() || parse.is_some(),
            "a context field that propagates is parsed when it is received: implement `FromStr` for its type"
        );
        match Declaration::new(name, doc, policy, Origin::Stored, parse) {
            Ok(declaration) => ContextField { declaration, _type: PhantomData },
            Err(error) => panic!("{}", error.describe()),
        }
    }

    /// Declares a field whose name is known only at run time, for instance from the configuration.
    ///
    /// Declare fields at start-up and keep the key: each new name leaks a few bytes. Declaring a name again with the
    /// same type and policy returns the same key.
    ///
    /// # Errors
    /// Returns an error if the name is not legal, or is already declared with another type or policy.
    ///
    /// ```
    /// use ctx_layer::field::{ContextField, Policy};
    ///
    /// let region = ContextField::<String>::declare("region", Policy::new().max_len(16))?;
    /// let _guard = region.attach("eu-west");
    /// assert_eq!(region.get().as_deref(), Some("eu-west"));
    ///
    /// let error = ContextField::<String>::declare("not legal", Policy::new()).unwrap_err();
    /// assert!(error.to_string().contains("may only have [A-Za-z0-9_.-]"));
    /// # Ok::<(), ctx_layer::field::DeclareError>(())
    /// ```
    pub fn declare(name: &str, policy: Policy) -> Result<&'static Self, DeclareError>
    where
        T: FromStr,
    {
        at_run_time::key(name, policy, |name| {
            let declaration = Declaration::new(name, "", policy, Origin::Stored, Parser::<T>::PARSE)?;
            Ok(ContextField { declaration, _type: PhantomData })
        })
    }

    /// Returns the field without its type.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// Returns the field's name on spans and events.
    pub fn name(&self) -> &'static str {
        self.declaration.name()
    }
}

impl<T> AsRef<Declaration> for ContextField<T> {
    fn as_ref(&self) -> &Declaration {
        &self.declaration
    }
}

impl<T> fmt::Debug for ContextField<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContextField").field(&self.declaration.name()).finish()
    }
}

/// A field that is read from the active OpenTelemetry span: [`TRACE_ID`](super::well_known::TRACE_ID) and
/// [`SPAN_ID`](super::well_known::SPAN_ID).
///
/// A schema adds it to events only, since spans have ids already.
pub struct DerivedField<T> {
    declaration: Declaration,
    _type: PhantomData<fn() -> T>,
}

impl<T> DerivedField<T> {
    pub(crate) const fn new(name: &'static str, doc: &'static str, derived: Derived) -> Self {
        match Declaration::new(name, doc, Policy::new().spans(false), Origin::Derived(derived), None) {
            Ok(declaration) => DerivedField { declaration, _type: PhantomData },
            Err(error) => panic!("{}", error.describe()),
        }
    }

    /// Returns the field without its type.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }
}

impl<T> AsRef<Declaration> for DerivedField<T> {
    fn as_ref(&self) -> &Declaration {
        &self.declaration
    }
}

impl<T> fmt::Debug for DerivedField<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DerivedField").field(&self.declaration.name()).finish()
    }
}

/// Declares context fields as `static`s, which are the keys to their values.
///
/// Each declaration has a documentation comment, a visibility, a name, a type, the field's name on spans and events,
/// and after `=>` the settings that differ from the default [`Policy`](crate::field::Policy).
///
/// The type can be any that can be displayed, cloned and sent between threads ([`FieldType`](crate::field::FieldType)).
///
/// # Errors
/// An illegal name, and `propagated` on a type without [`FromStr`](std::str::FromStr), do not compile:
///
/// ```compile_fail
/// ctx_layer::context_fields! {
///     /// Not a legal name.
///     pub static BAD: String = "tenant id";
/// }
/// ```
///
/// # Example
/// ```
/// use std::{fmt, str::FromStr};
///
/// #[derive(Clone, PartialEq, Debug)]
/// pub struct Plan(u8);
///
/// impl fmt::Display for Plan {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "plan-{}", self.0)
///     }
/// }
///
/// ctx_layer::context_fields! {
///     /// The shard that holds the customer's data.
///     pub static SHARD: u64 = "shard" => propagated;
///     /// The plan that the customer pays for.
///     static PLAN: Plan = "customer.plan" => max_len(16), events(false);
/// }
///
/// let _shard = SHARD.attach(7u64);
/// let _plan = PLAN.attach(Plan(2));
/// assert_eq!(SHARD.get(), Some(7));
/// assert_eq!(PLAN.get(), Some(Plan(2)));
/// ```
#[macro_export]
macro_rules! context_fields {
    ($($declarations:tt)*) => {
        $crate::__context_fields! { [$crate] $($declarations)* }
    };
}
