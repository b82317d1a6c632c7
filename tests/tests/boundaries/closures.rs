//! Closures of every kind.

use ctx_layer::{field::well_known::*, task::in_current_context};

#[test]
fn a_wrapped_closure_is_callable_as_often_as_without_the_wrapper() {
    fn once<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
    fn often(mut f: impl FnMut(&str) -> usize) -> usize {
        f("a") + f("bb")
    }
    fn shared(f: impl Fn(u32, u32) -> u32 + Send + Sync) -> u32 {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| f(1, 1))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    }
    let _guard = TENANT_ID.attach("acme");
    let tenant = || TENANT_ID.get().expect("it is carried").len();

    let owned = vec![1];
    assert_eq!(once(in_current_context!(move || owned)), [1]);
    let owned = vec![1];
    assert_eq!(once(in_current_context(move || owned)), [1]);
    let mut count = 0;
    assert_eq!(
        often(in_current_context!(move |text| {
            count += tenant();
            count + text.len()
        })),
        15
    );
    assert_eq!(shared(in_current_context!(move |one, other| one + other + tenant() as u32)), 24);
    assert_eq!(
        once(in_current_context!(move || -> Option<usize> {
            let none: Option<usize> = None;
            Some(none? + 1)
        })),
        None
    );
    assert_eq!([(1, 2)].map(in_current_context!(move |(a, b): (i32, i32)| -> i32 { a + b })), [3]);
    let mut sum = 0;
    let total = &mut sum;
    (1..4).for_each(in_current_context!(move |n| *total += n));
    assert_eq!(sum, 6);
    let double = in_current_context!(move |n: usize| n * 2 + tenant());
    assert_eq!((double(1), double(2)), (6, 8));
}

#[test]
fn a_closure_captures_where_it_is_wrapped_and_not_where_it_is_called() {
    let (once, any) = TENANT_ID
        .in_scope("acme", || (in_current_context(|| TENANT_ID.get()), in_current_context!(move || TENANT_ID.get())));
    TENANT_ID.in_scope("globex", || {
        let seen = [once(), any(), any()];
        assert!(seen.iter().all(|tenant| tenant.as_deref() == Some("acme")), "{seen:?}");
        assert_eq!(TENANT_ID.get().as_deref(), Some("globex"));
    });
}
