//! The expansion of the attribute triggers no lint of the compiler or of clippy.
//!
//! `cargo clippy -p ctx-tests --all-targets` checks this file as well.

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
    /// The caller.
    pub static CALLER: String = "caller";
}

/// A type without `Debug`.
#[derive(Clone, Copy)]
pub struct Opaque;

/// A type that is never constructed.
pub enum Never {}

/// A pair.
pub struct Pair<T> {
    /// One.
    pub left: T,
    /// The other.
    pub right: T,
}

/// The error.
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

/// Has logging switched off.
#[with_observability(log_args = false, log_result = false, log_errors = false)]
#[must_use]
pub fn silent(number: u8) -> u8 {
    number
}

/// Has logging switched off and no result.
#[with_observability(log_args = false, log_result = false, log_errors = false)]
pub fn silent_unit() {}

/// Takes references and returns one.
#[with_observability(skip(other), ret(Display))]
#[must_use]
pub fn reference<'a>(text: &'a str, other: &str) -> &'a str {
    let _: &str = other;
    text
}

/// Takes an array, a tuple, a unit.
#[with_observability(ret)]
#[must_use]
pub fn tuple((a, b): (u8, u8), [c, d]: [u8; 2], Pair { left, right: _ }: Pair<u8>) -> (u8, [u8; 4]) {
    (left, [a, b, c, d])
}

/// Is generic.
#[with_observability]
pub fn generic<T, const N: usize>(value: &T, more: impl Iterator<Item = T>) -> Vec<T>
where
    T: Clone + Send,
{
    more.take(N).chain([value.clone()]).collect()
}

/// Returns an iterator.
#[with_observability]
pub fn iterator(numbers: &[u8]) -> impl Iterator<Item = u8> + '_ {
    numbers.iter().map(|number| number.saturating_add(1))
}

/// Returns a box with elided lifetimes.
#[with_observability]
#[must_use]
pub fn boxed_iterator(numbers: &[u8]) -> Box<dyn Iterator<Item = u8> + '_> {
    Box::new(numbers.iter().copied())
}

/// Returns a type with elided lifetimes.
#[with_observability]
#[must_use]
pub fn cow(text: &str) -> Cow<'_, str> {
    if text.is_empty() { "nothing".into() } else { Cow::Borrowed(text) }
}

/// Takes functions for all lifetimes.
#[with_observability]
#[allow(clippy::type_complexity, reason = "it would be one without the attribute, too")]
pub fn functions() -> (fn(&u8) -> &u8, Box<dyn Fn(&str) -> &str + Send>, impl Fn(u8) -> u8) {
    (|a| a, Box::new(str::trim), |number| number)
}

/// Takes foreign types.
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

/// Coerces like `coerced`, in a future.
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

/// Never returns.
#[with_observability]
pub fn never() -> ! {
    exit(1)
}

/// Never returns, in a future.
#[with_observability]
#[must_use]
pub fn uninhabited(never: Never) -> Never {
    never
}

/// Never fails.
///
/// # Errors
///
/// Never.
#[with_observability]
#[must_use]
pub fn infallible(number: u8) -> Result<u8, Infallible> {
    Ok(number)
}

/// Takes mutable and moved arguments.
#[with_observability(redact = [list], parent = None::<tracing::Id>, level = "debug", log_level = tracing::Level::TRACE)]
#[must_use]
pub fn mutable(mut list: Vec<u8>, by: &mut u8) -> Vec<u8> {
    *by = by.wrapping_add(1);
    list.push(*by);
    list
}

/// Returns an option.
#[with_observability(kind = client, name = format!("GET {path}"), follows_from = Span::current().id())]
#[must_use]
pub fn option(path: &str, maybe: Option<&str>) -> Option<usize> {
    maybe.map(|text| text.len() + path.len())
}

/// Sets context fields.
#[with_observability(context = { caller: CALLER })]
#[must_use]
pub fn context(caller: &str) -> bool {
    CALLER.get().as_deref() == Some(caller)
}

/// Sets context fields of a future.
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

/// Returns a future.
#[with_observability]
pub async fn minimal_later() {}

/// Returns a future of a reference.
#[with_observability(err(Debug), ret(level = "warn"))]
pub async fn reference_later<'a>(text: &'a str, number: &mut u8) -> &'a str {
    *number = number.wrapping_add(1);
    ready(text).await
}

/// Returns a future of an uninhabited type.
#[with_observability]
pub async fn uninhabited_later(never: Never) -> Never {
    ready(()).await;
    never
}

/// Returns a future that never ends.
#[with_observability]
pub async fn never_later() -> ! {
    pending().await
}

/// Returns an `async` block.
#[with_observability]
pub fn block(number: u8) -> impl Future<Output = u8> + Send {
    let more = number.wrapping_add(1);
    async move { ready(more).await }
}

/// Returns a boxed future.
#[with_observability]
#[must_use]
pub fn boxed<'a>(number: &'a u8) -> Pin<Box<dyn Future<Output = Result<u8, Wrong>> + Send + 'a>> {
    Box::pin(async move { Ok(*number) })
}

/// Returns a future that another function creates.
#[with_observability]
pub fn made(number: u8) -> impl Future<Output = u8> {
    ready(number)
}

/// Returns a boxed future that another function creates.
#[with_observability]
#[must_use]
pub fn made_boxed(number: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(ready(number))
}

/// Is unsafe, with nothing unsafe in it.
#[with_observability]
#[must_use]
pub extern "C" fn foreign(number: u32) -> u32 {
    number
}

/// Recurses.
#[with_observability]
#[must_use]
pub fn factorial(number: u64) -> u64 {
    if number == 0 { 1 } else { number * factorial(number - 1) }
}

/// Has arguments whose names the expansion uses, too.
#[with_observability(attributes_from_args = all)]
#[must_use]
pub fn names(call: u8, sites: u8, returned: u8, fields: u8, value: u8, error: u8, ending: u8) -> u8 {
    const SITES: u8 = 1;
    call | sites | returned | fields | value | error | ending | SITES
}

/// A trait with methods.
pub trait Methods {
    /// A provided method.
    #[with_observability]
    fn given(&self) -> u8 {
        1
    }

    /// A required method.
    fn written(&mut self, number: u8) -> impl Future<Output = u8> + Send;
}

/// A type with all kinds of methods.
#[derive(Clone, Debug, Default)]
pub struct Service {
    users: Vec<String>,
}

#[with_observability(except(new), kind = server)]
impl Service {
    /// The limit.
    pub const MOST: usize = 3;

    /// Creates one.
    #[must_use]
    pub const fn new() -> Self {
        Self { users: Vec::new() }
    }

    /// Takes `&self`.
    #[with_observability(attributes_from_args = { self.users.len(): "users", id: "user.id" })]
    #[must_use]
    pub fn user(&self, id: usize) -> Option<&str> {
        self.users.get(id).map(String::as_str)
    }

    /// Takes `&mut self`.
    pub fn add(&mut self, user: impl Into<String>) -> &mut Self {
        self.users.push(user.into());
        self
    }

    /// Takes `self`.
    #[must_use]
    pub fn into_users(self) -> Vec<String> {
        self.users
    }

    /// Takes `&self`, in a future.
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
    /// An implementation of it.
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
async fn functions_without_lints_run() {
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
