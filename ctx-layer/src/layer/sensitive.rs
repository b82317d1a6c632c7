//! Fields that must not be shown in the clear.

use tracing_core::dispatcher;

use super::core::Core;
use crate::field::{Declaration, Sensitivity};

/// Returns `true` if a field's value must not be shown in the clear, by its declaration or by the schema of the current
/// subscriber.
pub(crate) fn is_sensitive(declaration: &'static Declaration) -> bool {
    let is_shown = |sensitivity| matches!(sensitivity, Sensitivity::Public);
    !is_shown(declaration.policy().sensitivity())
        || dispatcher::get_default(|default| {
            let core = default.downcast_ref::<Core>()?;
            let mut fields = core.augmentation.schema.fields();
            fields.find(|(known, _)| std::ptr::eq(*known, declaration)).map(|(_, policy)| policy.sensitivity())
        })
        .is_some_and(|sensitivity| !is_shown(sensitivity))
}
