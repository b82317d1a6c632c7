// #[with_observability(log_args = false)]
// fn load(&self, user_id: u64) -> impl Future<Output = Profile> + '_ {
//     self.find(user_id)
// }

fn load(&self, user_id: u64) -> impl Future<Output = Profile> + '_ {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::__private::place!(::core::module_path!()),
            ("load", ::ctx_layer::__private::Level::INFO, &[]),
            ::ctx_layer::__private::Event::NONE,
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
    let returned = {
        let _inside = call.enter();
        let returned = call.run(move || { self.find(user_id) });
        call.made(returned)
    };
    return call
        .into_observed(
            returned,
            |returned: &Profile, ending| {
                use ::ctx_layer::__private::forms::*;
                match (&&::ctx_layer::__private::Ended(returned)).split() {
                    ::core::result::Result::Ok(value) => {
                        if ending.may_log_result(::ctx_layer::__private::Level::DEBUG) {
                            ending
                                .returned(
                                    ::ctx_layer::__private::value(
                                        &(&&&&&&::ctx_layer::__private::Returned(value)).show(),
                                    ),
                                );
                        } else {
                            ending.succeeded();
                        }
                    }
                    ::core::result::Result::Err(error) => {
                        ending
                            .failed(
                                &(&&&&&&::ctx_layer::__private::Failure(error)).form(),
                                ::ctx_layer::__private::Log::Once(
                                    ::core::option::Option::None,
                                ),
                            );
                    }
                }
            },
        );
}
