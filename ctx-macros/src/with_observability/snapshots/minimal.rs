// #[with_observability]
// pub fn load(user_id: u64, name: &str) {
//     work(user_id, name);
// }

pub fn load(user_id: u64, name: &str) {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::__private::place!(::core::module_path!()),
            ("load", ::ctx_layer::__private::Level::INFO, &[]),
            ::ctx_layer::__private::Event::called(
                ::ctx_layer::__private::Level::DEBUG,
                &["message", "user_id", "name"],
            ),
            ::ctx_layer::__private::Event::returned(
                ::ctx_layer::__private::Level::DEBUG,
            ),
            ::ctx_layer::__private::Event::failed(::ctx_layer::__private::Level::ERROR),
        );
        &__CTX_LAYER_SITES
    };
    let mut call = if sites.span.may_be_shown(::ctx_layer::__private::Level::INFO) {
        ::ctx_layer::__private::ObservedCall::open(sites, &[])
    } else {
        ::ctx_layer::__private::ObservedCall::without_span(sites)
    };
    if sites.returned.may_be_on(::ctx_layer::__private::Level::DEBUG) {
        call.start_clock();
    }
    let _inside = call.enter();
    if sites.called.may_be_on(::ctx_layer::__private::Level::DEBUG) {
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
        use ::ctx_layer::__private::forms::*;
        if call.may_log_result(::ctx_layer::__private::Level::DEBUG) {
            call.returned(
                ::ctx_layer::__private::value(
                    &(&&&&&&::ctx_layer::__private::Returned(&returned)).show(),
                ),
            );
        } else {
            call.succeeded();
        }
        return returned;
    }
}
