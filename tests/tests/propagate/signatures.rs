//! Signatures, attributes and names, under all lints that a user may enable. Compiled under two editions.
#![deny(clippy::pedantic, let_underscore_drop, refining_impl_trait, unsafe_op_in_unsafe_fn, unused_lifetimes)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::unused_async,
    clippy::unused_self,
    clippy::used_underscore_binding,
    clippy::many_single_char_names,
    reason = "they would be without the attribute, too"
)]
#![allow(dead_code, reason = "most have to compile, and no more")]
#![allow(unsafe_code, reason = "`unsafe fn` can be annotated")]

use std::{
    collections::HashMap,
    error::Error,
    fmt::Display,
    future::Future,
    num::ParseIntError,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use ctx_layer::{field::well_known::TENANT_ID, propagate, propagation::CarrierMut};

type Headers = HashMap<String, String>;

fn send<T: Send>(value: T) -> T {
    value
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[propagate]
#[rustfmt::skip] // The test needs this format.
async fn on_one_line(a: &str, b: &str) -> usize { a.len() + b.len() }

#[propagate]
async fn elided(a: &str, b: &str) -> usize {
    a.len() + b.len()
}

#[propagate]
async fn named<'a>(a: &'a str, b: &str) -> &'a str {
    tokio::task::yield_now().await;
    if b.is_empty() { "" } else { a }
}

#[propagate]
async fn generic<T, U: AsRef<str>, const N: usize>(t: T, u: U, n: [u8; N]) -> String
where
    T: Clone + Display,
{
    format!("{}{}{}", t.clone(), u.as_ref(), n.len())
}

#[propagate]
async fn boxed_error(text: &str) -> Result<u8, Box<dyn Error>> {
    let number: u8 = text.parse()?;
    if number == 0 {
        return Err("zero".into());
    }
    Ok(number)
}

struct Borrowed<'a>(&'a str);

struct Service<'a> {
    name: &'a str,
    numbers: Vec<u8>,
}

impl<'a> Service<'a> {
    #[propagate]
    async fn outer_lifetime(&self) -> &'a str {
        self.name
    }

    #[propagate]
    async fn anonymous_lifetime(&self) -> Borrowed<'_> {
        Borrowed(self.name)
    }

    #[propagate]
    async fn two_borrowed(&mut self, other: &mut u8) -> &mut Vec<u8> {
        *other += 1;
        tokio::task::yield_now().await;
        &mut self.numbers
    }

    #[propagate]
    async fn mutable(mut self) -> Vec<u8> {
        self.numbers.push(1);
        self.numbers
    }

    #[propagate]
    async fn shared(self: Arc<Self>, x: u8) -> usize {
        self.numbers.len() + usize::from(x)
    }

    #[propagate]
    async fn boxed(self: Box<Self>) -> Vec<u8> {
        self.numbers
    }

    #[propagate]
    async fn pinned(self: Pin<&mut Self>) -> usize {
        self.numbers.len()
    }

    #[propagate]
    async fn implemented(&self, f: impl Fn(u8) -> u8) -> impl Display {
        f(1)
    }

    #[propagate]
    async fn implemented_in(&self) -> Result<impl Display, ParseIntError> {
        let number: u8 = self.name.parse()?;
        Ok(number)
    }

    #[propagate(into = self.sent())]
    async fn sent_by_method(&mut self, mut more: Vec<(String, String)>) -> usize {
        more.clear();
        more.len()
    }

    fn sent(&mut self) -> Headers {
        self.numbers.clear();
        Headers::new()
    }
}

#[propagate]
async fn ignored(_: MutexGuard<'_, u8>, _: impl Future<Output = u8>, _unused: Mutex<u8>, (a, _b): (u8, u8)) -> u8 {
    a
}

#[propagate]
async fn conditional(
    #[cfg(windows)] x: u8,
    #[cfg(not(windows))] x: u16,
    #[cfg(windows)] (a, b): (u8, u8),
    #[allow(unused_variables)] y: u8,
    #[expect(unused_variables)] z: u8,
    #[expect(unused_mut)] mut w: u8,
    #[allow(unused_variables)] (c, d): (u8, u8),
) -> u16 {
    x + u16::from(w)
}

/// Documented.
///
/// # Errors
/// Never.
#[must_use]
#[propagate]
#[inline]
async fn must_be_used(x: u8) -> u8 {
    x
}

#[propagate]
#[must_use = "it is seven"]
async fn must_be_used_with_a_reason() -> u8 {
    7
}

#[propagate(isolated)]
#[track_caller]
fn called_from() -> u32 {
    std::panic::Location::caller().line()
}

/// # Safety
/// None needed.
#[propagate]
async unsafe fn danger(x: *const u8) -> u8 {
    // SAFETY: it has no requirements.
    unsafe { *x }
}

#[propagate(context = { "acme": TENANT_ID })]
extern "C" fn called_from_c(x: u8) -> u8 {
    u8::from(TENANT_ID.get().is_some()) + x
}

#[propagate(isolated)]
fn never() -> ! {
    panic!("never")
}

trait Trait {
    fn sends(&self, x: &str) -> impl Future<Output = usize> + Send;
    fn does_not(&self, x: &str) -> impl Future<Output = usize>;
}

impl Trait for u8 {
    #[propagate]
    async fn sends(&self, x: &str) -> usize {
        x.len()
    }

    #[propagate(context = { x: TENANT_ID })]
    async fn does_not(&self, x: &str) -> usize {
        x.len()
    }
}

#[allow(async_fn_in_trait)]
trait Native {
    async fn get(&self, x: &str) -> usize;

    #[propagate]
    async fn twice(&self, x: &str) -> usize {
        self.get(x).await + self.get(x).await
    }
}

impl Native for u8 {
    #[propagate]
    async fn get(&self, x: &str) -> usize {
        x.len()
    }
}

#[derive(Default)]
struct Request {
    headers: Headers,
}

impl Request {
    fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    #[propagate(into = self.headers)]
    fn of_self(&mut self) {}

    #[propagate(into = self.headers)]
    async fn of_self_later(&mut self) {}

    #[propagate(into = self.headers_mut())]
    fn of_a_method(&mut self) {}
}

#[propagate(into = request.headers)]
async fn into_a_field(mut request: Request) -> usize {
    request.headers.len()
}

#[propagate(into = request.headers_mut())]
async fn into_what_a_method_gives(mut request: Request) -> Request {
    request
}

#[propagate(into = headers)]
fn into_a_binding(Request { headers }: &mut Request) -> usize {
    headers.len()
}

#[propagate(into = headers)]
async fn into_a_binding_later(Request { headers }: &mut Request) -> usize {
    headers.len()
}

#[propagate(into = headers)]
async fn into_whatever(headers: &mut impl CarrierMut) {
    tokio::task::yield_now().await;
    headers.remove("x");
}

#[propagate(into = headers)]
async fn into_owned(mut headers: Headers) -> Headers {
    headers
}

#[propagate(from = headers, context = { name: TENANT_ID })]
async fn moved(headers: Headers, name: String) -> (Headers, String) {
    (headers, name)
}

#[async_trait::async_trait]
trait Dynamic {
    async fn owned(&self, headers: Headers) -> Headers;
    async fn lent(&self, headers: &mut Headers) -> usize;
}

#[async_trait::async_trait]
impl Dynamic for u8 {
    #[propagate(into = headers)]
    async fn owned(&self, headers: Headers) -> Headers {
        headers
    }

    #[propagate(into = headers, context = { "acme": TENANT_ID })]
    async fn lent(&self, headers: &mut Headers) -> usize {
        headers.len()
    }
}

#[propagate(from = h)]
fn names_of_ours(h: &Headers, _entered: u8, _scope: u8, _guard: u8, snapshot: u8, fields: u8) -> u8 {
    let _ = h;
    _entered + _scope + _guard + snapshot + fields
}

#[propagate(context = { h: TENANT_ID })]
fn names_of_ours_set(h: &str, _scope: u8, _guard: u8) -> u8 {
    let _ = h;
    _scope + _guard
}

#[propagate(context = { fields: TENANT_ID })]
async fn names_of_ours_later(snapshot: u8, fields: u8, returned: u8, __argument_9: u8, (_a, b): (u8, u8)) -> u8 {
    snapshot + fields + returned + __argument_9 + _a + b
}

#[propagate]
fn names_of_ours_made(made: u8, snapshot: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    if made == 1 {
        return Box::pin(async { 1 });
    }
    Box::pin(async move { snapshot })
}

#[test]
fn annotated_functions_return_the_same_results() {
    assert_eq!(block_on(send(elided("a", "b"))) + block_on(send(on_one_line("a", "b"))), 4);
    assert_eq!(block_on(send(named("a", "b"))), "a");
    assert_eq!(block_on(send(generic(1, "x", [0; 3]))), "1x3");
    assert!(block_on(boxed_error("0")).is_err());
    let mut service = Service { name: "7", numbers: vec![1] };
    assert_eq!(block_on(service.outer_lifetime()), block_on(service.anonymous_lifetime()).0);
    assert_eq!(block_on(service.implemented_in()).unwrap().to_string(), "7");
    assert_eq!(block_on(service.implemented(|x| x + 1)).to_string(), "2");
    block_on(service.two_borrowed(&mut 7)).push(2);
    assert_eq!(block_on(Pin::new(&mut service).pinned()), 2);
    assert_eq!(block_on(service.mutable()), [1, 2, 1]);
    assert_eq!(called_from(), line!());
    assert_eq!(called_from_c(1), 2);
    assert_eq!(block_on(must_be_used(1)) + block_on(must_be_used_with_a_reason()), 8);
    assert_eq!(block_on(7.sends("x")) + block_on(7.does_not("x")) + block_on(7.twice("x")), 4);
    let _tenant = TENANT_ID.attach("not one that travels");
    assert_eq!(block_on(into_a_binding_later(&mut Request::default())), into_a_binding(&mut Request::default()));
    assert_eq!(block_on(Dynamic::lent(&7, &mut Headers::new())), block_on(Dynamic::owned(&7, Headers::new())).len());
    assert_eq!(names_of_ours(&Headers::new(), 1, 2, 3, 4, 5), 15);
    assert_eq!(names_of_ours_set("", 1, 2), 3);
    assert_eq!(block_on(names_of_ours_later(1, 2, 3, 4, (5, 6))), 21);
    assert_eq!(block_on(names_of_ours_made(2, 7)), 7);
}

mod shadowed {
    //! A module in which every name means something else.
    #![allow(non_camel_case_types)]

    struct Option;
    struct Box;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct u8;
    struct Snapshot;
    struct Context;
    struct Future;
    struct InContextExt;
    mod ctx_layer {}
    mod core {}
    mod std {}

    type Headers = ::std::collections::HashMap<::std::string::String, ::std::string::String>;

    #[::ctx_layer::propagate(from = headers, context = { name: ::ctx_layer::field::well_known::TENANT_ID }, into = out)]
    async fn later(headers: &Headers, name: &str, out: &mut Headers) -> usize {
        headers.len() + name.len() + out.len()
    }

    #[::ctx_layer::propagate(from = headers, context = { name: ::ctx_layer::field::well_known::TENANT_ID }, into = out)]
    fn at_once(headers: &Headers, name: &str, out: &mut Headers) -> usize {
        headers.len() + name.len() + out.len()
    }

    #[::ctx_layer::propagate(isolated)]
    fn boxed() -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = usize>>> {
        ::std::boxed::Box::pin(async { 1 })
    }
}
