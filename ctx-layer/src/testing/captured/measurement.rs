use super::{
    field_name::FieldName,
    value::{Fields, Value, find},
};

/// One measurement of an instrument of OpenTelemetry's metrics, before any aggregation.
#[derive(Clone, Debug)]
pub struct Measurement {
    pub(in crate::testing) instrument: String,
    pub(in crate::testing) unit: String,
    pub(in crate::testing) value: Value,
    pub(in crate::testing) attributes: Fields,
}

impl Measurement {
    /// Returns the name of the instrument.
    pub fn instrument(&self) -> &str {
        &self.instrument
    }

    /// Returns the unit of the instrument. Empty if it has none.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Returns the measured value, with its type.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the value of an attribute, or `None` if the measurement does not have it.
    pub fn field(&self, name: impl FieldName) -> Option<&Value> {
        find(&self.attributes, name.as_name())
    }

    /// Returns all attributes in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value))
    }
}
