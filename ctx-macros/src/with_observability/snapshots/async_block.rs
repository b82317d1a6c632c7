// #[with_observability(log_args = false, log_result = false)]
// fn load(&self, user_id: u64) -> Pin<Box<dyn Future<Output = Profile> + Send + '_>> {
//     let found = self.find(user_id);
//     Box::pin(async move { found.await })
// }

fn load(&self, user_id: u64) -> Pin<Box<dyn Future<Output = Profile> + Send + '_>> {
    let found = self.find(user_id);
    ::std::boxed::Box::pin(async move {
        let sites = {
            static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
                &__CTX_LAYER_SITES,
                ::ctx_layer::__private::place!(::core::module_path!()),
                ("load", ::ctx_layer::__private::Level::INFO, &[]),
                ::ctx_layer::__private::Event::NONE,
                ::ctx_layer::__private::Event::NONE,
                ::ctx_layer::__private::Event::failed(
                    ::ctx_layer::__private::Level::ERROR,
                ),
            );
            &__CTX_LAYER_SITES
        };
        let call = if sites.span.may_be_shown(::ctx_layer::__private::Level::INFO) {
            ::ctx_layer::__private::ObservedCall::open(sites, &[])
        } else {
            ::ctx_layer::__private::ObservedCall::without_span(sites)
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
                    use ::ctx_layer::__private::forms::*;
                    match (&&::ctx_layer::__private::Ended(returned)).split() {
                        ::core::result::Result::Ok(_) => {
                            ending.succeeded();
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
    })
}
