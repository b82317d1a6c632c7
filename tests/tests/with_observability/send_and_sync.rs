//! Futures and streams are `Send`, `Sync` and `Unpin` exactly where they are so without the attribute.

use std::marker::PhantomData;

/// Checks whether a type has a trait: an inherent method, where its bound holds, is found before the trait's.
mod ask {
    use std::marker::PhantomData;

    pub(super) struct IsSend<T>(pub(super) PhantomData<T>);
    pub(super) struct IsSync<T>(pub(super) PhantomData<T>);
    pub(super) struct IsUnpin<T>(pub(super) PhantomData<T>);

    pub(super) trait No {
        fn ask(&self) -> bool {
            false
        }
    }

    impl<T> No for &IsSend<T> {}
    impl<T> No for &IsSync<T> {}
    impl<T> No for &IsUnpin<T> {}

    impl<T: Send> IsSend<T> {
        pub(super) fn ask(&self) -> bool {
            true
        }
    }

    impl<T: Sync> IsSync<T> {
        pub(super) fn ask(&self) -> bool {
            true
        }
    }

    impl<T: Unpin> IsUnpin<T> {
        pub(super) fn ask(&self) -> bool {
            true
        }
    }
}

fn type_of<T>(_: &T) -> PhantomData<T> {
    PhantomData
}

/// Returns whether a value is `Send`, `Sync` and `Unpin`.
macro_rules! traits_of {
    ($value:expr) => {{
        let value = $value;
        [
            (&ask::IsSend(type_of(&value))).ask(),
            (&ask::IsSync(type_of(&value))).ask(),
            (&ask::IsUnpin(type_of(&value))).ask(),
        ]
    }};
}

/// Defines the same functions without the attribute, with it, and with many of its arguments.
macro_rules! functions {
    ($value:ident: $($function:item)*) => {
        mod undecorated {
            #[allow(unused_imports, reason = "the macro's own")]
            use super::uses::*;
            $($function)*
        }
        mod decorated {
            use super::uses::*;
            $(#[ctx_layer::with_observability] $function)*
        }
        mod with_context {
            use super::uses::*;
            $(#[ctx_layer::with_observability(
                context = { $value: ctx_layer::field::well_known::TENANT_ID },
                attributes_from_args = all,
                name = $value.to_string(),
            )] $function)*
        }
    };
}

mod uses {
    pub(super) use std::{cell::Cell, future::Future, rc::Rc};

    pub(super) use ctx_tests::Yield;
    pub(super) use futures_util::{Stream, future::BoxFuture, stream};
}

functions! {
    value:

    pub(super) async fn plain(value: u8) -> u8 {
        Yield::default().await;
        value
    }

    pub(super) async fn fails(value: String) -> Result<String, Box<dyn std::error::Error>> {
        Yield::default().await;
        Ok(value)
    }

    pub(super) async fn takes_rc(value: u8, shared: Rc<u8>) -> u8 {
        Yield::default().await;
        *shared + value
    }

    pub(super) async fn holds_rc(value: u8) -> u8 {
        let shared = Rc::new(value);
        Yield::default().await;
        *shared
    }

    pub(super) async fn drops_rc(value: u8) -> u8 {
        drop(Rc::new(value));
        Yield::default().await;
        value
    }

    pub(super) async fn takes_cell(value: u8, cell: &Cell<u8>) {
        Yield::default().await;
        cell.set(value);
    }

    pub(super) async fn owns_cell(value: u8) -> u8 {
        let cell = Cell::new(value);
        Yield::default().await;
        cell.get()
    }

    pub(super) async fn generic<T: std::fmt::Debug>(value: u8, other: T) -> (u8, T) {
        Yield::default().await;
        (value, other)
    }

    pub(super) fn block(value: u8) -> impl Future<Output = u8> {
        async move { value }
    }

    pub(super) fn made(value: u8) -> impl Future<Output = u8> {
        std::future::ready(value)
    }

    pub(super) fn made_of_rc(value: u8) -> impl Future<Output = Rc<u8>> {
        std::future::ready(Rc::new(value))
    }

    pub(super) fn made_of_cell(value: u8) -> impl Future<Output = Cell<u8>> {
        std::future::ready(Cell::new(value))
    }

    pub(super) fn boxed(value: u8) -> BoxFuture<'static, u8> {
        Box::pin(std::future::ready(value))
    }

    pub(super) fn streamed(value: u8) -> impl Stream<Item = u8> {
        stream::iter([value])
    }

    pub(super) fn streamed_rc(value: u8) -> impl Stream<Item = Rc<u8>> {
        stream::iter([Rc::new(value)])
    }
}

macro_rules! same {
    ($($function:ident($($argument:expr),*) => $expected:expr;)*) => {$(
        // Checks the check itself.
        assert_eq!(traits_of!(undecorated::$function($($argument),*)), $expected, stringify!($function));
        assert_eq!(traits_of!(decorated::$function($($argument),*)), $expected, stringify!($function));
        assert_eq!(traits_of!(with_context::$function($($argument),*)), $expected, stringify!($function));
    )*};
}

#[test]
fn futures_and_streams_keep_send_sync_and_unpin() {
    #[allow(unused_imports, reason = "the traits are those of the answers `no`")]
    use ask::No;

    let cell = std::cell::Cell::new(0);
    same! {
        plain(1) => [true, true, false];
        fails(String::new()) => [true, true, false];
        takes_rc(1, std::rc::Rc::new(1)) => [false, false, false];
        holds_rc(1) => [false, false, false];
        drops_rc(1) => [true, true, false];
        takes_cell(1, &cell) => [false, false, false];
        owns_cell(1) => [true, false, false];
        generic(1, "x") => [true, true, false];
        generic(1, std::rc::Rc::new(1)) => [false, false, false];
        generic(1, std::cell::Cell::new(1)) => [true, false, false];
        block(1) => [true, true, false];
        made(1) => [true, true, true];
        made_of_rc(1) => [false, false, true];
        made_of_cell(1) => [true, false, true];
        boxed(1) => [true, false, true];
        streamed(1) => [true, true, true];
        streamed_rc(1) => [false, false, true];
    }
}

#[test]
fn a_generic_function_may_require_a_future_that_is_send() {
    fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> impl Future<Output = T> + Send {
        future
    }

    #[ctx_layer::with_observability]
    async fn inner<T: Clone + Send + Sync + 'static>(value: T) -> Result<T, std::io::Error> {
        ctx_tests::Yield::default().await;
        Ok(value.clone())
    }

    #[ctx_layer::with_observability]
    fn outer<T: Clone + Send + Sync + 'static>(value: T) -> impl Future<Output = Result<T, std::io::Error>> + Send {
        spawn(inner(value))
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(runtime.spawn(outer(3))).unwrap().unwrap(), 3);
}
