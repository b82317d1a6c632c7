// #[with_observability(attributes_from_args = [user_id])]
// pub async fn load(user_id: u64) -> Result<Profile, Error> {
//     find(user_id).await
// }

pub async fn load(user_id: u64) -> Result<Profile, Error> {
    static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
        &__CTX_LAYER_SITES,
        ::ctx_layer::__private::place!(::core::module_path!()),
        ("load", ::ctx_layer::__private::Level::INFO, &["user_id"]),
        ::ctx_layer::__private::Event::called(
            ::ctx_layer::__private::Level::DEBUG,
            &["message", "user_id"],
        ),
        ::ctx_layer::__private::Event::returned(::ctx_layer::__private::Level::DEBUG),
        ::ctx_layer::__private::Event::failed(::ctx_layer::__private::Level::ERROR),
    );
    let sites = &__CTX_LAYER_SITES;
    let mut call = if sites.span.may_be_shown(::ctx_layer::__private::Level::INFO) {
        use ::ctx_layer::__private::forms::*;
        ::ctx_layer::__private::ObservedCall::open(
            sites,
            &[
                ::core::option::Option::Some(
                    ::ctx_layer::__private::value(
                        &(&&&&&&&::ctx_layer::__private::Best(&user_id)).show(),
                    ),
                ),
            ],
        )
    } else {
        ::ctx_layer::__private::ObservedCall::without_span(sites)
    };
    if sites.returned.may_be_on(::ctx_layer::__private::Level::DEBUG) {
        call.start_clock();
    }
    call.observe(
            async move {
                if __CTX_LAYER_SITES
                    .called
                    .may_be_on(::ctx_layer::__private::Level::DEBUG)
                {
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
        )
        .await
}
