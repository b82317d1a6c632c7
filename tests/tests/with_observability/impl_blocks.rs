//! `#[with_observability]` on `impl` blocks.

use std::fmt::{Debug, Display};

use ctx_layer::with_observability;
use ctx_tests::Yield;
use futures_util::{Stream, StreamExt, stream};
use opentelemetry::trace::{SpanKind, Status};

use crate::setup::{Outputs, with_and_without_context};

fn names(out: &Outputs) -> Vec<String> {
    out.spans().iter().map(|span| span.name.to_string()).collect()
}

struct Profiles {
    stored: Vec<String>,
}

#[with_observability(kind = server, static_attributes = { "component": "profiles" }, except(new, len))]
impl Profiles {
    const LIMIT: usize = 2;

    const fn new() -> Self {
        Profiles { stored: Vec::new() }
    }

    fn len(&self) -> usize {
        self.stored.len()
    }

    /// Documented.
    #[must_use]
    pub(crate) fn first(&self) -> Option<&str> {
        self.stored.first().map(|text| text.as_str())
    }

    fn store(&mut self, name: &str) -> Result<usize, String> {
        if self.len() == Self::LIMIT {
            return Err("full".into());
        }
        self.stored.push(name.to_owned());
        Ok(self.len())
    }

    async fn load(&self, index: usize) -> Option<String> {
        Yield::default().await;
        self.stored.get(index).cloned()
    }

    fn all(&self) -> impl Stream<Item = &String> {
        stream::iter(&self.stored)
    }

    #[with_observability(name = "profiles.clear", kind = client, attributes_from_args = { self.stored.len(): "cleared" })]
    fn clear(&mut self) {
        self.stored.clear();
    }

    #[with_observability(static_attributes = { "component": "counting" }, log_args = false)]
    fn count(&self) -> usize {
        self.stored.len()
    }

    fn made() -> Self {
        Self::new()
    }
}

#[test]
fn every_method_has_a_span_that_is_named_by_type_and_method() {
    with_and_without_context(|out| {
        let mut profiles = out.run(Profiles::made);
        out.run(|| {
            assert_eq!(profiles.store("Ada"), Ok(1));
            assert_eq!(profiles.first(), Some("Ada"));
        });
        assert_eq!(out.block_on(profiles.load(0)).as_deref(), Some("Ada"));
        assert_eq!(out.block_on(async { profiles.all().collect::<Vec<_>>().await }).len(), 1);
        assert_eq!(
            names(out),
            ["Profiles::made", "Profiles::store", "Profiles::first", "Profiles::load", "Profiles::all"]
        );
    });
}

struct Users(u64);

#[with_observability(except = [left], attributes_from_args = { self.id(): "user.id", self.0: "user.raw" }, fields(twice = self.twice()))]
impl Users {
    fn id(&self) -> u64 {
        self.0
    }

    fn twice(&self) -> u64 {
        self.id() * 2
    }

    fn load(&self) {
        self.left();
    }

    fn left(&self) {
        let _ = self.0;
    }
}

#[test]
fn a_method_used_in_the_blocks_attributes_does_not_recurse() {
    with_and_without_context(|out| {
        out.run(|| Users(7).load());
        assert_eq!(out.attribute("Users::load", "user.id"), Some(7.into()));
        assert_eq!(out.attribute("Users::load", "user.raw"), Some(7.into()));
        assert!(!names(out).contains(&"Users::left".to_owned()));
        for span in out.spans().iter().filter(|span| span.name != "Users::load") {
            assert_eq!(ctx_tests::attribute(&span.attributes, "user.raw"), Some(7.into()));
            assert_eq!(ctx_tests::attribute(&span.attributes, "user.id"), None);
        }
    });
}

#[test]
fn excluded_methods_are_unchanged() {
    with_and_without_context(|out| {
        const PROFILES: Profiles = Profiles::new();
        assert_eq!(out.run(|| PROFILES.len()), 0);
        assert_eq!(out.spans().len(), 0);
    });
}

#[test]
fn the_arguments_of_the_block_apply_to_each_method() {
    with_and_without_context(|out| {
        let mut profiles = Profiles::new();
        out.run(|| {
            let _ = (profiles.store("a"), profiles.store("b"));
            assert!(profiles.store("c").is_err());
        });
        let spans = out.spans();
        for span in &spans {
            assert_eq!(span.span_kind, SpanKind::Server);
            assert_eq!(ctx_tests::attribute(&span.attributes, "component"), Some("profiles".into()));
        }
        assert_eq!(spans[2].status, Status::error("full"));
        assert_eq!(out.event("failed")["fields"]["error"], "full");
    });
}

#[test]
fn the_arguments_of_a_method_override_those_of_the_block() {
    with_and_without_context(|out| {
        let mut profiles = Profiles { stored: vec!["a".into()] };
        out.run(|| {
            assert_eq!(profiles.count(), 1);
            profiles.clear();
        });
        let clear = out.span("profiles.clear");
        assert_eq!(clear.span_kind, SpanKind::Client);
        assert_eq!(out.attribute("profiles.clear", "cleared"), Some(1_i64.into()));
        assert_eq!(out.attribute("profiles.clear", "component"), Some("profiles".into()), "the others stay");
        assert_eq!(out.attribute("Profiles::count", "component"), Some("counting".into()));
        assert_eq!(out.span("Profiles::count").span_kind, SpanKind::Server);
        assert_eq!(out.events_named("called").len(), 1);
    });
}

trait Shape {
    const SIDES: usize;
    type Unit: Debug;

    fn area(&self) -> Self::Unit;

    fn describe(&self) -> String {
        format!("{} sides", Self::SIDES)
    }
}

/// Has `Debug` for the events: what its `Display` logs within an event reaches no subscriber.
#[derive(Debug)]
struct Square(u32);

#[with_observability]
impl Shape for Square {
    const SIDES: usize = 4;
    type Unit = u32;

    fn area(&self) -> Self::Unit {
        self.0 * self.0
    }

    fn describe(&self) -> String {
        "a square".into()
    }
}

#[with_observability]
impl Display for Square {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

#[with_observability]
impl From<u32> for Square {
    fn from(side: u32) -> Self {
        Square(side)
    }
}

#[test]
fn methods_of_traits_are_named_by_the_type() {
    with_and_without_context(|out| {
        out.run(|| {
            let square = Square::from(2);
            assert_eq!(square.area(), 4);
            assert_eq!(square.describe(), "a square");
            assert_eq!(square.to_string(), "[2]");
        });
        assert_eq!(names(out), ["Square::from", "Square::area", "Square::describe", "Square::fmt"]);
    });
}

struct Cache<K, V, const N: usize> {
    entries: Vec<(K, V)>,
}

#[with_observability]
impl<K: PartialEq + Debug, V, const N: usize> Cache<K, V, N>
where
    V: Clone,
{
    fn insert(&mut self, key: K, value: V) -> Result<(), V> {
        if self.entries.len() == N {
            return Err(value);
        }
        self.entries.push((key, value));
        Ok(())
    }

    async fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: PartialEq<Q>,
    {
        Yield::default().await;
        self.entries.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    }
}

#[with_observability]
impl<'a> Iterator for Cache<&'a str, &'a str, 3> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.pop()
    }
}

#[test]
fn blocks_may_be_generic() {
    with_and_without_context(|out| {
        let mut cache: Cache<_, _, 1> = Cache { entries: Vec::new() };
        out.run(|| {
            assert_eq!(cache.insert("a", 1.5), Ok(()));
            assert_eq!(cache.insert("b", 2.5), Err(2.5));
        });
        assert_eq!(out.block_on(cache.get(&"a")), Some(1.5));
        let cache: Cache<_, _, 3> = Cache { entries: vec![("a", "b")] };
        assert_eq!(out.run(|| cache.count()), 1);
        assert_eq!(names(out), ["Cache::insert", "Cache::insert", "Cache::get", "Cache::next", "Cache::next"]);
        assert_eq!(out.spans()[1].status, Status::error("f64"), "no more is known of it than its type");
    });
}

mod nested {
    pub(super) struct Deep<'a>(pub(super) &'a str);
}

#[with_observability(log_args = false)]
impl nested::Deep<'_> {
    fn text(&self) -> &str {
        self.0
    }
}

#[with_observability]
impl Shape for &nested::Deep<'_> {
    const SIDES: usize = 0;
    type Unit = ();

    fn area(&self) -> Self::Unit {}
}

#[test]
fn the_type_name_is_without_its_path_and_references() {
    with_and_without_context(|out| {
        out.run(|| {
            let deep = nested::Deep("x");
            assert_eq!(deep.text(), "x");
            (&deep).area();
        });
        assert_eq!(names(out), ["Deep::text", "Deep::area"]);
    });
}
