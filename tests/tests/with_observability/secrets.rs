//! Secrets in any spelling, in patterns, keys and `Debug` output.
#![allow(non_snake_case, reason = "names of other systems")]

use std::collections::{BTreeMap, HashMap};

use ctx_layer::with_observability;

use crate::setup::with_and_without_context;

const SECRET: &str = "hunter2";

#[derive(Debug)]
#[allow(dead_code, reason = "it is there to be shown")]
struct Login {
    user: &'static str,
    password: &'static str,
}

#[derive(Debug)]
#[allow(dead_code, reason = "it is there to be shown")]
struct Request<'a> {
    login: Option<Login>,
    headers: http::HeaderMap,
    pairs: Vec<(&'a str, &'a str)>,
    attempts: u8,
}

fn login() -> Login {
    Login { user: "ada", password: SECRET }
}

fn request() -> Request<'static> {
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", http::HeaderValue::from_static("Bearer hunter2"));
    headers.insert("x-api-key", http::HeaderValue::from_static(SECRET));
    headers.insert("host", http::HeaderValue::from_static("example"));
    Request { login: Some(login()), headers, pairs: vec![("cookie", SECRET), ("accept", "any")], attempts: 3 }
}

#[with_observability(attributes_from_args = { request: "request", ?request: "debug" }, fields(own = ?request))]
fn handle<'a>(request: Request<'a>, logins: BTreeMap<&str, Login>) -> Request<'a> {
    let _ = logins;
    request
}

#[test]
fn fields_of_arguments_and_results_are_masked_at_any_depth() {
    with_and_without_context(|out| {
        out.run(|| handle(request(), BTreeMap::from([("first", login())])));
        let masked = "Request { login: Some(Login { user: \"ada\", password: [redacted] }), headers: {\"authorization\": \
                      [redacted], \"x-api-key\": [redacted], \"host\": \"example\"}, pairs: [(\"cookie\", [redacted]), \
                      (\"accept\", \"any\")], attempts: 3 }";
        let called = out.fields("called");
        assert_eq!(called["request"], masked);
        assert_eq!(called["logins"], "{\"first\": Login { user: \"ada\", password: [redacted] }}");
        assert_eq!(out.fields("returned")["return"], masked);
        for key in ["request", "debug", "own"] {
            assert_eq!(out.attribute("handle", key), Some(masked.into()), "{key}");
        }
        assert!(!out.text().contains(SECRET));
    });
}

#[with_observability(ret(Debug), err(Debug))]
fn asked(login: Login) -> Result<Login, Login> {
    if login.user == "ada" { Ok(login) } else { Err(login) }
}

#[test]
fn secrets_in_the_debug_output_of_results_and_errors_are_masked() {
    with_and_without_context(|out| {
        let _ = out.run(|| asked(login()));
        let _ = out.run(|| asked(Login { user: "eve", ..login() }));
        assert!(out.text().contains("eve") && !out.text().contains(SECRET), "{}", out.text());
    });
}

#[with_observability(reveal = [password], log_result = false)]
fn revealed(login: Login) {
    let _ = login;
}

#[with_observability(redact = [user], log_result = false)]
fn redacted(user: &str, login: Login) {
    let _ = (user, login);
}

#[test]
fn redact_and_reveal_apply_within_debug_output() {
    with_and_without_context(|out| {
        out.run(|| revealed(login()));
        assert_eq!(out.fields("called")["login"], "Login { user: \"ada\", password: \"hunter2\" }");
    });
    with_and_without_context(|out| {
        out.run(|| redacted("ada", login()));
        assert_eq!(out.fields("called")["login"], "Login { user: [redacted], password: [redacted] }");
        assert!(!out.text().contains("ada"));
    });
}

#[allow(clippy::too_many_arguments, reason = "one of each")]
#[with_observability(log_result = false, attributes_from_args = all)]
fn spelled(
    apiKeys: &[&str],
    private_keys: &[&str],
    JWTs: &[&str],
    APIToken: &str,
    pass: &str,
    cvc: &str,
    dbpassword: &str,
    session: &str,
    signature: &str,
    aws_creds: &str,
    master_key: &str,
    ssn: &str,
    pin: u16,
    primary_key: &str,
    tokenizer: &str,
) {
    let _ = (apiKeys, private_keys, JWTs, APIToken, pass, cvc, dbpassword, session, signature, aws_creds, master_key);
    let _ = (ssn, pin, primary_key, tokenizer);
}

#[test]
fn names_of_secrets_are_recognized_in_every_spelling() {
    with_and_without_context(|out| {
        let all = &[SECRET][..];
        let s = SECRET;
        out.run(|| spelled(all, all, all, s, s, s, s, s, s, s, s, s, 1234, "id", "words"));
        let called = out.fields("called");
        for (key, value) in called.as_object().expect("they are fields") {
            let is_shown = ["message", "primary_key", "tokenizer"].contains(&key.as_str());
            assert_eq!(value == "[redacted]", !is_shown, "{key}");
        }
        assert!(!out.text().contains(SECRET) && !out.text().contains("1234"));
        assert!(!format!("{:?}", out.spans()).contains(SECRET));
    });
}

#[allow(dead_code, reason = "what is redacted is not even asked for")]
struct ApiKey(String);

#[with_observability(log_result = false, attributes_from_args = { plain: "text", plain.len(): "length" })]
fn parts(Login { user, password: plain }: Login, ApiKey(key): ApiKey, both @ (a, _): (&str, &str)) {
    let _ = (user, plain, key, both, a);
}

#[test]
fn a_patterns_binding_of_a_secret_is_redacted_under_any_name() {
    with_and_without_context(|out| {
        out.run(|| parts(login(), ApiKey(SECRET.to_owned()), ("a", "b")));
        let called = out.fields("called");
        assert_eq!((&called["user"], &called["plain"]), (&"ada".into(), &"[redacted]".into()));
        assert_eq!((&called["key"], &called["a"]), (&"[redacted]".into(), &"a".into()));
        assert_eq!(out.attribute("parts", "text"), Some("[redacted]".into()));
        assert_eq!(out.attribute("parts", "length"), Some(7.into()));
        assert!(!out.text().contains(SECRET));
    });
}

#[with_observability(log_args = false, log_result = false, attributes_from_args = {
    headers["X-CSRFToken"]: "a", headers["x-api-keys"]: "b", headers["Set-Cookie"]: "c", headers["accept"]: "d",
})]
fn keys(headers: &HashMap<&str, &str>) {
    let _ = headers;
}

#[test]
fn a_value_under_a_secrets_key_is_redacted() {
    with_and_without_context(|out| {
        let headers = ["X-CSRFToken", "x-api-keys", "Set-Cookie", "accept"].map(|key| (key, "hunter2"));
        out.run(|| keys(&HashMap::from(headers)));
        for key in ["a", "b", "c"] {
            assert_eq!(out.attribute("keys", key), Some("[redacted]".into()), "{key}");
        }
        assert_eq!(out.attribute("keys", "d"), Some(SECRET.into()));
    });
}
