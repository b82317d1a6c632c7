// #[with_observability(kind = server, attributes_from_args = { user_id: "user.id", order . items . len (): "order.items", ? order: "order" }, static_attributes = { "component": "profile" })]
// fn load(&self, user_id: u64, order: Order, password: &str) -> Result<Profile, Error> {
//     let profile = self.find(user_id)?;
//     Ok(profile.with(order, password))
// }

fn load(&self, user_id: u64, order: Order, password: &str) -> Result<Profile, Error> {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::__private::place!(::core::module_path!()),
            (
                "load",
                ::ctx_layer::__private::Level::INFO,
                &["user.id", "order.items", "order", "component", "otel.kind"],
            ),
            ::ctx_layer::__private::Event::called(
                ::ctx_layer::__private::Level::DEBUG,
                &["message", "user_id", "order", "password"],
            ),
            ::ctx_layer::__private::Event::returned(
                ::ctx_layer::__private::Level::DEBUG,
            ),
            ::ctx_layer::__private::Event::failed(::ctx_layer::__private::Level::ERROR),
        );
        &__CTX_LAYER_SITES
    };
    let mut call = if sites.opens_span(::ctx_layer::__private::Level::INFO) {
        use ::ctx_layer::__private::forms::*;
        ::ctx_layer::__private::ObservedCall::open(
            sites,
            &[
                ::core::option::Option::Some(
                    ::ctx_layer::__private::value(
                        &(&&&&&&&::ctx_layer::__private::Best(&user_id)).show(),
                    ),
                ),
                ::core::option::Option::Some(
                    ::ctx_layer::__private::value(
                        &(&&&&&&&::ctx_layer::__private::Best(&order.items.len())).show(),
                    ),
                ),
                ::core::option::Option::Some(
                    &(&&::ctx_layer::__private::Asked(&order)).debugged(),
                ),
                ::core::option::Option::Some(&"profile"),
                ::core::option::Option::Some(&"server"),
            ],
        )
    } else {
        ::ctx_layer::__private::ObservedCall::without_span(sites)
    };
    if sites.returned.may_be_on(::ctx_layer::__private::Level::DEBUG) {
        call.start_clock();
    }
    let _inside = call.enter();
    if sites.called.may_be_on(::ctx_layer::__private::Level::DEBUG) {
        use ::ctx_layer::__private::forms::*;
        sites
            .called
            .emit(
                &[
                    ::core::option::Option::Some(&"called"),
                    ::core::option::Option::Some(&user_id),
                    ::core::option::Option::Some(
                        ::ctx_layer::__private::value(
                            &(&&&&&&&::ctx_layer::__private::Best(&order)).show(),
                        ),
                    ),
                    ::core::option::Option::Some(&::ctx_layer::__private::REDACTED),
                ],
            );
    }
    let returned = call
        .run(move || -> Result<Profile, Error> {
            let profile = self.find(user_id)?;
            Ok(profile.with(order, password))
        });
    #[allow(unreachable_code)]
    {
        use ::ctx_layer::__private::forms::*;
        match (&&::ctx_layer::__private::Ended(&returned)).split() {
            ::core::result::Result::Ok(value) => {
                if call.may_log_result(::ctx_layer::__private::Level::DEBUG) {
                    call.returned(
                        ::ctx_layer::__private::value(
                            &(&&&&&&::ctx_layer::__private::Returned(value)).show(),
                        ),
                    );
                } else {
                    call.succeeded();
                }
            }
            ::core::result::Result::Err(error) => {
                call.failed(
                    &(&&&&&&::ctx_layer::__private::Failure(error)).form(),
                    ::ctx_layer::__private::Log::Once(::core::option::Option::None),
                );
            }
        }
        return returned;
    }
}
