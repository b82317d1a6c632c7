//! The queue or topic of a message.

use std::borrow::Cow;

/// A string of a setting.
pub(super) type Name = Cow<'static, str>;

/// A queue or a topic, and the system that it is in.
///
/// ```
/// use ctx_layer::messaging::Destination;
///
/// let orders = Destination::new("rabbitmq", "orders").server("mq.internal.example", 5672);
/// assert_eq!(orders.name(), "orders");
///
/// // Many destinations, one name in traces and metrics.
/// let of_customer = Destination::new("mqtt", format!("customers/{}/orders", 7)).template("customers/{id}/orders");
/// # assert_eq!(of_customer.name(), "customers/7/orders");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub(super) system: Name,
    pub(super) name: Name,
    pub(super) template: Option<Name>,
    pub(super) is_temporary: bool,
    pub(super) is_anonymous: bool,
    pub(super) server: Option<Name>,
    pub(super) port: Option<u16>,
}

impl Destination {
    /// Creates a destination. `system` is the value of `messaging.system`: `rabbitmq`, `kafka`, `nats`, `redis`, `mqtt`,
    /// `aws_sqs`, `gcp_pubsub`, ...
    pub fn new(system: impl Into<Cow<'static, str>>, name: impl Into<Cow<'static, str>>) -> Self {
        Destination {
            system: system.into(),
            name: name.into(),
            template: None,
            is_temporary: false,
            is_anonymous: false,
            server: None,
            port: None,
        }
    }

    /// Sets the pattern of destinations whose names contain ids. It names spans, and is on metrics, which must have few values.
    pub fn template(mut self, template: impl Into<Cow<'static, str>>) -> Self {
        self.template = Some(template.into());
        self
    }

    /// Says that the destination may not exist any more after its messages are handled, such as a reply queue. Its name is neither
    /// in the names of spans nor on metrics.
    pub fn temporary(mut self) -> Self {
        self.is_temporary = true;
        self
    }

    /// Says that the destination's name is generated. It is neither in the names of spans nor on metrics.
    pub fn anonymous(mut self) -> Self {
        self.is_anonymous = true;
        self
    }

    /// Sets the host and the port of the broker.
    pub fn server(mut self, address: impl Into<Cow<'static, str>>, port: u16) -> Self {
        self.server = Some(address.into());
        self.port = Some(port);
        self
    }

    /// Returns the name of the queue or topic.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value of `messaging.system`.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Returns the name if there are few of its kind.
    pub(super) fn steady_name(&self) -> Option<&str> {
        let is_steady = !self.is_temporary && !self.is_anonymous && self.template.is_none() && !self.name.is_empty();
        is_steady.then_some(&*self.name)
    }

    /// Returns the name of a span by
    /// <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#span-name>.
    pub(super) fn span_name(&self, operation: &str) -> String {
        match self.template.as_deref().or_else(|| self.steady_name()) {
            Some(destination) => format!("{operation} {destination}"),
            None => operation.to_owned(),
        }
    }
}
