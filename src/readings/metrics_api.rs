//! metrics-server's list of pods: use that is averaged over a window of its own.

use super::summary::time;
use super::{Malformed, parse_quantity};
use crate::units::Nanos;
use serde::Deserialize;

/// The use of a container, averaged over metrics-server's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerMetrics {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// End of the window; nanoseconds since 1970.
    pub time: Option<Nanos>,
    /// CPU use in billionths of a core.
    pub cpu_nanocores: Option<u64>,
    /// Working set in bytes.
    pub memory_bytes: Option<u64>,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Meta,
    #[serde(default, deserialize_with = "time")]
    timestamp: Option<Nanos>,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
    namespace: String,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize, Default)]
struct Usage {
    cpu: Option<String>,
    memory: Option<String>,
}

/// Reads an answer of `/apis/metrics.k8s.io/v1beta1/pods`.
///
/// # Errors
/// [`Malformed`] when the bytes are not such a list.
pub fn parse_pod_metrics(bytes: &[u8]) -> Result<Vec<ContainerMetrics>, Malformed> {
    let list: List = serde_json::from_slice(bytes).map_err(|error| Malformed(error.to_string()))?;
    let mut metrics = Vec::new();
    for item in list.items {
        for container in item.containers {
            metrics.push(ContainerMetrics {
                namespace: item.metadata.namespace.clone(),
                pod: item.metadata.name.clone(),
                container: container.name,
                time: item.timestamp,
                cpu_nanocores: amount(container.usage.cpu.as_deref(), 1e9),
                memory_bytes: amount(container.usage.memory.as_deref(), 1.0),
            });
        }
    }
    Ok(metrics)
}

fn amount(text: Option<&str>, factor: f64) -> Option<u64> {
    let value = parse_quantity(text?)? * factor;
    (value >= 0.0 && value < u64::MAX as f64).then_some(value.round() as u64)
}
