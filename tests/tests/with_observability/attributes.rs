//! `attributes_from_args`

use std::{
    borrow::Cow,
    error::Error,
    fmt, io,
    num::{NonZeroU64, Wrapping},
    rc::Rc,
    sync::Arc,
};

use ctx_layer::with_observability;
use ctx_tests::attribute;
use opentelemetry::Value;

use crate::setup::with_and_without_context;

/// A type like `Uuid`: it has `Display` and `Debug`, and no value type.
#[derive(Clone, Copy)]
struct Uuid(u32);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uuid({})", self.0)
    }
}

#[derive(Debug)]
struct OnlyDebug;

struct Nothing;

#[allow(clippy::too_many_arguments, reason = "one of each")]
#[with_observability(attributes_from_args = [a, b, c, d, e, f, g, h, i, j, k, l])]
fn numbers(a: u8, b: u16, c: u32, d: u64, e: usize, f: i8, g: i16, h: i32, i: i64, j: isize, k: f32, l: f64) {}

#[test]
fn numbers_are_exported_as_numbers() {
    with_and_without_context(|out| {
        out.run(|| numbers(1, 2, 3, 4, 5, -1, -2, -3, -4, -5, 0.5, 0.25));
        let integers = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", -1), ("g", -2), ("h", -3), ("i", -4)];
        for (key, value) in integers.into_iter().chain([("j", -5)]) {
            assert_eq!(out.attribute("numbers", key), Some(Value::I64(value)), "{key}");
        }
        assert_eq!(out.attribute("numbers", "k"), Some(Value::F64(0.5)));
        assert_eq!(out.attribute("numbers", "l"), Some(Value::F64(0.25)));
    });
}

#[with_observability(attributes_from_args = { a: "a", b: "b", *c: "c", d: "d" })]
fn other_numbers(a: NonZeroU64, b: Option<u32>, c: &u64, d: Option<&usize>) {}

#[test]
fn numbers_behind_references_and_in_options_are_exported_as_numbers() {
    with_and_without_context(|out| {
        out.run(|| other_numbers(NonZeroU64::MIN, Some(2), &3, Some(&4)));
        for (key, value) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
            assert_eq!(out.attribute("other_numbers", key), Some(Value::I64(value)), "{key}");
        }
    });
}

#[allow(clippy::too_many_arguments, reason = "one of each")]
#[with_observability(attributes_from_args = [a, b, c, d, e, f, g, h])]
fn pointers(
    a: Box<u64>,
    b: Arc<u32>,
    c: Rc<usize>,
    d: &mut u64,
    e: &mut Option<u8>,
    f: Wrapping<u16>,
    g: &mut f64,
    h: Option<Box<bool>>,
) -> (Box<u64>, Arc<u32>, Rc<usize>) {
    *d += 1;
    *g += f64::from(f.0);
    *e = h.map(|h| u8::from(*h));
    (a, b, c)
}

#[test]
fn values_behind_pointers_of_every_kind_keep_their_type() {
    with_and_without_context(|out| {
        out.run(|| {
            let (mut d, mut e, mut g) = (4, Some(5), 0.5);
            pointers(Box::new(1), Arc::new(2), Rc::new(3), &mut d, &mut e, Wrapping(6), &mut g, Some(Box::new(true)));
        });
        for (key, value) in [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", 6)] {
            assert_eq!(out.attribute("pointers", key), Some(Value::I64(value)), "{key}");
        }
        assert_eq!(out.attribute("pointers", "g"), Some(Value::F64(0.5)));
        assert_eq!(out.attribute("pointers", "h"), Some(Value::Bool(true)));
    });
}

#[with_observability(attributes_from_args = [plain, boxed, optional, owned])]
fn errors(
    plain: &dyn Error,
    boxed: Box<dyn Error + '_>,
    optional: Option<&(dyn Error + Send)>,
    owned: &(dyn Error + Send + Sync + 'static),
) -> String {
    format!("{plain} {boxed} {optional:?} {owned}")
}

/// A form for `'static` errors only would have to know whether they are.
#[test]
fn errors_as_arguments_may_borrow_and_are_exported_as_their_messages() {
    with_and_without_context(|out| {
        let error = || io::Error::other("broken");
        out.run(|| errors(&error(), Box::new(&error()), Some(&error()), &error()));
        for key in ["plain", "boxed", "optional", "owned"] {
            assert_eq!(out.attribute("errors", key), Some("broken".into()), "{key}");
            assert_eq!(out.fields("called")[key], "broken", "{key}");
        }
        assert_eq!(out.attribute("errors", "exception.message"), None, "it is no exception of this span");
    });
}

#[with_observability(attributes_from_args = [big, bigger, negative])]
fn large(big: u64, bigger: u128, negative: i128) {}

#[test]
fn a_number_too_large_for_opentelemetry_is_exported_as_a_string() {
    with_and_without_context(|out| {
        out.run(|| large(u64::MAX, u128::MAX, i128::MIN));
        assert_eq!(out.attribute("large", "big"), Some(u64::MAX.to_string().into()));
        assert_eq!(out.attribute("large", "bigger"), Some(u128::MAX.to_string().into()));
        assert_eq!(out.attribute("large", "negative"), Some(i128::MIN.to_string().into()));
    });
}

#[allow(clippy::too_many_arguments, reason = "one of each")]
#[with_observability(attributes_from_args = [flag, text, owned, boxed, cow, letter, uuid, shared])]
fn strings(
    flag: bool,
    text: &str,
    owned: String,
    boxed: Box<str>,
    cow: Cow<'_, str>,
    letter: char,
    uuid: Uuid,
    shared: Arc<str>,
) -> usize {
    let _ = (flag, letter, uuid, shared);
    text.len() + owned.into_bytes().len() + boxed.into_string().len() + cow.into_owned().len()
}

#[test]
fn booleans_and_strings_are_exported_as_such() {
    with_and_without_context(|out| {
        out.run(|| {
            let (owned, boxed, cow) = ("owned".to_owned(), "boxed".into(), Cow::Borrowed("cow"));
            strings(true, "text", owned, boxed, cow, 'x', Uuid(0xff), "shared".into())
        });
        assert_eq!(out.attribute("strings", "flag"), Some(Value::Bool(true)));
        for (key, value) in [
            ("text", "text"),
            ("owned", "owned"),
            ("boxed", "boxed"),
            ("cow", "cow"),
            ("letter", "x"),
            ("uuid", "000000ff"),
            ("shared", "shared"),
        ] {
            assert_eq!(out.attribute("strings", key), Some(value.into()), "{key}");
        }
    });
}

#[with_observability(attributes_from_args = [list, only_debug, nothing, unit])]
fn others(list: Vec<u8>, only_debug: OnlyDebug, nothing: Nothing, unit: ()) -> (Vec<u8>, OnlyDebug, Nothing) {
    let _: () = unit;
    (list, only_debug, nothing)
}

#[test]
fn a_value_is_exported_by_debug_or_as_the_name_of_its_type() {
    with_and_without_context(|out| {
        out.run(|| others(vec![1, 2], OnlyDebug, Nothing, ()));
        assert_eq!(out.attribute("others", "list"), Some("[1, 2]".into()));
        assert_eq!(out.attribute("others", "only_debug"), Some("OnlyDebug".into()));
        assert_eq!(out.attribute("others", "unit"), Some("()".into()));
        assert_eq!(out.attribute("others", "nothing"), Some(std::any::type_name::<Nothing>().into()));
    });
}

#[allow(clippy::ref_option, reason = "users write it")]
#[with_observability(attributes_from_args = [text, number, uuid, debug, borrowed, flag])]
fn options(
    text: Option<&str>,
    number: Option<i32>,
    uuid: Option<Uuid>,
    debug: Option<OnlyDebug>,
    borrowed: &Option<String>,
    flag: Option<bool>,
) -> Option<OnlyDebug> {
    let _ = (text, number, uuid, borrowed, flag);
    debug
}

#[test]
fn an_option_is_exported_as_its_value_and_omitted_if_none() {
    with_and_without_context(|out| {
        out.run(|| {
            options(Some("text"), Some(3), Some(Uuid(1)), Some(OnlyDebug), &Some("borrowed".to_owned()), Some(false));
            options(None, None, None, None, &None, None);
        });
        let [full, empty] = out.spans().try_into().unwrap();
        for (key, value) in [
            ("text", Value::from("text")),
            ("number", Value::I64(3)),
            ("uuid", Value::from("00000001")),
            ("debug", Value::from("OnlyDebug")),
            ("borrowed", Value::from("borrowed")),
            ("flag", Value::Bool(false)),
        ] {
            assert_eq!(attribute(&full.attributes, key), Some(value), "{key}");
            assert_eq!(attribute(&empty.attributes, key), None, "{key}");
        }
    });
}

#[with_observability(attributes_from_args = { %id: "id.shown", ?id: "id.debug", id: "id", ?text: "text.debug" })]
fn sigils(id: Uuid, text: &str) {}

#[test]
fn a_sigil_chooses_display_or_debug() {
    with_and_without_context(|out| {
        out.run(|| sigils(Uuid(10), "quoted"));
        for (key, value) in
            [("id.shown", "0000000a"), ("id.debug", "Uuid(10)"), ("id", "0000000a"), ("text.debug", "\"quoted\"")]
        {
            assert_eq!(out.attribute("sigils", key), Some(value.into()), "{key}");
        }
    });
}

#[with_observability(attributes_from_args = { %id: "id", ?text: "text", %*id: "borrowed" })]
fn sigils_of_options(id: &Option<Uuid>, text: Option<&str>) {}

#[test]
fn an_option_with_a_sigil_is_omitted_if_none() {
    with_and_without_context(|out| {
        out.run(|| {
            sigils_of_options(&Some(Uuid(10)), Some("quoted"));
            sigils_of_options(&None, None);
        });
        let [full, empty] = out.spans().try_into().unwrap();
        for (key, value) in [("id", "0000000a"), ("borrowed", "0000000a"), ("text", "Some(\"quoted\")")] {
            assert_eq!(attribute(&full.attributes, key), Some(value.into()), "{key}");
            assert_eq!(attribute(&empty.attributes, key), None, "{key}");
        }
    });
}

struct Item {
    price: f64,
}

struct Order {
    items: Vec<Item>,
    customer: Customer,
}

struct Customer {
    name: String,
    age: Option<u8>,
}

impl Order {
    fn total(&self) -> f64 {
        self.items.iter().map(|item| item.price).sum()
    }
}

#[with_observability(attributes_from_args = {
    order.items.len(): "order.items",
    order.total(): "order.total",
    order.customer.name: "customer.name",
    order.customer.age: "customer.age",
    order.items[0].price: "first.price",
    order.items.is_empty(): "order.empty",
    count as i64 + 1: "next",
    -count: "negative",
    !flag: "not.flag",
    (count, flag).0: "pair",
})]
fn expressions(order: Order, count: i32, flag: bool) -> Vec<Item> {
    order.items
}

#[test]
fn expressions_of_arguments_are_exported_under_their_given_names() {
    with_and_without_context(|out| {
        let customer = Customer { name: "Ada".into(), age: Some(36) };
        out.run(|| expressions(Order { items: vec![Item { price: 1.5 }, Item { price: 2.0 }], customer }, 2, true));
        for (key, value) in [
            ("order.items", Value::I64(2)),
            ("order.total", Value::F64(3.5)),
            ("customer.name", Value::from("Ada")),
            ("customer.age", Value::I64(36)),
            ("first.price", Value::F64(1.5)),
            ("order.empty", Value::Bool(false)),
            ("next", Value::I64(3)),
            ("negative", Value::I64(-2)),
            ("not.flag", Value::Bool(false)),
            ("pair", Value::I64(2)),
        ] {
            assert_eq!(out.attribute("expressions", key), Some(value), "{key}");
        }
    });
}

#[with_observability(attributes_from_args = all)]
fn all(name: &str, count: i32, nothing: Nothing, list: &[u8]) {}

#[test]
fn all_arguments_are_exported_on_request() {
    with_and_without_context(|out| {
        out.run(|| all("Ada", 3, Nothing, &[1]));
        assert_eq!(out.attribute("all", "name"), Some("Ada".into()));
        assert_eq!(out.attribute("all", "count"), Some(Value::I64(3)));
        assert_eq!(out.attribute("all", "list"), Some("[1]".into()));
        assert_eq!(out.attribute("all", "nothing"), Some(std::any::type_name::<Nothing>().into()));
    });
}

#[with_observability]
fn none(name: &str) {}

#[test]
fn no_argument_is_exported_by_default() {
    with_and_without_context(|out| {
        out.run(|| none("Ada"));
        assert_eq!(out.attribute("none", "name"), None);
    });
}

mod keys {
    pub(super) const USER_ID: &str = "user.id";
}

#[with_observability(attributes_from_args = { id: keys::USER_ID, id + 1: concat!("user", ".", "next") })]
fn constant_key(id: i64) {}

#[test]
fn the_name_of_an_attribute_may_be_a_constant() {
    with_and_without_context(|out| {
        out.run(|| constant_key(5));
        assert_eq!(out.attribute("constant_key", "user.id"), Some(Value::I64(5)));
        assert_eq!(out.attribute("constant_key", "user.next"), Some(Value::I64(6)));
    });
}

#[with_observability(attributes_from_args = { value: "value" })]
fn generic<T: fmt::Debug>(value: T) -> T {
    value
}

#[with_observability(attributes_from_args = { value: "value" })]
fn unbounded<T>(value: T) -> T {
    value
}

#[test]
fn a_generic_argument_is_exported_in_the_best_form_its_bounds_allow() {
    with_and_without_context(|out| {
        out.run(|| (generic("x"), unbounded(7_u8)));
        assert_eq!(out.attribute("generic", "value"), Some("\"x\"".into()));
        assert_eq!(out.attribute("unbounded", "value"), Some("u8".into()));
    });
}
