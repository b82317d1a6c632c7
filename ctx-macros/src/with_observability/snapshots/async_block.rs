// #[with_observability(log_args = false, log_result = false)]
// fn load(&self, user_id: u64) -> Pin<Box<dyn Future<Output = Profile> + Send + '_>> {
//     let found = self.find(user_id);
//     Box::pin(async move { found.await })
// }

fn load(&self, user_id: u64) -> Pin<Box<dyn Future<Output = Profile> + Send + '_>> {
    let found = self.find(user_id);
    ::std::boxed::Box::pin(async move {
        let sites = {
            static __CTX_LAYER_SITES: ::ctx_layer::call::Sites = ::ctx_layer::call::Sites::new(
                &__CTX_LAYER_SITES,
                ::ctx_layer::call::place!(::core::module_path!()),
                ("load", ::ctx_layer::call::Level::INFO, &[]),
                ::ctx_layer::call::Event::NONE,
                ::ctx_layer::call::Event::NONE,
                ::ctx_layer::call::Event::failed(::ctx_layer::call::Level::ERROR),
            );
            &__CTX_LAYER_SITES
        };
        let call = if sites.span.may_be_shown(::ctx_layer::call::Level::INFO) {
            ::ctx_layer::call::ObservedCall::open(sites, &[])
        } else {
            ::ctx_layer::call::ObservedCall::without_span(sites)
        };
        call.observe(
                async move {
                    #[allow(unreachable_code)]
                    if false {
                        let returned: Profile = loop {};
                        return returned;
                    }
                    found.await
                },
                |returned, ending| {
                    use ::ctx_layer::call::forms::*;
                    match (&&::ctx_layer::call::Ended(returned)).split() {
                        ::core::result::Result::Ok(_) => {
                            ending.succeeded();
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
    })
}
