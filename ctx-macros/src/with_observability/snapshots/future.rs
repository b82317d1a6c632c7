// #[with_observability(log_args = false)]
// fn load(&self, user_id: u64) -> impl Future<Output = Profile> + '_ {
//     self.find(user_id)
// }

fn load(&self, user_id: u64) -> impl Future<Output = Profile> + '_ {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::call::Sites = ::ctx_layer::call::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::call::place!(::core::module_path!()),
            ("load", ::ctx_layer::call::Level::INFO, &[]),
            ::ctx_layer::call::Event::NONE,
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
    let returned = {
        let _inside = call.enter();
        let returned = call.run(move || { self.find(user_id) });
        call.made(returned)
    };
    return call
        .into_observed(
            returned,
            |returned: &Profile, ending| {
                use ::ctx_layer::call::forms::*;
                match (&&::ctx_layer::call::Ended(returned)).split() {
                    ::core::result::Result::Ok(value) => {
                        if ending.may_log_result(::ctx_layer::call::Level::DEBUG) {
                            ending
                                .returned(
                                    ::ctx_layer::call::value(
                                        &(&&&&&&::ctx_layer::call::Returned(value)).show(),
                                    ),
                                );
                        } else {
                            ending.succeeded();
                        }
                    }
                    ::core::result::Result::Err(error) => {
                        ending
                            .failed(
                                &(&&&&&&::ctx_layer::call::Failure(error)).form(),
                                ::ctx_layer::call::Log::Once(::core::option::Option::None),
                            );
                    }
                }
            },
        );
}
