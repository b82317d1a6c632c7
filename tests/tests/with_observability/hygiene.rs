//! The user's names never conflict with those of the expansion.

use ctx_layer::with_observability;

use crate::setup::with_and_without_context;

#[allow(clippy::too_many_arguments, reason = "all the names of the expansion")]
#[with_observability(attributes_from_args = [
    sites, call, returned, fields, value, error, ending, _inside, _scope, span, body, library, cause,
])]
fn variables(
    sites: u8,
    call: u8,
    returned: u8,
    fields: u8,
    value: u8,
    error: u8,
    ending: u8,
    _inside: u8,
    _scope: u8,
    span: u8,
    body: u8,
    library: u8,
    cause: u8,
) -> Result<u8, u8> {
    Ok(sites + call + returned + fields + value + error + ending + _inside + _scope + span + body + library + cause)
}

#[allow(clippy::too_many_arguments, reason = "all the names of the expansion")]
#[with_observability(
    context = { call: ctx_layer::field::well_known::USER_ID },
    attributes_from_args = all,
)]
async fn variables_later(
    sites: u8,
    call: u8,
    returned: u8,
    fields: u8,
    value: u8,
    error: u8,
    ending: u8,
    _inside: u8,
    _scope: u8,
    span: u8,
    task: u8,
) -> Result<u8, u8> {
    Ok(sites + call + returned + fields + value + error + ending + _inside + _scope + span + task)
}

#[with_observability(context = { _scope: ctx_layer::field::well_known::USER_ID })]
fn boxed(_inside: u8, _scope: u8, call: u8) -> futures_util::future::BoxFuture<'static, u8> {
    Box::pin(std::future::ready(_inside + _scope + call))
}

#[test]
fn variables_may_have_the_names_of_the_expansions_variables() {
    with_and_without_context(|out| {
        assert_eq!(out.run(|| variables(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)), Ok(91));
        assert_eq!(out.block_on(variables_later(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)), Ok(66));
        assert_eq!(out.block_on(async { boxed(1, 2, 3).await }), 6);
        let called = out.events_named("called");
        for (index, name) in
            ["sites", "call", "returned", "fields", "value", "error", "ending", "_inside", "_scope"].iter().enumerate()
        {
            let expected = index as u64 + 1;
            assert_eq!(called[0]["fields"][name], expected, "{name}");
            assert_eq!(called[1]["fields"][name], expected, "{name}");
            let as_attribute = Some((index as i64 + 1).into());
            assert_eq!(out.attribute("variables", name), as_attribute, "{name}");
        }
        assert_eq!(called[2]["fields"]["_inside"], 1);
    });
}

const SITES: &str = "the user's name";

#[with_observability(name = SITES)]
fn named() {}

#[test]
fn a_constant_may_have_the_name_of_the_expansions_static() {
    with_and_without_context(|out| {
        out.run(named);
        assert_eq!(out.spans()[0].name, "the user's name");
    });
}

/// Traits and methods with the names by which the expansion selects a form.
mod same_methods {
    use ctx_layer::with_observability;

    #[derive(Clone, Debug)]
    pub(super) struct Value(pub(super) u8);

    impl Value {
        fn show(&self) -> u8 {
            self.0
        }

        fn form(&self) -> u8 {
            self.0 + 1
        }
    }

    pub(super) trait AsDebug {
        const NAME: &'static str = "the user's trait";

        fn split(&self) -> u8;
    }

    impl AsDebug for Value {
        fn split(&self) -> u8 {
            self.0 + 2
        }
    }

    #[with_observability(attributes_from_args = {
        value.show(): "show",
        value.form(): "form",
        value.split(): "split",
        AsDebug::split(value): "path",
    }, static_attributes = { "constant": <Value as AsDebug>::NAME })]
    pub(super) fn methods(value: &Value) -> Result<Value, Value> {
        Err(value.clone())
    }
}

#[test]
fn the_users_methods_and_traits_are_called() {
    with_and_without_context(|out| {
        assert!(out.run(|| same_methods::methods(&same_methods::Value(1))).is_err());
        for (key, value) in [("show", 1_i64), ("form", 2), ("split", 3), ("path", 3)] {
            assert_eq!(out.attribute("methods", key), Some(value.into()), "{key}");
        }
        assert_eq!(out.attribute("methods", "constant"), Some("the user's trait".into()));
        assert_eq!(out.fields("failed")["error"], "Value(1)");
    });
}

/// A scope in which every name of the prelude means something else.
#[allow(dead_code, non_snake_case, non_camel_case_types, unused, reason = "only to be in the way")]
mod shadowed {
    use ctx_layer::{field::well_known::TENANT_ID, with_observability};

    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct Box;
    pub(super) struct String;
    pub(super) struct Vec;
    pub(super) struct Send;
    pub(super) struct Fn;
    pub(super) struct Into;
    pub(super) struct Future;
    pub(super) struct u8;
    pub(super) struct bool;
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod tracing {}
    pub(super) mod ctx_layer_call {}
    pub(super) fn drop() {}
    pub(super) fn debug() {}
    pub(super) fn display() {}
    macro_rules! panic {
        () => {};
    }
    macro_rules! concat {
        () => {};
    }

    type Outcome<T> = ::std::result::Result<T, ::std::fmt::Error>;

    #[with_observability(
        attributes_from_args = { name: "name", count: "count", name.len(): "length" },
        static_attributes = { "shard": 7 },
        context = { name: TENANT_ID },
        name = ::std::format!("{name}!"),
    )]
    pub(super) fn sync(name: &str, count: ::std::option::Option<i64>) -> Outcome<()> {
        ::std::result::Result::Err(::std::fmt::Error)
    }

    #[with_observability(attributes_from_args = all)]
    pub(super) async fn later(name: &str, token: &str) -> Outcome<usize> {
        ::std::result::Result::Ok(name.len())
    }

    #[with_observability]
    pub(super) fn boxed() -> ::futures_util::future::BoxFuture<'static, Outcome<()>> {
        ::std::boxed::Box::pin(async { ::std::result::Result::Err(::std::fmt::Error) })
    }

    #[with_observability]
    pub(super) fn made() -> ::futures_util::future::BoxFuture<'static, ()> {
        ::std::boxed::Box::pin(::std::future::ready(()))
    }

    #[with_observability]
    pub(super) fn streamed() -> ::futures_util::stream::BoxStream<'static, Outcome<usize>> {
        ::std::boxed::Box::pin(::futures_util::stream::iter([::std::result::Result::Ok(1)]))
    }

    #[with_observability]
    pub(super) fn gives_the_users_own() -> Option {
        Option
    }

    #[with_observability]
    pub(super) fn takes_the_users_own(result: Result, option: &Option) -> Result {
        result
    }
}

#[test]
fn names_of_the_prelude_may_be_shadowed() {
    use futures_util::StreamExt;
    with_and_without_context(|out| {
        assert!(out.run(|| shadowed::sync("acme", Some(3))).is_err());
        assert_eq!(out.attribute("acme!", "length"), Some(4_i64.into()));
        assert_eq!(out.attribute("acme!", "count"), Some(3_i64.into()));
        assert_eq!(out.block_on(shadowed::later("acme", "x")), Ok(4));
        assert_eq!(out.attribute("later", "token"), Some("[redacted]".into()));
        assert!(out.block_on(async { shadowed::boxed().await }).is_err());
        out.block_on(async { shadowed::made().await });
        assert_eq!(out.block_on(async { shadowed::streamed().collect::<Vec<_>>().await }), [Ok(1)]);
        out.run(|| {
            shadowed::gives_the_users_own();
            shadowed::takes_the_users_own(shadowed::Result, &shadowed::Option);
        });
        let last = out.events().pop().unwrap();
        assert_eq!(last["fields"]["return"], std::any::type_name::<shadowed::Result>());
    });
}

/// A module without any prelude.
mod bare {
    #![no_implicit_prelude]

    use ::ctx_layer::{field::well_known::TENANT_ID, with_observability};
    use ::std::{clone::Clone, option::Option, primitive::u8, result::Result, string::String};

    #[with_observability(
        attributes_from_args = { name: "name", name.len(): "length", ?count: "count" },
        context = { name: TENANT_ID },
        redact = [secret],
    )]
    pub(super) fn sync(name: &str, count: Option<u8>, secret: &str) -> Result<String, String> {
        let _ = (count, secret);
        Result::Err(::std::string::ToString::to_string(name))
    }

    #[with_observability(context = { name: TENANT_ID })]
    pub(super) async fn later(name: String) -> Result<String, String> {
        Result::Ok(name.clone())
    }

    #[with_observability]
    pub(super) fn boxed() -> ::futures_util::future::BoxFuture<'static, u8> {
        ::std::boxed::Box::pin(::std::future::ready(1))
    }

    #[with_observability]
    pub(super) fn block() -> impl ::std::future::Future<Output = u8> {
        async { 1 }
    }

    #[with_observability]
    pub(super) fn streamed() -> impl ::futures_util::Stream<Item = u8> {
        ::futures_util::stream::empty()
    }

    #[with_observability]
    pub(super) fn never() -> ! {
        ::std::panic!("never")
    }

    pub(super) struct Methods;

    #[with_observability(except(new))]
    impl Methods {
        pub(super) const fn new() -> Self {
            Methods
        }

        pub(super) fn method(&self) {}
    }
}

#[test]
fn a_module_may_have_no_prelude() {
    use futures_util::StreamExt;
    with_and_without_context(|out| {
        assert_eq!(out.run(|| bare::sync("acme", Some(1), "hidden")), Err("acme".to_owned()));
        assert_eq!(out.block_on(bare::later("acme".into())), Ok("acme".to_owned()));
        assert_eq!(out.block_on(async { bare::boxed().await }) + out.block_on(bare::block()), 2);
        assert!(out.block_on(async { bare::streamed().collect::<Vec<_>>().await }).is_empty());
        assert!(out.run(|| std::panic::catch_unwind(|| bare::never()).is_err()));
        out.run(|| bare::Methods::new().method());
        assert!(!out.text().contains("hidden"));
        assert_eq!(out.spans().len(), 7);
    });
}
