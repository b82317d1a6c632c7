#![allow(dead_code, reason = "fields are there to be shown")]
use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::observe::secret_name::is_secret;

const SECRET: &str = "hunter2";

#[track_caller]
fn check(value: &dyn fmt::Debug, compact: &str) {
    let masked = Masked { value, names: Names::NONE };
    assert_eq!(format!("{masked:?}"), compact);
    // The same on several lines, and with trailing commas.
    let pretty = format!("{masked:#?}");
    assert!(!pretty.contains(SECRET), "{pretty}");
    let squeezed =
        |text: &str| text.replace(char::is_whitespace, "").replace(",}", "}").replace(",)", ")").replace(",]", "]");
    assert_eq!(squeezed(&pretty), squeezed(compact));
}

#[derive(Debug)]
struct Login {
    user: &'static str,
    password: &'static str,
}

#[derive(Debug)]
struct Password(&'static str);

const LOGIN: Login = Login { user: "ada", password: SECRET };

#[test]
fn fields_named_like_secrets_are_masked_at_any_depth() {
    const MASKED: &str = r#"Login { user: "ada", password: [redacted] }"#;
    check(&LOGIN, MASKED);
    check(&Some(LOGIN), &format!("Some({MASKED})"));
    check(&[LOGIN, LOGIN], &format!("[{MASKED}, {MASKED}]"));
    check(&(1, LOGIN, "x"), &format!(r#"(1, {MASKED}, "x")"#));
    check(&BTreeMap::from([("a", vec![LOGIN])]), &format!(r#"{{"a": [{MASKED}]}}"#));
    check(&Ok::<_, ()>(Box::new(Some(LOGIN))), &format!("Ok(Some({MASKED}))"));
}

#[test]
fn values_of_secrets_are_masked_whatever_their_type() {
    #[derive(Debug)]
    struct Config<T> {
        api_keys: T,
        name: &'static str,
    }
    fn config<T: fmt::Debug>(api_keys: T) {
        check(&Config { api_keys, name: "x" }, r#"Config { api_keys: [redacted], name: "x" }"#);
    }
    config(7);
    config(());
    config('"');
    config('\'');
    config(["a", "b, c: }"]);
    config("\" }, name: (");
    config(Some(LOGIN));
    config(vec![Some((1, "a", [2, 3]))]);
    config(BTreeMap::from([("a)", "b"), ("]", "{")]));
    config(None::<u8>);
    config(format_args!("1, b) {SECRET}"));
    config(format_args!("1], (b{SECRET}"));
    config(format_args!("don't \" stop ){SECRET}"));
}

#[test]
fn entries_of_maps_and_pairs_are_masked_by_their_keys() {
    check(
        &BTreeMap::from([("X-CSRFToken", SECRET), ("accept", "a"), ("authorization", SECRET)]),
        r#"{"X-CSRFToken": [redacted], "accept": "a", "authorization": [redacted]}"#,
    );
    check(
        &BTreeMap::from([(Some("password"), 1), (Some("user"), 2)]),
        r#"{Some("password"): [redacted], Some("user"): 2}"#,
    );
    check(
        &[("authorization", SECRET), ("host", "x"), ("cookie", SECRET)],
        r#"[("authorization", [redacted]), ("host", "x"), ("cookie", [redacted])]"#,
    );
    check(&BTreeSet::from(["password", "user"]), r#"{"password", "user"}"#);
    #[derive(Debug)]
    struct Header {
        name: &'static str,
        value: &'static str,
    }
    check(
        &[Header { name: "cookie", value: SECRET }, Header { name: "host", value: "x" }],
        r#"[Header { name: "cookie", value: [redacted] }, Header { name: "host", value: "x" }]"#,
    );
    check(&(Password(SECRET), "x"), r#"(Password([redacted]), "x")"#);
}

#[test]
fn other_text_is_unchanged() {
    #[derive(Debug)]
    struct Other {
        a: &'static str,
        path: std::path::PathBuf,
        time: f64,
        character: [char; 3],
        unit: (),
        nested: Option<Result<u8, String>>,
    }
    let other = Other {
        a: "password: x, token=\"y\" \\ it's",
        path: "/a/b\"c".into(),
        time: 1e300,
        character: ['"', '\'', '{'],
        unit: (),
        nested: Some(Err("secret: no".into())),
    };
    assert_eq!(format!("{:?}", Masked { value: &other, names: Names::NONE }), format!("{other:?}"));
    assert_eq!(format!("{:#?}", Masked { value: &other, names: Names::NONE }), format!("{other:#?}"));
}

#[test]
fn hand_written_debug_output_is_masked_too() {
    struct ByHand;
    impl fmt::Debug for ByHand {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let user = "ada";
            write!(f, "ByHand<user={user}, password={SECRET:?}, token: Some({SECRET})>")?;
            f.write_str(" Login { user: \"ada\", password: Some(\"hunter2, or (\"), age: 3 }")
        }
    }
    let shown = format!("{:?}", Masked { value: &ByHand, names: Names::NONE });
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.starts_with("ByHand<user=ada, password=[redacted]"), "{shown}");
}

#[test]
fn characters_that_could_end_a_line_are_escaped() {
    let value = &format_args!("a\n2026 ERROR\u{1b}[31m\u{200b}");
    let shown = format!("{:?}", Masked { value, names: Names::NONE });
    assert_eq!(shown, r"a\n2026 ERROR\u{1b}[31m\u{200b}");
}

#[test]
fn names_given_to_the_attribute_are_masked_or_shown() {
    const NAMES: &Names = &Names { redact: &["user"], reveal: &["password"] };
    let shown = format!("{:?}", Masked { value: &LOGIN, names: NAMES });
    assert_eq!(shown, r#"Login { user: [redacted], password: "hunter2" }"#);
}

/// Values of all shapes that the builders of `std` write, and strings that contain the same punctuation.
#[derive(Clone)]
enum Node {
    Number(u64),
    Text(String),
    Letter(char),
    Unit(&'static str),
    Struct(&'static str, Vec<(&'static str, Node)>, bool),
    Tuple(&'static str, Vec<Node>),
    List(Vec<Node>),
    Set(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// Text without quotes.
    Raw(String),
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Number(number) => number.fmt(f),
            Node::Text(text) => text.fmt(f),
            Node::Letter(letter) => letter.fmt(f),
            Node::Unit(name) => f.write_str(name),
            Node::Raw(text) => f.write_str(text),
            Node::Struct(name, fields, is_whole) => {
                let mut builder = f.debug_struct(name);
                for (name, value) in fields {
                    builder.field(name, value);
                }
                if *is_whole { builder.finish() } else { builder.finish_non_exhaustive() }
            }
            Node::Tuple(name, fields) => {
                let mut builder = f.debug_tuple(name);
                for value in fields {
                    builder.field(value);
                }
                builder.finish()
            }
            Node::List(items) => f.debug_list().entries(items).finish(),
            Node::Set(items) => f.debug_set().entries(items).finish(),
            Node::Map(entries) => f.debug_map().entries(entries.iter().map(|(key, value)| (key, value))).finish(),
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) as usize % end
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn count(&mut self) -> usize {
        self.below(4)
    }

    fn node(&mut self, depth: usize) -> Node {
        const TYPES: &[&str] = &["Order", "Some", "Ok", "Session", "A"];
        const FIELDS: &[&str] =
            &["user", "id", "password", "api_keys", "authToken", "items", "value", "primary_key", "sessions", "a"];
        const KEYS: &[&str] = &["X-CSRFToken", "accept", "host", "cookie", "Set-Cookie", "private-key", "path: x"];
        const STRINGS: &[&str] =
            &["hunter", ", password: ", "\"", "\\", "{ token: (", "})]", "'", "é", "\n", "a b", "::", "=\"x\"", ""];
        let shapes = if depth == 0 { 4 } else { 10 };
        match self.below(shapes) {
            0 => Node::Number(self.below(1000) as u64),
            1 => Node::Text((0..self.count()).map(|_| self.of(STRINGS)).collect()),
            2 => Node::Letter(self.of(&['"', '\'', 'a', '\\', '{', ',', '\n', 'é'])),
            3 => Node::Unit(self.of(&["None", "()", "true", "-1.5e300", "GET"])),
            4 | 5 => {
                let fields = (0..self.count()).map(|_| (self.of(FIELDS), self.node(depth - 1))).collect();
                Node::Struct(self.of(TYPES), fields, self.below(4) > 0)
            }
            6 => {
                // Not a pair whose first part is a name: that has its own test.
                let first = Node::Number(1);
                let name = self.of(&["Order", "Some", "Ok", ""]);
                Node::Tuple(name, [first].into_iter().chain((0..self.count()).map(|_| self.node(depth - 1))).collect())
            }
            7 => Node::List((0..self.count()).map(|_| self.node(depth - 1)).collect()),
            8 => Node::Set((0..self.count()).map(|_| self.node(depth - 1)).collect()),
            _ => {
                let entry = |random: &mut Self| (Node::Text(random.of(KEYS).to_owned()), random.node(depth - 1));
                Node::Map((0..self.count()).map(|_| entry(self)).collect())
            }
        }
    }
}

/// Returns the value with the values of secrets replaced.
fn without_secrets(node: &Node) -> Node {
    let value = |name: &str, value: &Node| match is_secret(name) {
        true => Node::Raw(REDACTED.to_owned()),
        false => without_secrets(value),
    };
    let all = |nodes: &[Node]| nodes.iter().map(without_secrets).collect();
    match node {
        Node::Struct(name, fields, is_whole) => {
            let fields = fields.iter().map(|(name, node)| (*name, value(name, node))).collect();
            Node::Struct(name, fields, *is_whole)
        }
        Node::Tuple(name, fields) => Node::Tuple(name, all(fields)),
        Node::List(items) => Node::List(all(items)),
        Node::Set(items) => Node::Set(all(items)),
        Node::Map(entries) => {
            let entry = |(key, node): &(Node, Node)| match key {
                Node::Text(name) => (key.clone(), value(name, node)),
                key => (key.clone(), without_secrets(node)),
            };
            Node::Map(entries.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn exactly_the_values_of_secret_names_are_masked_in_random_values() {
    for seed in 0..if cfg!(miri) { 20 } else { 5_000 } {
        let node = Random(seed).node(5);
        let (masked, expected) = (Masked { value: &node, names: Names::NONE }, without_secrets(&node));
        assert_eq!(format!("{masked:?}"), format!("{expected:?}"), "{seed}: {node:?}");
        assert_eq!(format!("{masked:#?}"), format!("{expected:#?}"), "{seed}: {node:#?}");
    }
}
