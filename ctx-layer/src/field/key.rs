//! A field with its type: what programs read and set values by.

use std::{fmt, marker::PhantomData, str::FromStr};

use super::{
    declaration::{self, Declaration, DeclareError, Derived, Origin, Parse},
    policy::Policy,
    value::Parser,
};

/// What a field's value can be: everything that can be shown, cloned and sent between threads.
///
/// Implemented for every such type. `bool`, integers and floats keep their type on spans and events; all others stand
/// there as the text of their [`Display`](fmt::Display). To come back from the wire a type needs
/// [`FromStr`] besides.
///
/// OpenTelemetry has no unsigned integers: `u64` values above [`i64::MAX`] become texts there.
pub trait FieldType: fmt::Display + Clone + Send + Sync + 'static {}

impl<T: fmt::Display + Clone + Send + Sync + 'static> FieldType for T {}

/// A context field: its name, type and policy, and the key to its value.
///
/// Declared as a `static` with [`context_fields!`](crate::context_fields), or at start-up with
/// [`declare`](Self::declare). How values are read and set stands with [`context`](mod@crate::context).
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
    /// Makes a key. Called by [`context_fields!`](crate::context_fields), which finds `parse`.
    ///
    /// # Panics
    /// When the name is not legal, or the policy propagates a type that cannot be parsed: in a `static`, a compile
    /// error.
    #[doc(hidden)]
    pub const fn new(name: &'static str, doc: &'static str, policy: Policy, parse: Option<Parse>) -> Self {
        assert!(
            !policy.is_propagated() || parse.is_some(),
            "a context field that propagates must come back from text: implement `FromStr` for its type"
        );
        match Declaration::new(name, doc, policy, Origin::Stored, parse) {
            Ok(declaration) => ContextField { declaration, _type: PhantomData },
            Err(error) => panic!("{}", error.describe()),
        }
    }

    /// Declares a field whose name is known only at run time, for instance from configuration.
    ///
    /// Declare at start-up and keep the key: each new name leaks a few bytes, for the life of the process. Declaring a
    /// name again with the same type and policy gives the same key.
    ///
    /// # Errors
    /// When the name is not legal, or was declared with another type or policy.
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
        declaration::at_run_time(name, policy, |name| {
            let declaration = Declaration::new(name, "", policy, Origin::Stored, Parser::<T>::PARSE)?;
            Ok(ContextField { declaration, _type: PhantomData })
        })
    }

    /// The field without its type.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// The field's name on spans and events.
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

/// A field that is not stored but read off the active OpenTelemetry span: [`TRACE_ID`](super::well_known::TRACE_ID)
/// and [`SPAN_ID`](super::well_known::SPAN_ID).
///
/// In a schema it puts the id on events. Spans do not get it: they have ids of their own.
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

    /// The field without its type.
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

/// Declares context fields: `static`s by which values are read and set.
///
/// Each declaration has a documentation comment, a visibility, a name, a type, the field's name on spans and events,
/// and after `=>` what is not [`Policy`](crate::field::Policy)'s default.
///
/// The type is anything that can be shown, cloned and sent between threads
/// ([`FieldType`](crate::field::FieldType)).
///
/// # Errors
/// A name that is not legal, and `propagated` on a type without [`FromStr`](std::str::FromStr), do not compile:
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
///     /// What the customer pays for.
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
