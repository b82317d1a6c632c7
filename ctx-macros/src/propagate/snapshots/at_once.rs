// #[propagate(from = message . headers (), trust = internal, context = { tenant: TENANT_ID, user . id (): USER_ID }, into = out)]
// fn handle(message: &Message, tenant: &str, user: &User, out: &mut Headers) {
//     work(message);
// }

fn handle(message: &Message, tenant: &str, user: &User, out: &mut Headers) {
    let __ctx_layer_restored = {
        use ::ctx_layer::__private::forms::*;
        (&&&&&::ctx_layer::__private::Restore(&message.headers()))
            .snapshot(::ctx_layer::propagation::Trust::internal())
    };
    let __ctx_layer_restored = {
        let fields = {
            use ::ctx_layer::__private::forms::*;
            let fields = ::ctx_layer::Fields::new();
            let fields = (&&&&&&::ctx_layer::__private::SetField(&TENANT_ID, &tenant))
                .set(fields);
            let fields = (&&&&&&::ctx_layer::__private::SetField(&USER_ID, &user.id()))
                .set(fields);
            fields
        };
        __ctx_layer_restored.with_fields(fields)
    };
    let _guard = __ctx_layer_restored.enter();
    {
        use ::ctx_layer::__private::forms::*;
        out.inject_here()
    }
    work(message);
}
