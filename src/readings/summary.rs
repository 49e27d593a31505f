//! The kubelet's `/stats/summary`. Every number in it is optional.

use super::{Interface, Malformed};
use crate::units::Nanos;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The figures of a node's pods.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Pods whose figures could be read.
    pub pods: Vec<PodStats>,
    /// How many pods could not be read.
    pub unreadable: usize,
}

/// The figures of a pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PodStats {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// The pod's containers, including running init containers.
    pub containers: Vec<ContainerStats>,
    /// CPU of the pod's own control group, which survives restarts of containers.
    pub cpu: Option<Cpu>,
    /// Network of the pod, or of the node when the pod shares it.
    pub network: Option<Network>,
}

/// The figures of a container.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct ContainerStats {
    pub name: String,
    /// When it was started, to the second.
    #[serde(rename = "startTime", default, deserialize_with = "time")]
    pub start: Option<Nanos>,
    #[serde(default)]
    pub cpu: Option<Cpu>,
    #[serde(default)]
    pub memory: Option<Memory>,
    /// I/O, for its pressure.
    #[serde(default)]
    pub io: Option<Io>,
}

/// CPU figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Cpu {
    /// When it was measured, cut to the second.
    #[serde(default, deserialize_with = "time")]
    pub time: Option<Nanos>,
    /// CPU time used since the start, in nanoseconds.
    #[serde(rename = "usageCoreNanoSeconds", default)]
    pub usage: Option<u64>,
    /// Time in which some task waited for a CPU, in nanoseconds.
    #[serde(rename = "psi", default, deserialize_with = "some_total")]
    pub psi_some_total: Option<u64>,
}

/// Memory figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Memory {
    /// When it was measured, cut to the second.
    #[serde(default, deserialize_with = "time")]
    pub time: Option<Nanos>,
    /// Bytes of the working set: memory that the kernel cannot reclaim easily.
    #[serde(rename = "workingSetBytes", default)]
    pub working_set: Option<u64>,
    /// Bytes of anonymous memory.
    #[serde(rename = "rssBytes", default)]
    pub rss: Option<u64>,
    /// Time in which some task waited for memory, in nanoseconds.
    #[serde(rename = "psi", default, deserialize_with = "some_total")]
    pub psi_some_total: Option<u64>,
}

/// I/O figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Io {
    /// When it was measured, cut to the second.
    #[serde(default, deserialize_with = "time")]
    pub time: Option<Nanos>,
    /// Time in which some task waited for I/O, in nanoseconds.
    #[serde(rename = "psi", default, deserialize_with = "some_total")]
    pub psi_some_total: Option<u64>,
}

/// Network figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// When it was measured, cut to the second.
    pub time: Option<Nanos>,
    /// The interfaces, each once.
    pub interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
struct RawSummary {
    #[serde(default)]
    pods: Vec<Value>,
}

#[derive(Deserialize)]
struct RawPod {
    #[serde(rename = "podRef")]
    reference: Reference,
    #[serde(default)]
    containers: Option<Vec<ContainerStats>>,
    #[serde(default)]
    cpu: Option<Cpu>,
    #[serde(default)]
    network: Option<RawNetwork>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    namespace: String,
    #[serde(default)]
    uid: String,
}

/// The default interface is beside the list of all interfaces; older kubelets have no list.
#[derive(Deserialize)]
struct RawNetwork {
    #[serde(default, deserialize_with = "time")]
    time: Option<Nanos>,
    #[serde(flatten)]
    default: Interface,
    #[serde(default)]
    interfaces: Option<Vec<Interface>>,
}

/// Reads an answer. A pod that cannot be read is counted, and the others are read.
///
/// # Errors
/// [`Malformed`] when the bytes are not JSON, or not a summary.
pub fn parse_summary(bytes: &[u8]) -> Result<Summary, Malformed> {
    let raw: RawSummary =
        serde_json::from_slice(bytes).map_err(|error| Malformed(error.to_string()))?;
    let mut summary = Summary::default();
    for pod in raw.pods {
        match serde_json::from_value::<RawPod>(pod) {
            Ok(pod) => summary.pods.push(pod.into()),
            Err(_) => summary.unreadable += 1,
        }
    }
    Ok(summary)
}

impl From<RawPod> for PodStats {
    fn from(raw: RawPod) -> PodStats {
        PodStats {
            namespace: raw.reference.namespace,
            name: raw.reference.name,
            uid: raw.reference.uid,
            containers: raw.containers.unwrap_or_default(),
            cpu: raw.cpu,
            network: raw.network.map(Network::from),
        }
    }
}

impl From<RawNetwork> for Network {
    fn from(raw: RawNetwork) -> Network {
        let only = || vec![raw.default.clone()];
        Network {
            time: raw.time,
            interfaces: raw.interfaces.unwrap_or_else(only),
        }
    }
}

/// A time stamp; `None` also when it cannot be read.
pub(super) fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Nanos>, D::Error> {
    let value = Option::<Value>::deserialize(value)?;
    Ok(value.as_ref().and_then(Value::as_str).and_then(rfc3339))
}

fn rfc3339(text: &str) -> Option<Nanos> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok().map(Nanos)
}

/// `some.total` of a pressure block. The API's description says nanoseconds, but the kubelet hands on
/// the kernel's number, which counts microseconds, and cAdvisor's own metrics divide it by a million.
fn some_total<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<Value>::deserialize(value)?;
    let micros = value
        .as_ref()
        .and_then(|psi| psi.get("some")?.get("total")?.as_u64());
    Ok(micros.and_then(|micros| micros.checked_mul(1000)))
}
