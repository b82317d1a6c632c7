//! The forms of functions.

use std::pin::Pin;

use ctx_layer::{field::well_known::TENANT_ID, propagate};
use futures_util::{FutureExt, Stream, StreamExt, future::BoxFuture};

use crate::stack::{ACCOUNT, ATTEMPT, Stack};

fn tenant() -> Option<String> {
    TENANT_ID.get().map(String::from)
}

/// Creates a value under a tenant, and runs it on a thread that has none.
fn elsewhere<F: Future + Send>(make: impl FnOnce() -> F) -> F::Output
where
    F::Output: Send,
{
    let future = TENANT_ID.in_scope("acme", make);
    std::thread::scope(|scope| {
        scope.spawn(|| tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)).join().unwrap()
    })
}

#[test]
fn the_attribute_works_on_every_function_that_returns_a_future() {
    #[propagate]
    fn block() -> impl Future<Output = Option<String>> + Send {
        async { tenant() }
    }

    #[propagate]
    fn made() -> impl Future<Output = Option<String>> + Send {
        std::future::ready(()).map(|()| tenant())
    }

    #[propagate]
    fn boxed(early: bool) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> {
        if early {
            return Box::pin(async { tenant() });
        }
        Box::pin(async move { tenant() })
    }

    #[propagate]
    fn named<'a>(text: &'a str) -> BoxFuture<'a, (Option<String>, &'a str)> {
        async move { (tenant(), text) }.boxed()
    }

    struct Service {
        name: String,
    }

    impl Service {
        #[propagate]
        async fn by_reference(&self) -> (Option<String>, &str) {
            (tenant(), &self.name)
        }

        #[propagate]
        async fn changing(&mut self, mut times: u8) -> Option<String> {
            while times > 0 {
                self.name.push('!');
                times -= 1;
            }
            tenant()
        }

        #[propagate]
        async fn consuming(self) -> Option<String> {
            tenant()
        }

        #[propagate]
        async fn generic<T: Clone + Send>(
            &self,
            value: T,
            shown: impl std::fmt::Display + Send,
        ) -> (Option<String>, T, String) {
            (tenant(), value.clone(), shown.to_string())
        }
    }

    let expected = Some("acme".to_owned());
    assert_eq!(elsewhere(block), expected);
    assert_eq!(elsewhere(made), expected);
    assert_eq!(elsewhere(|| boxed(true)), expected);
    assert_eq!(elsewhere(|| boxed(false)), expected);
    assert_eq!(elsewhere(|| named("x")), (expected.clone(), "x"));
    let mut service = Service { name: "s".to_owned() };
    assert_eq!(elsewhere(|| service.by_reference()), (expected.clone(), "s"));
    assert_eq!(elsewhere(|| service.changing(2)), expected);
    assert_eq!(service.name, "s!!");
    assert_eq!(elsewhere(|| service.generic(7, "shown")), (expected.clone(), 7, "shown".to_owned()));
    assert_eq!(elsewhere(|| service.consuming()), expected);
}

#[test]
fn the_attribute_works_on_methods_of_traits() {
    trait Native {
        fn get(&self) -> impl Future<Output = Option<String>> + Send;
    }

    #[async_trait::async_trait]
    trait Dynamic {
        async fn get(&self, name: &str) -> Option<String>;

        #[propagate]
        async fn with_a_body(&self) -> Option<String> {
            tenant()
        }
    }

    struct Service;

    impl Native for Service {
        #[propagate]
        async fn get(&self) -> Option<String> {
            tenant()
        }
    }

    #[async_trait::async_trait]
    impl Dynamic for Service {
        #[propagate]
        async fn get(&self, name: &str) -> Option<String> {
            let _ = name;
            tenant()
        }
    }

    let expected = Some("acme".to_owned());
    assert_eq!(elsewhere(|| Native::get(&Service)), expected);
    assert_eq!(elsewhere(|| Dynamic::get(&Service, "x")), expected);
    assert_eq!(elsewhere(|| Service.with_a_body()), expected);
}

#[test]
fn the_attribute_works_on_functions_that_return_streams() {
    #[propagate]
    fn ticks() -> impl Stream<Item = Option<String>> + Send + Unpin {
        futures_util::stream::iter(0..3).map(|_| tenant())
    }

    #[propagate]
    fn boxed() -> futures_util::stream::BoxStream<'static, Option<String>> {
        futures_util::stream::iter(0..3).map(|_| tenant()).boxed()
    }

    let expected = vec![Some("acme".to_owned()); 3];
    assert_eq!(elsewhere(|| ticks().collect::<Vec<_>>()), expected);
    assert_eq!(elsewhere(|| boxed().collect::<Vec<_>>()), expected);
}

#[test]
fn fields_are_set_from_arguments_for_the_body() {
    struct User(u64);

    impl User {
        fn account(&self) -> String {
            format!("account-{}", self.0)
        }
    }

    #[propagate(context = { name: TENANT_ID, user.account(): ACCOUNT, attempt: ATTEMPT })]
    fn at_once(name: &str, user: &User, attempt: Option<u64>) -> (Option<String>, Option<String>, Option<u64>) {
        (tenant(), ACCOUNT.get(), ATTEMPT.get())
    }

    #[propagate(context = { name: TENANT_ID, user.account(): crate::stack::ACCOUNT })]
    async fn later(name: String, User(id): User, user: &User) -> (Option<String>, Option<String>, usize, u64) {
        tokio::task::yield_now().await;
        (tenant(), ACCOUNT.get(), name.len(), id)
    }

    let _attempt = ATTEMPT.attach(9u64);
    let seen = at_once("globex", &User(7), Some(2));
    assert_eq!(seen, (Some("globex".to_owned()), Some("account-7".to_owned()), Some(2)));
    assert_eq!(at_once("globex", &User(7), None).2, Some(9), "what is not there changes nothing");
    assert_eq!((tenant(), ACCOUNT.get()), (None, None), "nothing is left behind");
    let user = User(7);
    let seen = elsewhere(|| later("globex".to_owned(), User(1), &user));
    assert_eq!(seen, (Some("globex".to_owned()), Some("account-7".to_owned()), 6, 1));
}

#[test]
fn a_literal_has_the_fields_type() {
    #[propagate(context = { "acme": TENANT_ID, 3: ATTEMPT, 7: ACCOUNT })]
    fn at_once() -> (Option<String>, Option<u64>, Option<String>) {
        (tenant(), ATTEMPT.get(), ACCOUNT.get())
    }

    #[propagate(context = { 1 + 2: ATTEMPT })]
    async fn later() -> Option<u64> {
        ATTEMPT.get()
    }

    assert_eq!(at_once(), (Some("acme".to_owned()), Some(3), Some("7".to_owned())));
    assert_eq!(elsewhere(later), Some(3));
}

macro_rules! made {
    ($name:ident, $tenant:ident: $type:ty, $attempt:expr, $body:expr) => {
        #[propagate(context = { $tenant: TENANT_ID, $attempt: ATTEMPT })]
        #[ctx_layer::with_observability(attributes_from_args = { $tenant: concat!("a.", stringify!($tenant)) })]
        async fn $name($tenant: $type, more: u8) -> (Option<String>, Option<u64>, u8) {
            let _ = $tenant;
            (tenant(), ATTEMPT.get(), more + $body)
        }
    };
}

made!(made_by_a_macro, name: &str, 2 + 3, { 4 });

#[test]
fn a_macro_may_generate_the_function() {
    assert_eq!(elsewhere(|| made_by_a_macro("acme", 1)), (Some("acme".to_owned()), Some(5), 5));
}

/// They take an `async fn` only.
#[propagate(context = { "acme": TENANT_ID })]
#[tokio::test]
async fn test_attributes_may_follow() {
    tokio::task::yield_now().await;
    assert_eq!(tenant().as_deref(), Some("acme"));
}

#[propagate]
#[tokio::main(flavor = "current_thread")]
async fn program(text: &str) -> Result<Option<String>, std::num::ParseIntError> {
    tokio::task::yield_now().await;
    text.parse::<u8>()?;
    Ok(tenant())
}

#[test]
fn main_attributes_may_follow() {
    assert_eq!(TENANT_ID.in_scope("acme", || program("7")).unwrap().as_deref(), Some("acme"));
    assert!(program("x").is_err());
}

#[test]
fn early_returns_and_question_marks_return_from_the_function() {
    #[propagate(context = { "acme": TENANT_ID })]
    fn at_once(fail: bool) -> Result<Option<String>, std::num::ParseIntError> {
        if fail {
            "x".parse::<u8>()?;
        }
        Ok(tenant())
    }

    #[propagate]
    async fn later(fail: bool) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        if fail {
            return Ok("x".parse::<u8>()?);
        }
        Ok(7)
    }

    assert_eq!(at_once(false).unwrap().as_deref(), Some("acme"));
    assert!(at_once(true).is_err());
    assert!(elsewhere(|| later(true)).is_err());
    assert_eq!(elsewhere(|| later(false)).unwrap(), 7);
}

#[test]
fn the_attribute_needs_no_subscriber() {
    let stack = Stack::new();
    drop(stack);
    #[propagate]
    async fn plain() -> u8 {
        7
    }
    assert_eq!(elsewhere(plain), 7);
}
