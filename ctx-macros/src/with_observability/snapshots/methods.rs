// #[with_observability(except (new), log_args = false, log_result = false, log_errors = false, skip (user))]
// impl Store<'_> {
//     const LIMIT: usize = 3;
//     pub fn new() -> Self {
//         Store
//     }
//     #[with_observability(name = "add")]
//     fn add(&mut self, user: User) {
//         self.0.push(user);
//     }
//     fn clear(&mut self) {
//         self.0.clear();
//     }
// }

impl Store<'_> {
    const LIMIT: usize = 3;
    pub fn new() -> Self {
        Store
    }
    fn add(&mut self, user: User) {
        let sites = {
            static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
                &__CTX_LAYER_SITES,
                ::ctx_layer::__private::place!(::core::module_path!()),
                ("add", ::ctx_layer::__private::Level::INFO, &[]),
                ::ctx_layer::__private::Event::NONE,
                ::ctx_layer::__private::Event::NONE,
                ::ctx_layer::__private::Event::NONE,
            );
            &__CTX_LAYER_SITES
        };
        let call = if sites.span.may_be_shown(::ctx_layer::__private::Level::INFO) {
            ::ctx_layer::__private::ObservedCall::open(sites, &[])
        } else {
            ::ctx_layer::__private::ObservedCall::without_span(sites)
        };
        let _inside = call.enter();
        let returned = call
            .run(move || -> () {
                self.0.push(user);
            });
        call.succeeded();
        return returned;
    }
    fn clear(&mut self) {
        let sites = {
            static __CTX_LAYER_SITES: ::ctx_layer::__private::Sites = ::ctx_layer::__private::Sites::new(
                &__CTX_LAYER_SITES,
                ::ctx_layer::__private::place!(::core::module_path!()),
                ("Store::clear", ::ctx_layer::__private::Level::INFO, &[]),
                ::ctx_layer::__private::Event::NONE,
                ::ctx_layer::__private::Event::NONE,
                ::ctx_layer::__private::Event::NONE,
            );
            &__CTX_LAYER_SITES
        };
        let call = if sites.span.may_be_shown(::ctx_layer::__private::Level::INFO) {
            ::ctx_layer::__private::ObservedCall::open(sites, &[])
        } else {
            ::ctx_layer::__private::ObservedCall::without_span(sites)
        };
        let _inside = call.enter();
        let returned = call
            .run(move || -> () {
                self.0.clear();
            });
        call.succeeded();
        return returned;
    }
}
