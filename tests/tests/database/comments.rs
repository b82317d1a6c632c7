//! Comments in SQL statements, by <https://google.github.io/sqlcommenter/spec/>.

use std::collections::BTreeMap;

use ctx_layer::{
    Schema,
    database::{self, SqlComment},
    field::well_known::{REQUEST_ID, TENANT_ID},
    propagation::{self, Trust},
};
use proptest::prelude::*;

ctx_layer::context_fields! {
    /// A field that only its recipient may read.
    static TOKEN: String = "token" => masked, propagated_in_plaintext;
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Calls `f` with a parent, a `tracestate` and a tenant.
fn in_request<R>(tenant: &str, f: impl FnOnce() -> R) -> R {
    propagation::register(&Schema::well_known());
    let parent = [("traceparent", PARENT), ("tracestate", "a=1,b=x%y")];
    propagation::extract(&parent, Trust::external()).in_scope(|| TENANT_ID.in_scope(tenant, f))
}

/// Reads the pairs of the only comment of a statement, as a tool does that reads a database's log.
fn parsed(statement: &str) -> BTreeMap<String, String> {
    let (_, comment) = statement.rsplit_once("/*").expect("it has a comment");
    let comment = comment.trim_end_matches(';').strip_suffix("*/").expect("the comment ends the statement");
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').expect("it is a pair");
        let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).expect("the value is quoted");
        (decoded(key), decoded(value))
    };
    comment.split(',').map(pair).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("they are ASCII");
                bytes.push(u8::from_str_radix(digits, 16).expect("they are digits"));
                rest = after;
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).expect("it is UTF-8")
}

#[test]
fn pairs_are_sorted_quoted_and_encoded() {
    let statement = in_request("it's 5 % + ü", || SqlComment::new().add_to("SELECT 1").into_owned());
    assert_eq!(
        statement,
        format!(
            "SELECT 1 /*tenant_id='it%27s%205%20%25%20%2B%20%C3%BC',traceparent='{PARENT}',tracestate='a%3D1%2Cb%3Dx%25y'*/"
        )
    );
    assert_eq!(parsed(&statement)["tracestate"], "a=1,b=x%y");
}

#[test]
fn a_comment_goes_before_the_last_semicolon() {
    let added = |statement: &str| TENANT_ID.in_scope("acme", || SqlComment::new().add_to(statement).into_owned());
    let cases = [
        ("SELECT 1;", "SELECT 1 /*tenant_id='acme'*/;"),
        ("SELECT 1 ; \n", "SELECT 1 /*tenant_id='acme'*/;"),
        ("SELECT 1\n", "SELECT 1 /*tenant_id='acme'*/"),
        // A comment of a line would swallow it.
        ("SELECT 1 -- one", "SELECT 1 -- one\n/*tenant_id='acme'*/"),
        ("SELECT 1 # one", "SELECT 1 # one\n/*tenant_id='acme'*/"),
        ("-- one\nSELECT 1", "-- one\nSELECT 1 /*tenant_id='acme'*/"),
        ("SELECT /* one */ 1", "SELECT /* one */ 1 /*tenant_id='acme'*/"),
        // By the specification, a statement that has one keeps it.
        ("SELECT 1 /* one */", "SELECT 1 /* one */"),
        ("SELECT 1 /* one */;", "SELECT 1 /* one */;"),
        ("", ""),
        (" ; ", " ; "),
    ];
    for (statement, expected) in cases {
        assert_eq!(added(statement), expected, "{statement:?}");
    }
}

#[test]
fn a_statement_without_context_is_not_copied() {
    assert!(matches!(SqlComment::new().add_to("SELECT 1"), std::borrow::Cow::Borrowed("SELECT 1")));
}

#[test]
fn the_trace_can_be_left_out() {
    let statement = in_request("acme", || SqlComment::new().without_trace().add_to("SELECT 1").into_owned());
    assert_eq!(statement, "SELECT 1 /*tenant_id='acme'*/");
}

#[test]
fn sensitive_fields_are_in_no_comment() {
    propagation::register(&Schema::builder().field(&TOKEN).build().expect("no name is in it twice"));
    let (statement, comment) =
        TOKEN.in_scope("t-1", || (SqlComment::new().add_to("SELECT 1").into_owned(), database::comment()));
    assert_eq!((statement.as_str(), comment), ("SELECT 1", None));
}

#[test]
fn a_comment_of_an_operation_is_one_line() {
    let comment = in_request("a,b\n", || REQUEST_ID.in_scope("r-1", database::comment));
    let comment = comment.expect("there is context");
    assert!(comment.starts_with(&format!("traceparent={PARENT},")), "{comment}");
    assert!(!comment.contains('\n'), "{comment}");
}

proptest! {
    #[test]
    fn no_value_ends_its_comment_or_changes_the_statement(
        tenant in ".{0,100}",
        state in "[ -~]{0,50}",
        statement in "SELECT [a-z0-9 $?:'*/-]{1,30}[a-z]",
    ) {
        propagation::register(&Schema::well_known());
        let state = format!("a={state}");
        let headers = [("traceparent", PARENT), ("tracestate", state.as_str())];
        let extracted = propagation::extract(&headers, Trust::external());
        let commented = extracted.in_scope(|| {
            TENANT_ID.in_scope(tenant.as_str(), || SqlComment::new().add_to(&statement).into_owned())
        });
        let rest = commented.strip_prefix(&statement).expect("the statement is first");
        let rest = rest.trim_start();
        prop_assert!(rest.starts_with("/*") && rest.ends_with("*/"), "{rest}");
        let inner = &rest[2..rest.len() - 2];
        // Nothing that SQL or a client gives a meaning to, but the quotes around values.
        prop_assert!(inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%'=,".contains(&byte)), "{inner}");
        let pairs = parsed(&commented);
        prop_assert_eq!(inner.matches('\'').count(), 2 * pairs.len());
        prop_assert_eq!(pairs["traceparent"].as_str(), PARENT);
        if let Some(found) = pairs.get("tenant_id") {
            prop_assert_eq!(found, &tenant);
        }
    }
}
