// #[with_observability(context = { tenant: TENANT_ID }, log_args = false, log_result = false, log_errors = false)]
// fn load(tenant: String) -> &'static str {
//     name_of(&tenant)
// }

fn load(tenant: String) -> &'static str {
    let sites = {
        static __CTX_LAYER_SITES: ::ctx_layer::call::Sites = ::ctx_layer::call::Sites::new(
            &__CTX_LAYER_SITES,
            ::ctx_layer::call::place!(::core::module_path!()),
            ("load", ::ctx_layer::call::Level::INFO, &[]),
            ::ctx_layer::call::Event::NONE,
            ::ctx_layer::call::Event::NONE,
            ::ctx_layer::call::Event::NONE,
        );
        &__CTX_LAYER_SITES
    };
    let _scope = {
        use ::ctx_layer::call::forms::*;
        (&&&&&&::ctx_layer::call::SetField(&TENANT_ID, &tenant))
            .set(::ctx_layer::Fields::new())
    }
        .attach();
    let call = if sites.span.may_be_shown(::ctx_layer::call::Level::INFO) {
        ::ctx_layer::call::ObservedCall::open(sites, &[])
    } else {
        ::ctx_layer::call::ObservedCall::without_span(sites)
    };
    let _inside = call.enter();
    let returned = call.run(move || -> &'static str { name_of(&tenant) });
    call.succeeded();
    return returned;
}
