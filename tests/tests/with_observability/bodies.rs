//! Functions and bodies of every kind.

use std::{cell::Cell, panic::catch_unwind};

use ctx_layer::with_observability;
use opentelemetry::trace::Status;

use crate::setup::with_and_without_context;

#[with_observability]
unsafe fn not_safe(pointer: *const u8) -> u8 {
    // SAFETY: the caller guarantees it.
    unsafe { *pointer }
}

#[with_observability]
extern "C" fn foreign(a: i32) -> i32 {
    a + 1
}

#[with_observability]
#[unsafe(no_mangle)]
unsafe extern "C" fn ctx_tests_exported_symbol(a: i32) -> i32 {
    a + 2
}

#[test]
fn unsafe_and_foreign_functions_are_observed() {
    with_and_without_context(|out| {
        out.run(|| {
            // SAFETY: the pointer is valid.
            assert_eq!(unsafe { not_safe(&7) }, 7);
            assert_eq!(foreign(1), 2);
            // SAFETY: it has no requirements.
            assert_eq!(unsafe { ctx_tests_exported_symbol(1) }, 3);
            let pointer: unsafe extern "C" fn(i32) -> i32 = ctx_tests_exported_symbol;
            // SAFETY: it has no requirements.
            assert_eq!(unsafe { pointer(1) }, 3);
        });
        assert_eq!(out.spans().len(), 4);
    });
}

#[with_observability(attributes_from_args = [n])]
fn factorial(n: u64) -> u64 {
    if n == 0 {
        return 1;
    }
    n * factorial(n - 1)
}

#[test]
fn a_recursive_function_has_a_span_for_each_of_its_calls() {
    with_and_without_context(|out| {
        assert_eq!(out.run(|| factorial(4)), 24);
        let spans = out.spans();
        assert_eq!(spans.len(), 5);
        for pair in spans.windows(2) {
            assert_eq!(pair[0].parent_span_id, pair[1].span_context.span_id());
        }
    });
}

#[with_observability]
fn returns_early(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    let number: u8 = text.parse()?;
    if number == 0 {
        return Err("zero".into());
    }
    for candidate in 0.. {
        if candidate == number {
            return Ok(candidate);
        }
    }
    unreachable!("it was found")
}

#[test]
fn a_body_may_return_early_and_use_question_marks() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(returns_early("3").unwrap(), 3);
            assert!(returns_early("0").is_err());
            assert!(returns_early("x").is_err());
        });
        let status: Vec<_> = out.spans().into_iter().map(|span| span.status).collect();
        assert_eq!(status, [Status::Ok, Status::error("zero"), Status::error("invalid digit found in string")]);
    });
}

#[with_observability]
fn never(exit: bool) -> ! {
    if exit {
        panic!("asked to")
    }
    loop {
        std::hint::spin_loop();
    }
}

#[with_observability]
fn not_yet() -> u8 {
    todo!("later")
}

#[with_observability]
fn not_yet_either(_: u8) -> impl Iterator<Item = u8> {
    if true {
        unimplemented!("later")
    }
    std::iter::empty()
}

#[test]
fn a_function_may_never_return() {
    with_and_without_context(|out| {
        out.run(|| {
            assert!(catch_unwind(|| never(true)).is_err());
            assert!(catch_unwind(not_yet).is_err());
            assert!(catch_unwind(|| not_yet_either(1).count()).is_err());
        });
        assert_eq!(out.span("never").status, Status::error("panic: asked to"));
        assert_eq!(out.events_named("panicked").len(), 3);
    });
}

#[with_observability]
fn has_items(value: u8) -> u8 {
    const FACTOR: u8 = 2;
    fn twice(value: u8) -> u8 {
        value * FACTOR
    }
    struct Local(u8);
    macro_rules! plus_one {
        ($value:expr) => {
            $value + 1
        };
    }
    let Local(doubled) = Local(twice(value));
    plus_one!(doubled)
}

#[with_observability]
fn has_inner_attributes() -> u8 {
    #![allow(unused_variables, reason = "to see whether it is kept")]
    let unused = 1;
    2
}

#[with_observability]
fn empty() {}

#[with_observability]
fn ends_with_a_statement(cell: &Cell<u8>) {
    cell.set(cell.get() + 1);
}

#[with_observability]
fn borrows_locally() -> usize {
    let text = String::from("abc");
    let view: &str = &text;
    view.len()
}

/// Coerced by the return type only.
#[with_observability]
fn coerces(flag: bool) -> Box<dyn Fn(u8) -> u8> {
    if flag { Box::new(|x| x + 1) } else { Box::new(|x| x) }
}

#[with_observability]
fn infers() -> Vec<u64> {
    ["1"].iter().map(|text| text.parse().unwrap_or_default()).collect()
}

#[test]
fn a_body_may_contain_anything_that_a_function_may() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(has_items(3), 7);
            assert_eq!(has_inner_attributes(), 2);
            empty();
            let cell = Cell::new(0);
            ends_with_a_statement(&cell);
            assert_eq!(cell.get(), 1);
            assert_eq!(borrows_locally(), 3);
            assert_eq!(coerces(true)(1), 2);
            assert_eq!(infers(), [1]);
        });
        assert_eq!(out.spans().len(), 7);
    });
}

macro_rules! annotated {
    ($name:ident, $argument:ident: $type:ty, $body:expr) => {
        #[with_observability(attributes_from_args = [$argument])]
        fn $name($argument: $type) -> $type {
            $body
        }
    };
}

annotated!(made_by_a_macro, value: i64, value + 1);

#[test]
fn a_macro_may_generate_the_function() {
    with_and_without_context(|out| {
        assert_eq!(out.run(|| made_by_a_macro(1)), 2);
        assert_eq!(out.attribute("made_by_a_macro", "value"), Some(1_i64.into()));
    });
}

#[test]
fn nested_functions_and_function_pointers_are_observed() {
    with_and_without_context(|out| {
        #[with_observability]
        fn inner(value: u8) -> u8 {
            value
        }
        let pointer: fn(u8) -> u8 = inner;
        assert_eq!(out.run(|| [1, 2].map(pointer)), [1, 2]);
        assert_eq!(out.spans().len(), 2);
    });
}

#[test]
fn each_instance_of_a_generic_function_has_the_same_span() {
    with_and_without_context(|out| {
        #[with_observability]
        fn size<T>(_: T) -> usize {
            size_of::<T>()
        }
        out.run(|| assert_eq!((size(1_u8), size(1_u64)), (1, 8)));
        assert!(out.spans().iter().all(|span| span.name == "size"));
        assert_eq!(out.spans().len(), 2);
    });
}

/// Only the function's return type determines the type of `|text|`.
#[with_observability]
fn trimming() -> impl for<'a> Fn(&'a str) -> &'a str {
    |text| text.trim()
}

#[with_observability]
fn trimming_and<T: Default>() -> (T, impl Fn(&str) -> &str + Send) {
    (T::default(), |text| text.trim())
}

#[with_observability]
fn picking<'a, T: Copy>(known: &'a [T], key: fn(&T) -> usize) -> impl FnOnce(&T, &mut Vec<T>) -> Option<&'a T> {
    move |wanted, found| {
        found.push(*wanted);
        known.get(key(wanted))
    }
}

#[test]
fn the_return_type_determines_the_argument_types_of_returned_closures() {
    with_and_without_context(|out| {
        out.run(|| {
            assert_eq!(trimming()(" a "), "a");
            let (number, trimming) = trimming_and::<u8>();
            assert_eq!((number, trimming(" b ")), (0, "b"));
            let mut found = Vec::new();
            assert_eq!(picking(&[5, 6], |number| *number)(&1, &mut found), Some(&6));
            assert_eq!(found, [1]);
        });
        assert_eq!(out.spans().len(), 3);
    });
}
