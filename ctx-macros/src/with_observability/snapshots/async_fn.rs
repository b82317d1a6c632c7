// #[with_observability(attributes_from_args = [user_id])]
// pub async fn load(user_id: u64) -> Result<Profile, Error> {
//     find(user_id).await
// }

pub async fn load(user_id: u64) -> Result<Profile, Error> {
    static __CTX_LAYER_SITES: ::ctx_layer::call::Sites = ::ctx_layer::call::Sites::new(
        &__CTX_LAYER_SITES,
        ::ctx_layer::call::place!(::core::module_path!()),
        ("load", ::ctx_layer::call::Level::INFO, &["user_id"]),
        ::ctx_layer::call::Event::called(
            ::ctx_layer::call::Level::DEBUG,
            &["message", "user_id"],
        ),
        ::ctx_layer::call::Event::returned(::ctx_layer::call::Level::DEBUG),
        ::ctx_layer::call::Event::failed(::ctx_layer::call::Level::ERROR),
    );
    let sites = &__CTX_LAYER_SITES;
    let mut call = if sites.span.may_be_shown(::ctx_layer::call::Level::INFO) {
        use ::ctx_layer::call::forms::*;
        ::ctx_layer::call::ObservedCall::open(
            sites,
            &[
                ::core::option::Option::Some(
                    ::ctx_layer::call::value(
                        &(&&&&&&&::ctx_layer::call::Best(&user_id)).show(),
                    ),
                ),
            ],
        )
    } else {
        ::ctx_layer::call::ObservedCall::without_span(sites)
    };
    if sites.returned.may_be_on(::ctx_layer::call::Level::DEBUG) {
        call.start_clock();
    }
    call.observe(
            async move {
                if __CTX_LAYER_SITES.called.may_be_on(::ctx_layer::call::Level::DEBUG) {
                    __CTX_LAYER_SITES
                        .called
                        .emit(
                            &[
                                ::core::option::Option::Some(&"called"),
                                ::core::option::Option::Some(&user_id),
                            ],
                        );
                }
                #[allow(unreachable_code)]
                if false {
                    let returned: Result<Profile, Error> = loop {};
                    return returned;
                }
                find(user_id).await
            },
            |returned, ending| {
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
        )
        .await
}
