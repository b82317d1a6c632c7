// #[with_observability(context = { tenant: TENANT_ID }, log_args = false, log_result = false, log_errors = false)]
// fn load(tenant: String) -> &'static str {
//     name_of(&tenant)
// }

fn load(tenant: String) -> &'static str {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::__private::place!(::core::module_path!()),
            ("load", ::ctx_layer::__private::Level::INFO, &[]),
            ::ctx_layer::__private::Event::NONE,
            ::ctx_layer::__private::Event::NONE,
            ::ctx_layer::__private::Event::NONE,
        );
        &__CTX_LAYER_SITES
    };
    let _scope = {
        use ::ctx_layer::__private::forms::*;
        (&&&&&&::ctx_layer::__private::SetField(&TENANT_ID, &tenant))
            .set(::ctx_layer::Fields::new())
    }
        .attach();
    let call = if sites.span.may_be_shown(::ctx_layer::__private::Level::INFO) {
        ::ctx_layer::__private::ObservedCall::open(sites, &[])
    } else {
        ::ctx_layer::__private::ObservedCall::without_span(sites)
    };
    let _inside = call.enter();
    let returned = call.run(move || -> &'static str { name_of(&tenant) });
    call.succeeded();
    return returned;
}
