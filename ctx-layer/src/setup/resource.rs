//! The resource: the service and where it runs.

use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    Resource,
    resource::TelemetryResourceDetector,
    trace::{IdGenerator, RandomIdGenerator},
};

use super::settings::Settings;

/// The attributes of a pod, each with the variables that the downward API usually sets.
const POD: [(&str, [&str; 2]); 5] = [
    ("k8s.pod.name", ["K8S_POD_NAME", "POD_NAME"]),
    ("k8s.pod.uid", ["K8S_POD_UID", "POD_UID"]),
    ("k8s.namespace.name", ["K8S_NAMESPACE_NAME", "POD_NAMESPACE"]),
    ("k8s.node.name", ["K8S_NODE_NAME", "NODE_NAME"]),
    ("k8s.container.name", ["K8S_CONTAINER_NAME", "CONTAINER_NAME"]),
];

/// Is set in every pod.
const IN_KUBERNETES: &str = "KUBERNETES_SERVICE_HOST";

/// Returns the service's name: `service_name_override`, else `service.name` of the attributes, else the program's.
pub(crate) fn service_name<'a>(settings: &'a Settings, name: &'a str) -> &'a str {
    let it = &settings.observability;
    let attribute = it.resource_attributes.0.get("service.name").map(String::as_str);
    it.service_name_override.as_deref().or(attribute.filter(|name| !name.is_empty())).unwrap_or(name)
}

/// Creates the resource. Attributes of the settings win over those that are found.
pub(crate) fn resource(settings: &Settings, name: &str, version: Option<&str>) -> Resource {
    let name = service_name(settings, name).to_owned();
    let mut attributes: Vec<(&str, String)> = Vec::new();
    if settings.variables.contains_key(IN_KUBERNETES) {
        for (attribute, variables) in POD {
            let value = variables.into_iter().find_map(|name| settings.variables.get(name));
            attributes.extend(value.filter(|value| !value.is_empty()).map(|value| (attribute, value.clone())));
        }
    }
    let pod = attributes.iter().find(|(attribute, _)| *attribute == "k8s.pod.uid").map(|(_, uid)| uid.clone());
    attributes.push(("service.instance.id", pod.unwrap_or_else(instance_id)));
    attributes.extend(version.map(|version| ("service.version", version.to_owned())));
    let given = settings.observability.resource_attributes.0.iter();
    let attributes = attributes.into_iter().chain(given.map(|(name, value)| (name.as_str(), value.clone())));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(attributes.map(|(name, value)| KeyValue::new(name.to_owned(), value)))
        .with_attribute(KeyValue::new("service.name", name))
        .build()
}

/// Returns a random id of this process.
fn instance_id() -> String {
    let random = RandomIdGenerator::default().new_trace_id();
    uuid::Builder::from_random_bytes(random.to_bytes()).into_uuid().to_string()
}
