// Included twice, under either attribute: see `side_by_side`.

use std::{
    fmt,
    future::Future,
    num::{NonZeroU8, Wrapping},
    pin::Pin,
    sync::Arc,
};

use tracing::{Level, Span, info};

use crate::polling::{PollN, block_on_future};

#[derive(Clone, Debug)]
struct Pair {
    left: u8,
    right: String,
}

#[derive(Debug)]
struct Wrong(u8);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong: {}", self.0)
    }
}

impl std::error::Error for Wrong {}

const TARGET: &str = "a target";
const NAME: &str = "a name";
const LEVEL: Level = Level::WARN;
const KEY: &str = "a key";

struct Keys;

impl Keys {
    const KEY: &'static str = "their key";
}

observe! { () fn nothing() { info!("inside"); } }
observe! { (level = "warn") fn of_level(a: u8) { info!(a, "inside"); } }
observe! { (level = 1) fn of_number() {} }
observe! { (level = Level::ERROR, target = TARGET, name = NAME) fn of_constants() { info!("inside"); } }
observe! { (level = LEVEL, "named") fn named_alone() {} }
observe! { (name = NAME, target = "x::y") fn named_by_a_constant() {} }
observe! {
    ()
    fn values(
        a: u8, b: i64, c: f32, d: bool, e: &str, f: String, g: u128, h: i128, i: usize, j: NonZeroU8, k: Wrapping<i8>,
        l: &&u16, m: &mut u32, n: char, o: (), p: Option<u8>, q: &[u8], r: Vec<&str>, s: Box<u8>, t: Arc<str>,
    ) -> usize {
        *m += 1;
        r.len() + q.len() + f.len()
    }
}
observe! { () fn patterns((a, _): (u8, u8), Pair { left, right: _ }: Pair, &c: &u8, [d, .., e]: [u8; 3], _: u8) {} }
observe! { () fn bindings(ref a: String, mut b: u8, whole @ (c, d): (u8, u8)) { b += *&b; let _ = (a, whole, c, d); } }
observe! { (skip(a, c)) fn skipped(a: u8, b: u8, c: Span) {} }
observe! { (skip_all, fields(b)) fn all_skipped(a: u8, b: Span) {} }
observe! { (fields(c = a + 1, d.e = %b, f = ?b, later, g.h = tracing::field::Empty, r#type = "t")) fn with_fields(a: u8, b: &str) {
    Span::current().record("later", 7).record("g.h", "now");
} }
observe! { (fields(%a, ?b, c.d = Pair::clone(&b).left)) fn with_sigils(a: u8, b: Pair) {} }
observe! { (fields({ KEY } = 1, { Keys::KEY } = %a, { "any text" } = ?a)) fn with_constant_names(a: u8) {} }
observe! { (fields(a = "replaced")) fn replaced(a: u8, b: u8) {} }
observe! { (parent = None) fn root() { info!("inside"); } }
observe! { (parent = &parent) fn of_parent(parent: Span) { info!("inside"); } }
observe! { (parent = parent.id(), skip(parent)) fn of_parents_id(parent: &Span) {} }
observe! { (follows_from = causes.iter(), skip(causes)) fn follows(causes: &[Span]) {} }
observe! { (follows_from = [Span::current().id(), None]) fn follows_itself() {} }
observe! { (ret) fn returns(a: u8) -> u8 { a + 1 } }
observe! { (ret(Display), level = "error") fn returns_displayed(a: &str) -> &str { &a[1..] } }
observe! { (ret(Debug, level = "warn")) fn returns_debugged(a: Pair) -> Pair { a } }
observe! { (ret) fn returns_unit() {} }
observe! { (ret, err) fn both(fail: bool) -> Result<u8, Wrong> { if fail { Err(Wrong(1))? } Ok(2) } }
observe! { (err) fn fails(a: u8) -> Result<(), Wrong> { Err(Wrong(a)) } }
observe! { (err(Debug)) fn fails_debugged() -> Result<(), Wrong> { return Err(Wrong(1)); } }
observe! { (err(level = "info", Display), target = TARGET) fn fails_quietly() -> Result<u8, Box<dyn std::error::Error>> { Err(Wrong(1).into()) } }
observe! { (err(level = Level::TRACE)) fn fails_with_text(a: &str) -> Result<u8, &str> { Err(a) } }
observe! { (ret(level = 4), err(level = 2)) async fn fails_later(a: u8) -> Result<u8, Wrong> {
    let _: Result<(), ()> = PollN::new_ok(2).await;
    if a > 3 { return Err(Wrong(a)); }
    Ok(a)
} }
observe! { () async fn waits(a: &str, mut b: Pair) -> usize {
    b.left += 1;
    info!("first");
    let _: Result<(), ()> = PollN::new_ok(3).await;
    info!(b.left, "second");
    a.len()
} }
observe! { () async fn waits_for_another(a: u8) { waits("inner", Pair { left: a, right: String::new() }).await; info!("after"); } }
observe! { (skip_all) async fn generic<T: AsRef<str>>(a: T, f: impl Fn(&str)) -> T { f(a.as_ref()); a } }
observe! { () async fn never_polled(a: u8) {} }
observe! { () async fn dropped(a: Pair) { let _: Result<(), ()> = PollN::new_ok(9).await; drop(a); } }
observe! { () fn panics(a: u8) { info!("before"); panic!("{a}"); } }
observe! { (err) async fn panics_later() -> Result<(), Wrong> { let _: Result<(), ()> = PollN::new_ok(2).await; panic!("later"); } }
observe! { () fn recursive(n: u8) -> u8 { if n == 0 { 0 } else { 1 + recursive(n - 1) } } }
observe! { () async fn recursive_later(n: u8) -> u8 { if n == 0 { 0 } else { 1 + Box::pin(recursive_later(n - 1)).await } } }
observe! { () unsafe fn unsafely(a: u8) -> u8 { a } }
observe! { () extern "C" fn foreign(a: u8) -> u8 { a } }
observe! { () fn implemented(a: impl fmt::Debug, b: impl Into<String> + fmt::Debug) -> impl fmt::Debug { (a, b.into()) } }
observe! { () fn const_generic<const N: usize>(a: [u8; N]) -> usize { N } }
observe! { () fn raw(r#type: u8, r#match: &str) {} }
observe! { (skip(r#type)) fn raw_skipped(r#type: u8, r#match: &str) {} }
observe! { (name = "r", fields(self_ = 1)) fn r#try(message: &str) {} }

trait Shape: fmt::Debug {
    observe! { () fn with_body(&self, a: u8) -> u8 { a } }
    fn without(&self, a: u8) -> u8;
}

impl Shape for Pair {
    observe! { (skip(self)) fn without(&self, a: u8) -> u8 { info!(self.left, "inside"); a } }
}

impl Pair {
    observe! { () fn by_reference(&self) -> u8 { self.left } }
    observe! { (fields(left = self.left, right = %self.right, self.left), skip(self)) fn changed(&mut self, by: u8) -> &mut Self { self.left += by; self } }
    observe! { (skip_all, fields(left = ?self.left)) async fn moved(self) -> Self { self } }
    observe! { () fn in_arc(self: Arc<Self>, _unused: u8) {} }
    observe! { (err, ret(Debug)) fn made(left: u8) -> Result<Self, Wrong> { Ok(Self { left, right: "made".to_owned() }) } }
}

fn pair() -> Pair {
    Pair { left: 1, right: "right".to_owned() }
}

fn poll_once<F: Future>(future: F) {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = std::pin::pin!(future).as_mut().poll(&mut task);
}

macro_rules! programs {
    ($($program:expr;)*) => { vec![$((stringify!($program), Box::new(move || { let _ = $program; }) as Box<dyn FnOnce()>)),*] };
}

pub(super) fn programs() -> Vec<(&'static str, Box<dyn FnOnce()>)> {
    let outer = move || tracing::info_span!(target: "outer", "outer");
    programs![
        nothing();
        outer().in_scope(nothing);
        of_level(1);
        of_number();
        of_constants();
        named_alone();
        named_by_a_constant();
        values(
            1, -2, 0.5, true, "e", "f".into(), 7, -8, 9, NonZeroU8::MIN, Wrapping(-1), &&3, &mut 4, 'c', (), Some(5), &[6],
            vec!["r"], Box::new(7), "t".into()
        );
        patterns((1, 2), pair(), &3, [4, 5, 6], 7);
        bindings("a".into(), 2, (3, 4));
        skipped(1, 2, Span::none());
        all_skipped(1, Span::none());
        with_fields(1, "b");
        with_sigils(1, pair());
        with_constant_names(1);
        replaced(1, 2);
        outer().in_scope(root);
        of_parent(outer());
        of_parents_id(&outer());
        follows(&[outer(), outer()]);
        outer().in_scope(follows_itself);
        returns(1);
        returns_displayed("abc");
        returns_debugged(pair());
        returns_unit();
        (both(true), both(false));
        fails(1);
        fails_debugged();
        fails_quietly();
        fails_with_text("x");
        (block_on_future(fails_later(1)), block_on_future(fails_later(4)));
        block_on_future(fails_in_a_block(1));
        outer().in_scope(|| block_on_future(fails_boxed(&1)));
        block_on_future(waits("a", pair()));
        block_on_future(waits_for_another(1));
        block_on_future(generic("a", |a| info!(a, "called")));
        outer().in_scope(|| drop(never_polled(1)));
        poll_once(dropped(pair()));
        panics(1);
        block_on_future(panics_later());
        recursive(2);
        block_on_future(recursive_later(2));
        unsafe { unsafely(1) };
        foreign(1);
        implemented(1, "b");
        const_generic([1, 2]);
        raw(1, "b");
        raw_skipped(1, "b");
        r#try("m");
        pair().with_body(1);
        pair().without(1);
        pair().by_reference();
        pair().changed(2).left;
        block_on_future(pair().moved());
        Arc::new(pair()).in_arc(1);
        Pair::made(1);
    ]
}
