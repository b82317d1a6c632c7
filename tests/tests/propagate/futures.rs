//! The future is the same as without the attribute: it is `Send` where it was, as large, and drops the same values.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Mutex},
};

use ctx_layer::{field::well_known::TENANT_ID, propagate};
use ctx_tests::block_on;

macro_rules! is {
    ($name:ident, $bound:path) => {
        /// Checks whether a value has a trait: an inherent method is found before the method of a trait.
        macro_rules! $name {
            ($value:expr) => {{
                struct Is<T>(T);
                #[allow(dead_code)]
                trait Not {
                    fn it(&self) -> bool {
                        false
                    }
                }
                impl<T> Not for &Is<T> {}
                #[allow(dead_code)]
                impl<T: $bound> Is<T> {
                    fn it(&self) -> bool {
                        let _ = &self.0;
                        true
                    }
                }
                (&Is($value)).it()
            }};
        }
    };
}

is!(is_send, Send);
is!(is_sync, Sync);
is!(is_unpin, Unpin);

#[propagate]
async fn sends(text: &str, shared: Arc<u8>) -> usize {
    tokio::task::yield_now().await;
    text.len() + usize::from(*shared)
}

#[propagate]
async fn holds(cell: &Cell<u8>) -> u8 {
    tokio::task::yield_now().await;
    cell.get()
}

#[propagate]
async fn makes_one_inside() -> u8 {
    let one = Rc::new(1);
    tokio::task::yield_now().await;
    *one
}

#[propagate]
async fn does_not_hold_it() -> u8 {
    let one = *Rc::new(1);
    tokio::task::yield_now().await;
    one
}

#[propagate(context = { name: TENANT_ID })]
async fn gives_one(name: &str) -> Rc<u8> {
    let _ = name;
    Rc::new(1)
}

#[propagate]
async fn generic<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

async fn bare<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

#[test]
fn the_future_is_send_and_sync_where_it_was() {
    let cell = Cell::new(1);
    assert!(is_send!(sends("", Arc::new(1))) && is_sync!(sends("", Arc::new(1))));
    assert!(!is_send!(holds(&cell)));
    assert!(!is_send!(makes_one_inside()));
    assert!(is_send!(does_not_hold_it()));
    assert!(is_send!(gives_one("")));
    assert!(is_send!(generic(1)) && !is_send!(generic(Rc::new(1))));
    assert!(is_sync!(generic(1)) && !is_sync!(generic(Cell::new(1))));
    assert!(!is_unpin!(generic(1)));
}

#[test]
fn the_future_is_larger_only_by_the_captured_context() {
    let over = size_of_val(&generic([0u8; 1024])) - size_of_val(&bare([0u8; 1024]));
    let snapshot = size_of::<ctx_layer::task::Snapshot>();
    assert!(over <= snapshot + 2 * size_of::<usize>(), "{over} over, for a snapshot of {snapshot}");
}

type Note = (&'static str, Option<String>);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Note>>>);

impl Log {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push((what, TENANT_ID.get().map(String::from)));
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(|(name, _)| *name).collect()
    }
}

struct Noted(&'static str, Log);

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.note(self.0);
    }
}

macro_rules! services {
    ($($attribute:meta)?) => {
        impl Service {
            $(#[$attribute])?
            pub(super) async fn shared(self: Arc<Self>) {
                tokio::task::yield_now().await;
            }

            $(#[$attribute])?
            pub(super) async fn boxed(self: Box<Self>, _first: Noted, second: Noted, _: Noted, (_, _fourth): (Noted, Noted)) {
                let inside = Noted("inside", second.1.clone());
                tokio::task::yield_now().await;
                self.0.1.note("body");
                drop(inside);
            }

            $(#[$attribute])?
            pub(super) async fn owned(mut self, early: bool, first: Noted) -> u8 {
                let _ = &first;
                if early {
                    return 1;
                }
                let name = &mut self.0.0;
                *name = "changed";
                tokio::task::yield_now().await;
                2
            }
        }
    };
}

mod plain {
    use super::*;
    pub(super) struct Service(pub(super) Noted);
    services!();
}

mod propagated {
    use super::*;
    pub(super) struct Service(pub(super) Noted);
    services!(propagate);
}

macro_rules! dropped {
    ($service:path) => {{
        use $service as Service;
        let log = Log::default();
        let noted = |name| Noted(name, log.clone());
        let service = || Service(noted("self"));
        TENANT_ID.in_scope("acme", || {
            let future = Arc::new(service()).shared();
            log.note("called");
            block_on(future);
            let arguments = (noted("first"), noted("second"), noted("third"), (noted("rest"), noted("fourth")));
            let future = Box::new(service()).boxed(arguments.0, arguments.1, arguments.2, arguments.3);
            log.note("called");
            block_on(future);
            block_on(service().owned(true, noted("first")));
            block_on(service().owned(false, noted("first")));
            drop(service().owned(false, noted("never polled")));
        });
        log
    }};
}

#[test]
fn arguments_are_dropped_at_the_same_time_and_in_the_same_order() {
    let (plain, propagated) = (dropped!(plain::Service), dropped!(propagated::Service));
    assert_eq!(plain.names(), propagated.names());
    for (name, tenant) in propagated.0.lock().unwrap().iter() {
        assert_eq!(tenant.as_deref(), Some("acme"), "{name}");
    }
}

#[test]
fn the_function_may_call_itself_in_a_box() {
    #[propagate]
    async fn factorial(number: u64) -> u64 {
        if number == 0 { 1 } else { Box::pin(factorial(number - 1)).await * number }
    }

    assert_eq!(block_on(factorial(10)), 3_628_800);
}

#[test]
fn the_future_may_never_end() {
    #[propagate]
    async fn forever(mut left: u8) -> ! {
        loop {
            left = left.checked_sub(1).expect("enough");
            tokio::task::yield_now().await;
        }
    }

    let failed = std::panic::catch_unwind(|| block_on(forever(3)));
    assert!(failed.is_err());
}
