//! Nobody sees the attribute: no lint of the compiler's or of clippy's is about what it expands to.
//!
//! `cargo clippy -p ctx-tests --all-targets` reads this, too.

#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms, unused_qualifications, single_use_lifetimes)]
#![deny(let_underscore, non_ascii_idents, trivial_casts, trivial_numeric_casts, unused, variant_size_differences)]
#![deny(unused_lifetimes, unused_import_braces, explicit_outlives_requirements, elided_lifetimes_in_paths)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic_in_result_fn, clippy::shadow_unrelated)]
#![deny(
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::absolute_paths,
    clippy::infinite_loop,
    clippy::let_underscore_untyped
)]
#![forbid(unsafe_code)]
#![allow(
    clippy::unused_async,
    clippy::needless_pass_by_value,
    clippy::future_not_send,
    reason = "so the functions are"
)]

use std::{
    array::from_fn,
    borrow::Cow,
    convert::Infallible,
    error::Error,
    fmt,
    future::{Future, pending, ready},
    pin::Pin,
    process::exit,
};

use ctx_layer::{context_fields, with_observability};
use tracing::Span;

context_fields! {
    /// Whose call it is.
    pub static CALLER: String = "caller";
}

/// A type that cannot be shown.
#[derive(Clone, Copy)]
pub struct Opaque;

/// A type that nobody makes.
pub enum Never {}

/// A pair.
pub struct Pair<T> {
    /// One.
    pub left: T,
    /// The other.
    pub right: T,
}

/// What may go wrong.
#[derive(Debug)]
pub struct Wrong(u8);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong: {}", self.0)
    }
}

impl Error for Wrong {}

/// No arguments, no result.
#[with_observability]
pub fn minimal() {}

/// A result.
///
/// # Errors
///
/// When `number` is 0.
#[with_observability(attributes_from_args = { number: "number", text.len(): "length" }, static_attributes = { "part": "a" })]
pub fn result(number: u8, text: &str, opaque: Opaque) -> Result<usize, Wrong> {
    let _: Opaque = opaque;
    if number == 0 {
        return Err(Wrong(number));
    }
    Ok(text.len())
}

/// As `#[tracing::instrument]`.
///
/// # Errors
///
/// Never.
#[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, err, ret)]
pub fn instrument(number: u8, text: String) -> Result<String, Box<dyn Error + Send + Sync>> {
    Ok(format!("{number}{text}"))
}

/// Nothing is logged.
#[with_observability(log_args = false, log_result = false, log_errors = false)]
#[must_use]
pub fn silent(number: u8) -> u8 {
    number
}

/// Nothing is logged, and nothing returned.
#[with_observability(log_args = false, log_result = false, log_errors = false)]
pub fn silent_unit() {}

/// References in, a reference out.
#[with_observability(skip(other), ret(Display))]
#[must_use]
pub fn reference<'a>(text: &'a str, other: &str) -> &'a str {
    let _: &str = other;
    text
}

/// An array, a tuple, nothing.
#[with_observability(ret)]
#[must_use]
pub fn tuple((a, b): (u8, u8), [c, d]: [u8; 2], Pair { left, right: _ }: Pair<u8>) -> (u8, [u8; 4]) {
    (left, [a, b, c, d])
}

/// Generics.
#[with_observability]
pub fn generic<T, const N: usize>(value: &T, more: impl Iterator<Item = T>) -> Vec<T>
where
    T: Clone + Send,
{
    more.take(N).chain([value.clone()]).collect()
}

/// An iterator.
#[with_observability]
pub fn iterator(numbers: &[u8]) -> impl Iterator<Item = u8> + '_ {
    numbers.iter().map(|number| number.saturating_add(1))
}

/// Lifetimes that nobody names, behind a box.
#[with_observability]
#[must_use]
pub fn boxed_iterator(numbers: &[u8]) -> Box<dyn Iterator<Item = u8> + '_> {
    Box::new(numbers.iter().copied())
}

/// Lifetimes that nobody names, in a type.
#[with_observability]
#[must_use]
pub fn cow(text: &str) -> Cow<'_, str> {
    if text.is_empty() { "nothing".into() } else { Cow::Borrowed(text) }
}

/// Functions for all lifetimes.
#[with_observability]
#[allow(clippy::type_complexity, reason = "it would be one without the attribute, too")]
pub fn functions() -> (fn(&u8) -> &u8, Box<dyn Fn(&str) -> &str + Send>, impl Fn(u8) -> u8) {
    (|a| a, Box::new(str::trim), |number| number)
}

/// Types of others.
#[with_observability]
pub fn associated<T: IntoIterator<IntoIter: Clone>, const N: usize>(from: T) -> [<T as IntoIterator>::IntoIter; N] {
    let iterator = from.into_iter();
    from_fn(|_| iterator.clone())
}

/// A coercion, at an early end and at the last.
///
/// # Errors
///
/// When `number` is not 0.
#[with_observability]
pub fn coerced(number: u8) -> Result<Box<dyn fmt::Display>, Box<dyn Error>> {
    if number == 0 {
        return Ok(Box::new(number));
    }
    Err(Box::new(Wrong(number)))
}

/// The same, later.
///
/// # Errors
///
/// When `number` is not 0.
#[with_observability]
pub async fn coerced_later(number: u8) -> Result<Box<dyn fmt::Display>, Box<dyn Error>> {
    if ready(number).await == 0 {
        return Ok(Box::new(number));
    }
    Err(Box::new(Wrong(number)))
}

/// It never comes back.
#[with_observability]
pub fn never() -> ! {
    exit(1)
}

/// It never comes back, either.
#[with_observability]
#[must_use]
pub fn uninhabited(never: Never) -> Never {
    never
}

/// It cannot go wrong.
///
/// # Errors
///
/// Never.
#[with_observability]
#[must_use]
pub fn infallible(number: u8) -> Result<u8, Infallible> {
    Ok(number)
}

/// Mutable arguments, moved arguments.
#[with_observability(redact = [list], parent = None::<tracing::Id>, level = "debug", log_level = tracing::Level::TRACE)]
#[must_use]
pub fn mutable(mut list: Vec<u8>, by: &mut u8) -> Vec<u8> {
    *by = by.wrapping_add(1);
    list.push(*by);
    list
}

/// An option.
#[with_observability(kind = client, name = format!("GET {path}"), follows_from = Span::current().id())]
#[must_use]
pub fn option(path: &str, maybe: Option<&str>) -> Option<usize> {
    maybe.map(|text| text.len() + path.len())
}

/// Context fields.
#[with_observability(context = { caller: CALLER })]
#[must_use]
pub fn context(caller: &str) -> bool {
    CALLER.get().as_deref() == Some(caller)
}

/// Context fields of a future.
///
/// # Errors
///
/// When there is no caller.
#[with_observability(context = { caller: CALLER }, log_errors = every_level)]
pub async fn context_later(caller: Option<String>) -> Result<(), Wrong> {
    let length = caller.map_or(0, |name| name.len());
    ready(()).await;
    if length == 0 { Err(Wrong(0)) } else { Ok(()) }
}

/// A future.
#[with_observability]
pub async fn minimal_later() {}

/// A future of a reference.
#[with_observability(err(Debug), ret(level = "warn"))]
pub async fn reference_later<'a>(text: &'a str, number: &mut u8) -> &'a str {
    *number = number.wrapping_add(1);
    ready(text).await
}

/// A future of nothing that there is.
#[with_observability]
pub async fn uninhabited_later(never: Never) -> Never {
    ready(()).await;
    never
}

/// A future that never ends.
#[with_observability]
pub async fn never_later() -> ! {
    pending().await
}

/// An `async` block.
#[with_observability]
pub fn block(number: u8) -> impl Future<Output = u8> + Send {
    let more = number.wrapping_add(1);
    async move { ready(more).await }
}

/// A boxed one.
#[with_observability]
#[must_use]
pub fn boxed<'a>(number: &'a u8) -> Pin<Box<dyn Future<Output = Result<u8, Wrong>> + Send + 'a>> {
    Box::pin(async move { Ok(*number) })
}

/// A future that is made elsewhere.
#[with_observability]
pub fn made(number: u8) -> impl Future<Output = u8> {
    ready(number)
}

/// A boxed one that is made elsewhere.
#[with_observability]
#[must_use]
pub fn made_boxed(number: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(ready(number))
}

/// Unsafe to nobody who reads this.
#[with_observability]
#[must_use]
pub extern "C" fn foreign(number: u32) -> u32 {
    number
}

/// Recursion.
#[with_observability]
#[must_use]
pub fn factorial(number: u64) -> u64 {
    if number == 0 { 1 } else { number * factorial(number - 1) }
}

/// Names that the expansion has, too.
#[with_observability(attributes_from_args = all)]
#[must_use]
pub fn names(call: u8, sites: u8, returned: u8, fields: u8, value: u8, error: u8, ending: u8) -> u8 {
    const SITES: u8 = 1;
    call | sites | returned | fields | value | error | ending | SITES
}

/// Has methods.
pub trait Methods {
    /// One that is given.
    #[with_observability]
    fn given(&self) -> u8 {
        1
    }

    /// One that is to be written.
    fn written(&mut self, number: u8) -> impl Future<Output = u8> + Send;
}

/// Has all kinds of methods.
#[derive(Clone, Debug, Default)]
pub struct Service {
    users: Vec<String>,
}

#[with_observability(except(new), kind = server)]
impl Service {
    /// How many may be there.
    pub const MOST: usize = 3;

    /// Makes one.
    #[must_use]
    pub const fn new() -> Self {
        Self { users: Vec::new() }
    }

    /// By reference.
    #[with_observability(attributes_from_args = { self.users.len(): "users", id: "user.id" })]
    #[must_use]
    pub fn user(&self, id: usize) -> Option<&str> {
        self.users.get(id).map(String::as_str)
    }

    /// By mutable reference.
    pub fn add(&mut self, user: impl Into<String>) -> &mut Self {
        self.users.push(user.into());
        self
    }

    /// By value.
    #[must_use]
    pub fn into_users(self) -> Vec<String> {
        self.users
    }

    /// Later.
    ///
    /// # Errors
    ///
    /// When there is no such user.
    pub async fn load(&self, id: usize) -> Result<String, Wrong> {
        let user = ready(self.users.get(id).cloned()).await;
        user.ok_or(Wrong(1))
    }
}

#[with_observability]
impl Methods for Service {
    async fn written(&mut self, number: u8) -> u8 {
        ready(()).await;
        number
    }
}

/// A trait whose methods are boxed.
#[async_trait::async_trait]
pub trait Boxed {
    /// One of them.
    async fn method(&self, number: u8) -> Result<u8, Wrong>;
}

#[async_trait::async_trait]
impl Boxed for Service {
    #[with_observability(skip(self))]
    async fn method(&self, number: u8) -> Result<u8, Wrong> {
        ready(()).await;
        Ok(number)
    }
}

#[tokio::test]
async fn what_is_free_of_lints_runs() {
    minimal();
    assert_eq!(result(1, "text", Opaque).ok(), Some(4));
    assert_eq!(result(0, "text", Opaque).map_err(|error| error.to_string()).err().as_deref(), Some("wrong: 0"));
    assert_eq!(tuple((1, 2), [3, 4], Pair { left: 5, right: 6 }), (5, [1, 2, 3, 4]));
    assert_eq!(generic::<u8, 1>(&2, [1, 3].into_iter()), [1, 2]);
    assert_eq!(factorial(5), 120);
    assert_eq!(functions().1(" text "), "text");
    assert_eq!(associated::<_, 2>([1]).map(Iterator::count), [1, 1]);
    assert_eq!(block(1).await, 2);
    assert!(context("acme"));
    assert_eq!(Service::new().add("ada").load(0).await.ok().as_deref(), Some("ada"));
    assert_eq!(Service::default().method(1).await.ok(), Some(1));
}
