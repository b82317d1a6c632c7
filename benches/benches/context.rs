//! Reading and setting values, beside the same done with the OpenTelemetry context alone.
//!
//! Repeat with `cargo bench -p ctx-benches --bench context`.
//!
//! Figures: 2-core VM (Intel Xeon), Linux, rustc 1.95.0, nothing else running.
//!
//! | median, ns | OpenTelemetry | ours |
//! |---|--:|--:|
//! | read one string (and copy it) | 27 | 34; not set 7 |
//! | read all | 11 | 18 |
//! | set one for a scope | 104 | 203; besides four others 295 |
//! | set five for a scope | 148 | 311; one by one 1395 |
//! | set five for a scope, built before | 30, the context | 149, the values |
//! | poll a future with one, with five | 33, built before | 158, 157 |
//!
//! Creating a context with a value is three allocations: 75 ns of every call that sets one.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context as TaskContext, Poll, Waker},
};

use ctx_benches::request::{REQUEST, fields};
use ctx_layer::{
    Fields, FutureFieldsExt,
    field::well_known::{LOCALE, REQUEST_ID, ROLE, TENANT_ID, USER_ID},
};
use divan::Bencher;
use opentelemetry::{Context, context::FutureExt};

fn main() {
    // Divan would derive the sample size from the first call, which is slow: it registers the call site.
    divan::Divan::default().sample_count(200).sample_size(500).config_with_args().main();
}

/// A value as a program would put it into the OpenTelemetry context by hand.
#[derive(Clone)]
struct Tenant(String);

fn with_tenant() -> Context {
    Context::current_with_value(Tenant(REQUEST.tenant.clone()))
}

mod read {
    use super::*;

    #[divan::bench]
    fn a_opentelemetry_one(bencher: Bencher<'_, '_>) {
        let _guard = with_tenant().attach();
        bencher.bench_local(|| Context::map_current(|cx| cx.get::<Tenant>().map(|tenant| tenant.0.clone())));
    }

    #[divan::bench]
    fn b_ours_one(bencher: Bencher<'_, '_>) {
        let _guard = fields().attach();
        bencher.bench_local(|| TENANT_ID.get());
    }

    #[divan::bench]
    fn c_ours_one_not_set(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| TENANT_ID.get());
    }

    #[divan::bench]
    fn d_opentelemetry_all(bencher: Bencher<'_, '_>) {
        let _guard = with_tenant().attach();
        bencher.bench_local(Context::current);
    }

    #[divan::bench]
    fn e_ours_all(bencher: Bencher<'_, '_>) {
        let _guard = fields().attach();
        bencher.bench_local(Fields::current);
    }
}

mod set_for_a_scope {
    use super::*;

    #[divan::bench]
    fn a_opentelemetry_one(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| drop(with_tenant().attach()));
    }

    #[divan::bench]
    fn b_ours_one(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| drop(TENANT_ID.attach(REQUEST.tenant.as_str())));
    }

    #[divan::bench]
    fn c_ours_one_besides_four(bencher: Bencher<'_, '_>) {
        let _guard = fields().without(&TENANT_ID).attach();
        bencher.bench_local(|| drop(TENANT_ID.attach(REQUEST.tenant.as_str())));
    }

    #[divan::bench]
    fn d_opentelemetry_five_in_one_value(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| drop(Context::current_with_value(REQUEST.clone()).attach()));
    }

    #[divan::bench]
    fn e_ours_five(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| drop(fields().attach()));
    }

    #[divan::bench]
    fn f_ours_five_one_by_one(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| {
            let request = &*REQUEST;
            let tenant = TENANT_ID.attach(request.tenant.as_str());
            let user = USER_ID.attach(request.user.as_str());
            let id = REQUEST_ID.attach(request.id.as_str());
            let role = ROLE.attach(request.role.as_str());
            let locale = LOCALE.attach(request.locale.as_str());
            drop((locale, role, id, user, tenant));
        });
    }

    #[divan::bench]
    fn g_opentelemetry_made_before(bencher: Bencher<'_, '_>) {
        let cx = with_tenant();
        bencher.bench_local(|| drop(cx.clone().attach()));
    }

    #[divan::bench]
    fn h_ours_made_before(bencher: Bencher<'_, '_>) {
        let fields = fields();
        bencher.bench_local(|| drop(fields.clone().attach()));
    }
}

/// Polls a future that is never ready once.
mod set_for_a_future {
    use super::*;

    fn polled(bencher: Bencher<'_, '_>, future: impl Future<Output = ()>) {
        let mut future = pin!(future);
        let mut task = TaskContext::from_waker(Waker::noop());
        bencher.bench_local(|| future.as_mut().poll(&mut task));
    }

    #[divan::bench]
    fn a_opentelemetry(bencher: Bencher<'_, '_>) {
        polled(bencher, poll_fn(|_| Poll::Pending).with_context(with_tenant()));
    }

    #[divan::bench]
    fn b_ours_one(bencher: Bencher<'_, '_>) {
        polled(bencher, poll_fn(|_| Poll::Pending).with_field(&TENANT_ID, REQUEST.tenant.as_str()));
    }

    #[divan::bench]
    fn c_ours_five(bencher: Bencher<'_, '_>) {
        polled(bencher, poll_fn(|_| Poll::Pending).with_fields(fields()));
    }
}
