// #[with_observability]
// pub fn load(user_id: u64, name: &str) {
//     work(user_id, name);
// }

pub fn load(user_id: u64, name: &str) {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::call::Sites = ::ctx_layer::call::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::call::place!(::core::module_path!()),
            ("load", ::ctx_layer::call::Level::INFO, &[]),
            ::ctx_layer::call::Event::called(
                ::ctx_layer::call::Level::DEBUG,
                &["message", "user_id", "name"],
            ),
            ::ctx_layer::call::Event::returned(::ctx_layer::call::Level::DEBUG),
            ::ctx_layer::call::Event::failed(::ctx_layer::call::Level::ERROR),
        );
        &__CTX_LAYER_SITES
    };
    let mut call = if sites.span.may_be_shown(::ctx_layer::call::Level::INFO) {
        ::ctx_layer::call::ObservedCall::open(sites, &[])
    } else {
        ::ctx_layer::call::ObservedCall::without_span(sites)
    };
    if sites.returned.may_be_on(::ctx_layer::call::Level::DEBUG) {
        call.start_clock();
    }
    let _inside = call.enter();
    if sites.called.may_be_on(::ctx_layer::call::Level::DEBUG) {
        sites
            .called
            .emit(
                &[
                    ::core::option::Option::Some(&"called"),
                    ::core::option::Option::Some(&user_id),
                    ::core::option::Option::Some(&name),
                ],
            );
    }
    let returned = call
        .run(move || -> () {
            work(user_id, name);
        });
    #[allow(unreachable_code)]
    {
        use ::ctx_layer::call::forms::*;
        if call.may_log_result(::ctx_layer::call::Level::DEBUG) {
            call.returned(
                ::ctx_layer::call::value(
                    &(&&&&&&::ctx_layer::call::Returned(&returned)).show(),
                ),
            );
        } else {
            call.succeeded();
        }
        return returned;
    }
}
