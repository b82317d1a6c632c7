//! Secrets by the names of fields, keys and types, in any spelling.

use std::collections::BTreeMap;

use ctx_layer::with_observability;
use ctx_tests::Captured;
use tracing_subscriber::{fmt, prelude::*};

const SECRET: &str = "hunter2";

fn shown(f: impl FnOnce()) -> String {
    let lines = Captured::default();
    let layer = fmt::layer().without_time().with_ansi(false).with_writer(lines.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), f);
    lines.text()
}

#[with_observability(log_level = "info", log_result = false)]
fn takes(map: BTreeMap<&str, &str>) {
    let _ = map;
}

#[test]
fn keys_named_like_secrets_are_masked_in_any_spelling() {
    let mut leaked = Vec::new();
    for name in [
        "db_pass",
        "userPin",
        "pinCode",
        "PIN",
        "SSN",
        "sessionId",
        "session_cookie",
        "refreshToken",
        "clientSecret",
        "x-api-key",
        "apikey",
        "APIKEY",
        "ApiKeys",
        "api.key",
        "api key",
        "authHeader",
        "Authorization",
        "bearerToken",
        "private_key_pem",
        "privatekey",
        "PrivateKey",
        "masterKey",
        "creds",
        "dbCreds",
        "card_cvc",
        "cvc2",
        "passwd",
        "pass_phrase",
        "passPhrase",
        "pwd_hash",
        "otp_code",
        "signing_key",
        "encryption_key",
        "sshKey",
        "connectionString",
        "oauth_token",
        "id_token",
        "jwt",
        "JWTs",
        "PASSWORD2",
        "password_1",
        "userPassword",
        "userpassword",
        "newpassword",
        "passwords",
        "secrets",
        "tokens",
        "csrfToken",
        "XSRF-TOKEN",
        "Set-Cookie",
        "signature",
        "sig_signature",
        "salt",
        "accessKey",
        "access_key_id",
        "secretAccessKey",
        "cvv",
        "card_number",
        "cardNumber",
        "mfaCode",
        "proxy-authorization",
        "client_credentials",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "security-code",
    ] {
        if shown(|| takes(BTreeMap::from([(name, SECRET)]))).contains(SECRET) {
            leaked.push(name);
        }
    }
    assert!(leaked.is_empty(), "{leaked:?}");
}

#[test]
fn keys_that_only_look_like_secrets_are_shown() {
    let mut hidden = Vec::new();
    for name in [
        "passenger",
        "passed",
        "compass",
        "bypass",
        "pinned",
        "spinner",
        "opinion",
        "author",
        "authored_at",
        "secretary",
        "keyboard",
        "monkey",
        "primary_key",
        "foreign_key",
        "sort_key",
        "public_key",
        "assault",
        "authority",
        "shopping",
        "user",
        "passive",
        "tokenizer",
        "at",
        "design",
    ] {
        if !shown(|| takes(BTreeMap::from([(name, SECRET)]))).contains(SECRET) {
            hidden.push(name);
        }
    }
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[derive(Debug)]
#[allow(dead_code, reason = "it is there to be shown")]
enum Step {
    Login { user: &'static str, password: Option<Box<str>> },
    Named(BTreeMap<String, Vec<Option<&'static str>>>),
}

#[derive(Debug)]
#[allow(dead_code, reason = "it is there to be shown")]
struct Password(&'static str);

#[with_observability(log_level = "info", log_args = false)]
fn returns<T: std::fmt::Debug>(value: T) -> T {
    value
}

#[test]
fn nested_values_are_masked_wherever_they_are() {
    let named =
        BTreeMap::from([("api_keys".to_owned(), vec![Some(SECRET), None]), ("user".to_owned(), vec![Some("ada")])]);
    let steps = vec![Step::Login { user: "ada", password: Some(SECRET.into()) }, Step::Named(named)];
    let text = shown(|| drop(returns(Some(steps))));
    assert!(text.contains("ada") && !text.contains(SECRET), "{text}");
    let text = shown(|| drop(returns(vec![(1, Ok::<_, ()>(("token", SECRET)))])));
    assert!(!text.contains(SECRET), "{text}");
    let json = serde_json::json!({"user": "ada", "deep": [{"client_secret": SECRET, "password": {"value": SECRET}}]});
    let text = shown(|| drop(returns(json)));
    assert!(text.contains("ada") && !text.contains(SECRET), "{text}");
    let request = http::Request::builder().uri("/").header("authorization", "Bearer hunter2").body("body").unwrap();
    let text = shown(|| drop(returns(request)));
    assert!(text.contains("body") && !text.contains(SECRET), "{text}");
}

#[test]
fn a_type_named_like_a_secret_is_masked() {
    let text = shown(|| _ = returns(Some(Password(SECRET))));
    assert!(!text.contains(SECRET), "{text}");
    let text = shown(|| drop(returns(vec![("user", Password(SECRET))])));
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn hostile_strings_do_not_hide_that_a_field_is_a_secret() {
    for key in ["pass\"word\", \"password", "password\\", "a\npassword", "password: \"x\", b"] {
        let text = shown(|| takes(BTreeMap::from([(key, "shown"), ("password", SECRET)])));
        assert!(!text.contains(SECRET), "{key:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    for value in ["\"", "\\", "}", "{", "password: ", "\", \"password\": \"", "\u{202E}", "[redacted]"] {
        let text = shown(|| takes(BTreeMap::from([("a", value), ("password", SECRET), ("z", value)])));
        assert!(!text.contains(SECRET), "{value:?}: {text}");
    }
}
