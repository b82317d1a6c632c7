//! `redact` and `reveal`

use ctx_layer::with_observability;

use crate::setup::with_and_without_context;

const SECRET: &str = "hunter2";

struct Login {
    user: String,
    password: String,
}

impl Login {
    #[allow(dead_code, reason = "what is redacted is not even asked for")]
    fn token(&self) -> &str {
        &self.password
    }
}

#[with_observability(redact = [card], attributes_from_args = [card, holder])]
fn pay(card: &str, holder: &str) {
    let _ = (card, holder);
}

#[test]
fn redacted_values_are_neither_exported_nor_logged() {
    with_and_without_context(|out| {
        out.run(|| pay(SECRET, "Ada"));
        assert_eq!(out.attribute("pay", "card"), Some("[redacted]".into()));
        assert_eq!(out.attribute("pay", "holder"), Some("Ada".into()));
        assert_eq!(out.fields("called")["card"], "[redacted]");
        assert!(!out.text().contains(SECRET));
    });
}

#[allow(clippy::too_many_arguments, reason = "one of each")]
#[with_observability(attributes_from_args = all)]
fn built_in(
    password: &str,
    db_passwd: &str,
    client_secret: String,
    access_token: Option<&str>,
    api_key: &[u8],
    authorization: &str,
    session_cookie: &str,
    private_key: Vec<u8>,
    name: &str,
) -> usize {
    let _ = (password, db_passwd, access_token, api_key, authorization, session_cookie, name);
    client_secret.into_bytes().len() + private_key.len()
}

#[test]
fn values_named_like_a_secret_are_redacted() {
    with_and_without_context(|out| {
        let bytes = SECRET.as_bytes();
        out.run(|| built_in(SECRET, SECRET, SECRET.into(), Some(SECRET), bytes, SECRET, SECRET, bytes.into(), "Ada"));
        let hidden = [
            "password",
            "db_passwd",
            "client_secret",
            "access_token",
            "api_key",
            "authorization",
            "session_cookie",
            "private_key",
        ];
        for key in hidden {
            assert_eq!(out.attribute("built_in", key), Some("[redacted]".into()), "{key}");
            assert_eq!(out.fields("called")[key], "[redacted]", "{key}");
        }
        assert_eq!(out.attribute("built_in", "name"), Some("Ada".into()));
        assert!(!out.text().contains(SECRET));
        assert!(!out.text().contains("104, 117"), "nor as bytes");
        assert!(!format!("{:?}", out.spans()).contains(SECRET));
    });
}

#[with_observability(attributes_from_args = {
    login.user: "user",
    login.password: "login.password",
    login.token(): "login.token",
    login.password.len(): "length",
}, skip(login))]
fn members(login: &Login) {}

#[test]
fn members_and_methods_named_like_a_secret_are_redacted_but_not_lengths() {
    with_and_without_context(|out| {
        out.run(|| members(&Login { user: "ada".into(), password: SECRET.into() }));
        assert_eq!(out.attribute("members", "user"), Some("ada".into()));
        assert_eq!(out.attribute("members", "login.password"), Some("[redacted]".into()));
        assert_eq!(out.attribute("members", "login.token"), Some("[redacted]".into()));
        assert!(!out.text().contains(SECRET));
    });
}

#[with_observability(attributes_from_args = all)]
fn pattern(Login { user, password }: Login, (id, token): (u8, &str)) -> (String, String) {
    let _ = (id, token);
    (user, password)
}

#[test]
fn names_within_patterns_are_redacted() {
    with_and_without_context(|out| {
        let _ = out.run(|| pattern(Login { user: "ada".into(), password: SECRET.into() }, (1, SECRET)));
        let called = out.fields("called");
        assert_eq!(called["user"], "ada");
        assert_eq!(called["password"], "[redacted]");
        assert_eq!(called["token"], "[redacted]");
        assert_eq!(out.attribute("pattern", "password"), Some("[redacted]".into()));
        assert_eq!(out.attribute("pattern", "token"), Some("[redacted]".into()));
    });
}

#[with_observability(reveal = [page_token], attributes_from_args = all)]
fn list(page_token: &str, token: &str) {
    let _ = (page_token, token);
}

#[test]
fn revealed_values_are_shown_whatever_their_name() {
    with_and_without_context(|out| {
        out.run(|| list("page-2", SECRET));
        assert_eq!(out.attribute("list", "page_token"), Some("page-2".into()));
        assert_eq!(out.fields("called")["page_token"], "page-2");
        assert!(!out.text().contains(SECRET));
    });
}

#[with_observability(redact(login))]
async fn in_async(login: Login) -> usize {
    login.user.len()
}

#[test]
fn arguments_of_async_functions_are_redacted() {
    with_and_without_context(|out| {
        out.block_on(in_async(Login { user: "ada".into(), password: SECRET.into() }));
        assert_eq!(out.fields("called")["login"], "[redacted]");
    });
}

#[with_observability]
fn new_token() -> String {
    SECRET.to_owned()
}

#[with_observability]
async fn find_password() -> Result<&'static str, String> {
    Ok(SECRET)
}

#[with_observability(ret)]
fn shown_token() -> u8 {
    7
}

#[with_observability]
fn is_token() -> bool {
    true
}

#[with_observability]
fn check_password() -> Result<(), String> {
    Ok(())
}

#[test]
fn the_result_of_a_function_named_like_a_secret_is_redacted() {
    with_and_without_context(|out| {
        out.run(|| {
            new_token();
            is_token();
            shown_token();
            check_password().unwrap();
        });
        out.block_on(find_password()).unwrap();
        let returned: Vec<_> =
            out.events_named("returned").iter().map(|event| event["fields"]["return"].clone()).collect();
        let redacted = serde_json::Value::from("[redacted]");
        assert_eq!(returned, [redacted.clone(), true.into(), 7.into(), serde_json::Value::Null, redacted]);
        assert!(!out.text().contains(SECRET));
    });
}

mod becomes_a_field {
    use ctx_layer::{Schema, SubscriberFieldsExt, field::Policy, with_observability};
    use ctx_tests::Captured;
    use tracing_subscriber::prelude::*;

    ctx_layer::context_fields! {
        /// A masked address.
        pub static EMAIL: String = "customer.email" => masked;
        /// A hashed number.
        pub static CARD: String = "customer.card" => hashed;
        /// A public name.
        pub static CUSTOMER: String = "customer.id";
    }

    #[derive(Debug)]
    struct User {
        id: u64,
        email: String,
    }

    #[with_observability(context = { email: EMAIL })]
    fn whole(email: &str) {
        let _ = email;
    }

    #[with_observability(context = { user.email: EMAIL }, attributes_from_args = { user.email.as_str(): "mail", user.id: "id" })]
    fn part(user: &User) {
        let _ = &user.email;
    }

    #[with_observability(context = { email.clone(): EMAIL, card: CARD }, attributes_from_args = all)]
    async fn later(email: String, card: &str) -> usize {
        email.len() + card.len()
    }

    #[with_observability(context = { customer: CUSTOMER }, attributes_from_args = [customer])]
    fn by_the_schema(customer: &str) {
        let _ = customer;
    }

    #[with_observability(context = { email: EMAIL }, attributes_from_args = { email: "mail", email.len(): "length" }, reveal = [email])]
    fn revealed(email: &str) {
        let _ = email;
    }

    fn text(program: impl FnOnce()) -> String {
        let out = Captured::default();
        let schema = Schema::builder().field(&EMAIL).field(&CARD).field_with(&CUSTOMER, Policy::masked);
        let text = tracing_subscriber::fmt::layer().json().with_writer(out.clone());
        let stack = tracing_subscriber::registry().with(text).with_context_fields(schema.build().unwrap());
        tracing::subscriber::with_default(stack, program);
        out.text()
    }

    #[test]
    fn an_argument_that_becomes_a_sensitive_field_is_not_shown() {
        let email = || "ada@example.com".to_owned();
        let text = text(|| {
            whole(&email());
            part(&User { id: 7, email: email() });
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(later(email(), "4111111111111111"));
            by_the_schema("ada@example.com");
        });
        assert_eq!(text.matches("called").count(), 4, "{text}");
        assert!(!text.contains("ada@example.com") && !text.contains("4111"), "{text}");
        assert!(text.contains(r#""id":7"#), "{text}");
    }

    #[test]
    fn an_argument_that_is_revealed_or_becomes_a_public_field_is_shown() {
        let shown = text(|| revealed("ada@example.com"));
        assert!(
            shown.contains(r#""mail":"ada@example.com""#) && shown.contains(r#""email":"ada@example.com""#),
            "{shown}"
        );
        let out = Captured::default();
        let stack =
            tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().json().with_writer(out.clone()));
        tracing::subscriber::with_default(stack, || by_the_schema("ada"));
        assert!(out.text().contains(r#""customer":"ada""#), "{}", out.text());
    }
}
