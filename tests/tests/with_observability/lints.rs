//! The expansion passes the strictest lints of its caller.
//!
//! `cargo clippy --all-targets` checks clippy's; here they are only enabled.

mod strict {
    #![deny(warnings, clippy::all, clippy::pedantic)]
    #![deny(unused, nonstandard_style, rust_2018_idioms, let_underscore)]
    #![deny(unused_qualifications, unused_lifetimes, single_use_lifetimes, unreachable_pub, trivial_casts)]
    #![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, unused_import_braces, meta_variable_misuse)]
    #![forbid(unsafe_code)]

    use std::{error::Error, fmt, future::Future, pin::Pin};

    use async_trait::async_trait;
    use ctx_layer::{field::well_known::TENANT_ID, with_observability};
    use ctx_tests::Yield;
    use futures_util::{Stream, StreamExt, future::BoxFuture, stream};

    #[derive(Clone, Debug)]
    pub(super) struct Order {
        id: u64,
        items: Vec<String>,
    }

    #[derive(Debug)]
    pub(super) struct Failed<'a>(&'a str);

    impl fmt::Display for Failed<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "failed at {}", self.0)
        }
    }

    impl Error for Failed<'_> {}

    #[with_observability]
    pub(super) fn unit() {}

    #[with_observability]
    pub(super) fn reads(order: &Order) -> usize {
        order.items.len()
    }

    #[with_observability(
        kind = server,
        name = format!("order {}", order.id),
        attributes_from_args = { order.id: "order.id", order.items.len(): "order.items", ?order: "order", %tenant: "t" },
        static_attributes = { "component": "orders", "shard": 7 },
        context = { tenant: TENANT_ID },
        redact = [tenant],
        log_level = info,
        ret,
        err(Debug),
    )]
    pub(super) fn everything(order: &Order, tenant: &str) -> Result<usize, Box<dyn Error>> {
        if tenant.is_empty() {
            return Err("no tenant".into());
        }
        Ok(order.items.len())
    }

    #[with_observability(attributes_from_args = [name])]
    pub(super) async fn later(name: &str, mut order: Order) -> Result<Order, String> {
        Yield::default().await;
        order.items.push(name.to_owned());
        Ok(order)
    }

    #[with_observability(log_args = false, log_result = false, log_errors = false)]
    pub(super) async fn quiet(name: &str) -> Option<char> {
        Yield::default().await;
        name.chars().next()
    }

    #[with_observability(attributes_from_args = all, context = { tenant: TENANT_ID })]
    pub(super) async fn with_context(tenant: Option<String>) -> usize {
        Yield::default().await;
        tenant.map_or(0, |tenant| tenant.len())
    }

    #[with_observability]
    pub(super) fn borrows(text: &str) -> Result<&str, Failed<'_>> {
        text.get(1..).ok_or(Failed(text))
    }

    #[with_observability]
    pub(super) fn block(value: u8) -> impl Future<Output = u8> + Send {
        let doubled = value * 2;
        async move { doubled }
    }

    #[with_observability]
    pub(super) fn pinned<'a>(order: &'a Order) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        Box::pin(async move {
            Yield::default().await;
            order.items.len()
        })
    }

    #[with_observability]
    pub(super) fn boxed(value: u8) -> BoxFuture<'static, Result<u8, String>> {
        Box::pin(std::future::ready(Ok(value)))
    }

    #[with_observability]
    pub(super) fn streamed(order: &Order) -> impl Stream<Item = Result<&str, String>> {
        stream::iter(&order.items).map(|item| Ok(item.as_str()))
    }

    #[with_observability]
    pub(super) fn generic<T: fmt::Debug, const N: usize>(items: [T; N]) -> impl Iterator<Item = T> {
        items.into_iter()
    }

    #[with_observability(attributes_from_args = all)]
    pub(super) fn unused(_name: &str, _order: &Order) {}

    #[with_observability(attributes_from_args = [_name])]
    pub(super) async fn unused_later(_name: &str) {}

    #[with_observability]
    pub(super) fn never() -> ! {
        panic!("never")
    }

    #[with_observability]
    pub(super) fn mutates(list: &mut Vec<u8>) -> &mut [u8] {
        list.push(1);
        list
    }

    #[with_observability]
    pub(super) fn tuple((a, b): (u8, u8)) -> (u8, u8) {
        (b, a)
    }

    #[with_observability]
    pub(super) extern "C" fn foreign(a: i32) -> i32 {
        a
    }

    #[async_trait]
    pub(super) trait Store {
        async fn save(&mut self, order: Order) -> Result<u64, String>;
    }

    #[async_trait]
    impl Store for Vec<Order> {
        #[with_observability(attributes_from_args = { order.id: "order.id" })]
        async fn save(&mut self, order: Order) -> Result<u64, String> {
            let id = order.id;
            self.push(order);
            Ok(id)
        }
    }

    #[with_observability(except(new), static_attributes = { "component": "orders" })]
    impl Order {
        pub(super) const fn new(id: u64) -> Self {
            Self { id, items: Vec::new() }
        }

        pub(super) fn push(&mut self, item: &str) -> &mut Self {
            self.items.push(item.to_owned());
            self
        }

        pub(super) async fn first(&self) -> Option<&str> {
            Yield::default().await;
            self.items.first().map(String::as_str)
        }

        #[with_observability(name = "orders.into_items")]
        pub(super) fn into_items(self) -> Vec<String> {
            self.items
        }
    }
}

#[test]
fn functions_without_lints_have_none_under_the_attribute_and_work() {
    use futures_util::StreamExt;
    use strict::Store;

    crate::setup::with_and_without_context(|out| {
        let mut order = strict::Order::new(1);
        out.run(|| {
            strict::unit();
            strict::unused("x", &order);
            order.push("a").push("b");
            assert_eq!(strict::reads(&order), 2);
            assert_eq!(strict::everything(&order, "acme").unwrap(), 2);
            assert_eq!(strict::borrows("ab").unwrap(), "b");
            assert_eq!(strict::generic([1, 2]).count(), 2);
            assert!(std::panic::catch_unwind(|| strict::never()).is_err());
            assert_eq!(strict::mutates(&mut Vec::new()), [1]);
            assert_eq!(strict::tuple((1, 2)), (2, 1));
            assert_eq!(strict::foreign(1), 1);
        });
        out.block_on(async {
            assert!(strict::later("c", order.clone()).await.is_ok());
            assert_eq!(strict::quiet("x").await, Some('x'));
            strict::unused_later("x").await;
            assert_eq!(strict::with_context(None).await, 0);
            assert_eq!(strict::block(1).await, 2);
            assert_eq!(strict::pinned(&order).await, 2);
            assert_eq!(strict::boxed(1).await, Ok(1));
            assert_eq!(strict::streamed(&order).collect::<Vec<_>>().await.len(), 2);
            assert_eq!(Vec::new().save(order.clone()).await, Ok(1));
            assert_eq!(order.first().await, Some("a"));
        });
        assert_eq!(out.run(|| order.into_items()), ["a", "b"]);
    });
}
