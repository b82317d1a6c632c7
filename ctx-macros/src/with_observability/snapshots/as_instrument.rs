// #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, skip (db), err)]
// fn load(db: &Db, user_id: u64, filter: Filter) -> Result<Profile, Error> {
//     db.find(user_id, filter)
// }

fn load(db: &Db, user_id: u64, filter: Filter) -> Result<Profile, Error> {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::call::Sites = ::ctx_layer::call::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::call::place!(::core::module_path!()),
            ("load", ::ctx_layer::call::Level::INFO, &["user_id", "filter"]),
            ::ctx_layer::call::Event::NONE,
            ::ctx_layer::call::Event::NONE,
            ::ctx_layer::call::Event::only_failed(::ctx_layer::call::Level::ERROR),
        );
        &__CTX_LAYER_SITES
    };
    let call = if sites.span.may_be_shown(::ctx_layer::call::Level::INFO) {
        use ::ctx_layer::call::forms::*;
        ::ctx_layer::call::ObservedCall::open(
            sites,
            &[
                ::core::option::Option::Some(&user_id),
                ::core::option::Option::Some(
                    &(&&&::ctx_layer::call::Plain(&filter)).show(),
                ),
            ],
        )
    } else {
        ::ctx_layer::call::ObservedCall::without_span(sites)
    };
    let _inside = call.enter();
    let returned = call
        .run(move || -> Result<Profile, Error> { db.find(user_id, filter) });
    #[allow(unreachable_code)]
    {
        use ::ctx_layer::call::forms::*;
        match (&&::ctx_layer::call::Ended(&returned)).split() {
            ::core::result::Result::Ok(_) => {
                call.succeeded();
            }
            ::core::result::Result::Err(error) => {
                call.failed(
                    &(&&&&&&::ctx_layer::call::Failure(error)).form(),
                    ::ctx_layer::call::Log::Always(
                        ::core::option::Option::Some(
                            ::ctx_layer::call::value(&::ctx_layer::call::display(&error)),
                        ),
                    ),
                );
            }
        }
        return returned;
    }
}
