//! `crate`

use crate::setup::with_and_without_context;

/// A re-export, as in a company's own crate.
mod facade {
    pub(crate) mod telemetry {
        pub(crate) use ctx_layer::*;
    }
    pub(crate) use ::ctx_layer as observability;
}

mod user {
    // A path that does not exist.
    #[allow(unused, reason = "it shadows the crate")]
    mod ctx_layer {}

    use super::facade::observability::{field::well_known::TENANT_ID, with_observability};
    use futures_util::{Stream, stream};

    #[with_observability(crate = crate::crate_path::facade::telemetry, attributes_from_args = [value])]
    pub(super) fn by_module(value: u8) -> Result<u8, String> {
        Ok(value)
    }

    #[with_observability(crate = super::facade::observability, context = { value: TENANT_ID })]
    pub(super) async fn by_relative_path(value: &str) -> Option<u8> {
        value.parse().ok()
    }

    #[with_observability(crate = "crate::crate_path::facade::observability")]
    pub(super) fn by_text() -> impl Stream<Item = u8> {
        stream::iter([1])
    }

    pub(super) struct Methods;

    #[with_observability(crate = crate::crate_path::facade::observability)]
    impl Methods {
        pub(super) fn method(&self) -> Result<(), std::fmt::Error> {
            Err(std::fmt::Error)
        }
    }
}

#[test]
fn the_path_may_be_that_of_a_re_export() {
    use futures_util::StreamExt;
    with_and_without_context(|out| {
        assert_eq!(out.run(|| user::by_module(3)), Ok(3));
        assert_eq!(out.block_on(user::by_relative_path("4")), Some(4));
        assert_eq!(out.block_on(async { user::by_text().collect::<Vec<_>>().await }), [1]);
        assert!(out.run(|| user::Methods.method()).is_err());
        let names: Vec<_> = out.spans().iter().map(|span| span.name.to_string()).collect();
        assert_eq!(names, ["by_module", "by_relative_path", "by_text", "Methods::method"]);
    });
}
