// #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, skip (db), err)]
// fn load(db: &Db, user_id: u64, filter: Filter) -> Result<Profile, Error> {
//     db.find(user_id, filter)
// }

fn load(db: &Db, user_id: u64, filter: Filter) -> Result<Profile, Error> {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::__private::place!(::core::module_path!()),
            ("load", ::ctx_layer::__private::Level::INFO, &["user_id", "filter"]),
            ::ctx_layer::__private::Event::NONE,
            ::ctx_layer::__private::Event::NONE,
            ::ctx_layer::__private::Event::only_failed(
                ::ctx_layer::__private::Level::ERROR,
            ),
        );
        &__CTX_LAYER_SITES
    };
    let call = if sites.span.may_be_shown(::ctx_layer::__private::Level::INFO) {
        use ::ctx_layer::__private::forms::*;
        ::ctx_layer::__private::ObservedCall::open(
            sites,
            &[
                ::core::option::Option::Some(&user_id),
                ::core::option::Option::Some(
                    &(&&&::ctx_layer::__private::Plain(&filter)).show(),
                ),
            ],
        )
    } else {
        ::ctx_layer::__private::ObservedCall::without_span(sites)
    };
    let _inside = call.enter();
    let returned = call
        .run(move || -> Result<Profile, Error> { db.find(user_id, filter) });
    #[allow(unreachable_code)]
    {
        use ::ctx_layer::__private::forms::*;
        match (&&::ctx_layer::__private::Ended(&returned)).split() {
            ::core::result::Result::Ok(_) => {
                call.succeeded();
            }
            ::core::result::Result::Err(error) => {
                call.failed(
                    &(&&&&&&::ctx_layer::__private::Failure(error)).form(),
                    ::ctx_layer::__private::Log::Always(
                        ::core::option::Option::Some(
                            ::ctx_layer::__private::value(
                                &::ctx_layer::__private::display(&error),
                            ),
                        ),
                    ),
                );
            }
        }
        return returned;
    }
}
