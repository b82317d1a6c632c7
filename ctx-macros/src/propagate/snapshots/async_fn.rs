// #[propagate]
// pub async fn worker(
//     &self,
//     mut id: u64,
//     Pair { left, .. }: Pair,
//     _: Permit,
// ) -> Result<(), Error> {
//     id += left;
//     work(id).await
// }

pub fn worker(
    &self,
    id: u64,
    __argument_2: Pair,
    __argument_3: Permit,
) -> impl ::core::future::Future<Output = Result<(), Error>> {
    let snapshot = ::ctx_layer::task::Snapshot::capture();
    ::ctx_layer::task::InContextExt::in_context(
        async move {
            let mut id = id;
            let __argument_2 = __argument_2;
            let Pair { left, .. } = __argument_2;
            let __argument_3 = __argument_3;
            #[allow(unreachable_code)]
            if false {
                let returned: Result<(), Error> = loop {};
                return returned;
            }
            {
                id += left;
                work(id).await
            }
        },
        snapshot,
    )
}
