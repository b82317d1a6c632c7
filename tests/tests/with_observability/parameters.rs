//! Parameters of every kind.

use std::{fmt::Debug, rc::Rc, sync::Arc};

use ctx_layer::with_observability;
use ctx_tests::Yield;
use opentelemetry::Value;

use crate::setup::with_and_without_context;

struct Foo {
    x: u8,
    y: Bar,
    #[allow(dead_code, reason = "not named by the patterns")]
    z: u8,
}

struct Bar(i64);

#[allow(clippy::too_many_arguments, clippy::toplevel_ref_arg, reason = "one of each")]
#[with_observability(attributes_from_args = all)]
fn patterns(
    (a, b): (u8, String),
    Foo { x, y: Bar(inner), .. }: Foo,
    &c: &i32,
    [first, .., last]: [bool; 3],
    mut d: Vec<u8>,
    ref e: String,
    whole @ (f, _): (i8, i8),
    _: u16,
    _ignored: (),
) -> (String, Vec<u8>, usize) {
    let _ = (a, x, inner, c, first, last, whole, f);
    d.push(1);
    (b, d, e.len())
}

#[with_observability(attributes_from_args = all)]
fn conditional(
    #[cfg(not(test))] never: Missing,
    #[cfg(test)] always: u8,
    #[cfg(not(test))] (nor, this): (u8, Missing),
    #[allow(unused_variables)] unused: u8,
) -> u8 {
    always
}

#[with_observability(attributes_from_args = { never.len(): "never", always: "always" })]
async fn conditional_later(#[cfg(not(test))] never: Missing, #[cfg(test)] always: u8) -> u8 {
    always
}

#[test]
fn an_argument_may_be_under_cfg() {
    with_and_without_context(|out| {
        assert_eq!(out.run(|| conditional(1, 2)), 1);
        assert_eq!(out.fields("called")["always"], 1);
        assert!(out.fields("called")["never"].is_null());
        assert_eq!(out.attribute("conditional", "unused"), Some("2".into()));
        assert_eq!(out.block_on(conditional_later(3)), 3);
        assert_eq!(out.attribute("conditional_later", "always"), Some(Value::I64(3)));
        assert_eq!(out.attribute("conditional_later", "never"), None);
    });
}

#[test]
fn the_bindings_of_patterns_are_the_arguments() {
    with_and_without_context(|out| {
        let foo = Foo { x: 2, y: Bar(-3), z: 0 };
        let returned =
            out.run(|| patterns((1, "b".into()), foo, &4, [true, false, false], vec![0], "ee".into(), (5, 6), 7, ()));
        assert_eq!(returned, ("b".to_owned(), vec![0, 1], 2));
        let called = out.fields("called");
        assert_eq!(called["a"], 1);
        assert_eq!(called["b"], "b");
        assert_eq!(called["first"], true);
        assert_eq!(called["e"], "ee");
        assert_eq!(called["inner"], -3);
        assert_eq!(called["c"], 4);
        assert_eq!(called["d"], "[0]", "before the body changes it");
        assert_eq!(called["whole"], "(5, 6)");
        assert_eq!(called["f"], 5);
        for name in ["a", "b", "x", "inner", "c", "d", "e", "whole"] {
            assert!(out.attribute("patterns", name).is_some(), "{name}");
        }
        for name in ["first", "last", "f"] {
            assert_eq!(out.attribute("patterns", name), None, "`all` is what `#[instrument]` has: not {name}");
        }
    });
}

#[with_observability]
fn consumes(text: String, list: Vec<String>, shared: Rc<u8>, function: Box<dyn FnOnce() -> u8>) -> usize {
    text.into_bytes().len() + list.into_iter().map(|text| text.len()).sum::<usize>() + usize::from(*shared + function())
}

#[with_observability]
async fn consumes_later(text: String, list: Vec<String>) -> Vec<String> {
    Yield::default().await;
    list.into_iter().chain([text]).collect()
}

#[test]
fn the_body_may_move_its_arguments() {
    with_and_without_context(|out| {
        let got = out.run(|| consumes("ab".into(), vec!["c".into()], Rc::new(1), Box::new(|| 2)));
        assert_eq!(got, 6);
        assert_eq!(out.block_on(consumes_later("a".into(), vec!["b".into()])), ["b", "a"]);
    });
}

#[with_observability]
fn mutates(mut count: u8, list: &mut Vec<u8>, mut text: String) -> String {
    count += 1;
    list.push(count);
    text.push('!');
    text
}

#[with_observability]
async fn mutates_later(mut count: u8, list: &mut Vec<u8>) {
    count += 1;
    Yield::default().await;
    list.push(count);
}

#[test]
fn the_body_may_mutate_its_arguments() {
    with_and_without_context(|out| {
        let mut list = Vec::new();
        assert_eq!(out.run(|| mutates(1, &mut list, "a".into())), "a!");
        out.block_on(mutates_later(5, &mut list));
        assert_eq!(list, [2, 6]);
    });
}

#[with_observability]
fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {
    if a.len() < b.len() { b } else { a }
}

#[with_observability]
fn first(list: &mut [u8]) -> Option<&mut u8> {
    list.first_mut()
}

#[with_observability]
fn splits<'a, 'b: 'a>(text: &'a str, by: &'b str) -> (&'a str, &'b str) {
    (text.split(by).next().unwrap_or(text), by)
}

#[with_observability]
fn iterates<'a>(list: &'a [u8]) -> Box<dyn Iterator<Item = &'a u8> + 'a> {
    Box::new(list.iter())
}

#[test]
fn references_may_be_returned() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(longest("a", "bb"), "bb");
            let mut list = [1, 2];
            *first(&mut list).unwrap() = 7;
            assert_eq!(list, [7, 2]);
            assert_eq!(splits("a-b", "-"), ("a", "-"));
            assert_eq!(iterates(&list).count(), 2);
        });
    });
}

#[with_observability(attributes_from_args = [value])]
fn generic<T, const N: usize>(value: T, list: [u8; N]) -> (T, usize)
where
    T: Clone + Debug,
{
    (value, list.len())
}

#[with_observability]
fn implemented(items: impl IntoIterator<Item = u8>, show: impl Fn(u8) -> String) -> impl Iterator<Item = String> {
    items.into_iter().map(show).collect::<Vec<_>>().into_iter()
}

#[with_observability]
async fn implemented_later(items: impl IntoIterator<Item = u8> + Send) -> impl Debug {
    Yield::default().await;
    items.into_iter().sum::<u8>()
}

#[with_observability]
fn nested_impl(fails: bool) -> Result<impl Debug, Box<dyn std::error::Error>> {
    if fails {
        return Err("no".into());
    }
    Ok(3)
}

#[with_observability]
fn unsized_parameter<T: ?Sized + AsRef<[u8]>>(value: &T) -> usize {
    value.as_ref().len()
}

#[with_observability]
fn dynamic(shown: &dyn Debug, shared: Arc<dyn Fn() -> u8 + Send + Sync>) -> String {
    format!("{shown:?}{}", shared())
}

#[test]
fn parameters_and_results_may_be_generic_or_impl_trait() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(generic("x", [0; 3]), ("x", 3));
            assert_eq!(implemented([1, 2], |number| number.to_string()).collect::<Vec<_>>(), ["1", "2"]);
            assert_eq!(format!("{:?}", nested_impl(false).unwrap()), "3");
            assert!(nested_impl(true).is_err());
            assert_eq!(unsized_parameter("abc"), 3);
            assert_eq!(dynamic(&"x", Arc::new(|| 1)), "\"x\"1");
        });
        assert_eq!(format!("{:?}", out.block_on(implemented_later([1, 2]))), "3");
        assert_eq!(out.attribute("generic", "value"), Some("\"x\"".into()));
    });
}

#[derive(Clone)]
struct Account {
    id: u64,
    name: String,
}

impl Account {
    #[with_observability(attributes_from_args = { self.id: "account.id", self.name: "account.name" })]
    fn by_reference(&self) -> &str {
        &self.name
    }

    #[with_observability(attributes_from_args = { self.id: "account.id" })]
    fn by_mutable_reference(&mut self, id: u64) -> &mut Self {
        self.id = id;
        self
    }

    #[with_observability(attributes_from_args = { self.id: "account.id" })]
    fn by_value(self) -> String {
        self.name
    }

    #[with_observability(attributes_from_args = { self.id: "account.id" })]
    fn by_mutable_value(mut self) -> Self {
        self.id += 1;
        self
    }

    #[with_observability(attributes_from_args = { self.id: "account.id" })]
    fn by_box(self: Box<Self>) -> String {
        self.name
    }

    #[with_observability(attributes_from_args = { self.id: "account.id" })]
    async fn by_arc(self: Arc<Self>) -> u64 {
        Yield::default().await;
        self.id
    }

    #[with_observability(attributes_from_args = { self.id: "account.id" })]
    async fn later(&mut self, name: &str) -> Result<&mut Self, String> {
        Yield::default().await;
        self.name = name.to_owned();
        Ok(self)
    }
}

#[test]
fn a_method_may_take_self_in_every_form_and_export_its_members() {
    with_and_without_context(|out| {
        let mut account = Account { id: 1, name: "Ada".into() };
        out.run(|| {
            assert_eq!(account.by_reference(), "Ada");
            account.by_mutable_reference(2);
            assert_eq!(account.clone().by_value(), "Ada");
            assert_eq!(account.clone().by_mutable_value().id, 3);
            assert_eq!(Box::new(account.clone()).by_box(), "Ada");
        });
        assert_eq!(out.block_on(Arc::new(account.clone()).by_arc()), 2);
        assert_eq!(out.block_on(account.later("Bob")).unwrap().name, "Bob");
        for (name, id) in [
            ("by_reference", 1),
            ("by_mutable_reference", 1),
            ("by_value", 2),
            ("by_mutable_value", 2),
            ("by_box", 2),
            ("by_arc", 2),
            ("later", 2),
        ] {
            assert_eq!(out.attribute(name, "account.id"), Some(Value::I64(id)), "{name}");
        }
        assert_eq!(out.attribute("by_reference", "account.name"), Some("Ada".into()));
    });
}
