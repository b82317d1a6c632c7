//! OpenTelemetry's declarative configuration.

use super::{Settings, SettingsLoader, SettingsProblem};

/// Loads.
pub(crate) fn load(_: &SettingsLoader, _: &mut Settings, _: &mut Vec<SettingsProblem>) -> bool {
    false
}
