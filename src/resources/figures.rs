//! The figures of a collection, of containers, pods and categories of pods, and how far each figure can be
//! trusted.

use super::{Category, ClockOffset, NotKnown, Quantity, Role, Source, Span, Topology, Unit};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a figure can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Nothing speaks against the figure.
    Good,
    /// Samples cover less than half of the time in which the pod existed in the window.
    LowCoverage,
    /// The counter was reset in the window. The figure lacks the use between the last sample before the
    /// reset and the first one after it.
    Restarted,
    /// The source averaged the figure over a window of unknown length.
    Smoothed,
    /// The pod uses its node's network, so the figure is that of the node.
    HostNetwork,
    /// The container is known not to have run. The figure is 0, without a sample.
    DidNotRun,
    /// There is no figure, for this reason.
    Missing(String),
}

impl Quality {
    /// The quality as tables and CSV files write it.
    pub fn text(&self) -> String {
        match self {
            Quality::Good => "good".to_owned(),
            Quality::LowCoverage => "low_coverage".to_owned(),
            Quality::Restarted => "restarted".to_owned(),
            Quality::Smoothed => "smoothed".to_owned(),
            Quality::HostNetwork => "host_network".to_owned(),
            Quality::DidNotRun => "did_not_run".to_owned(),
            Quality::Missing(why) => format!("missing: {why}"),
        }
    }
}

/// One quantity over the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Figure {
    pub quantity: Quantity,
    /// The unit of `value`, `max` and `last`.
    pub unit: Unit,
    /// The growth per second of a counter, the time-weighted mean of a level, or the number of events;
    /// absent when the figure is missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<f64>,
    /// The largest level in the window; absent for counters and events.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max: Option<f64>,
    /// The last sample of a level in the window; absent for counters and events.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<f64>,
    /// The source whose samples the figure is made from; absent when the figure is made from none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// The share of the window that lies between samples, 0 to 1.
    pub coverage: f64,
    pub quality: Quality,
}

/// The resources that a container used in the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContainerUse {
    pub name: String,
    pub role: Role,
    /// One figure for each quantity that is measured of containers.
    pub figures: Vec<Figure>,
}

/// The resources that a pod used in the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PodUse {
    /// The uid of the pod, which is its key in the topology.
    pub uid: String,
    pub node: String,
    pub namespace: String,
    /// The name of the pod.
    pub pod: String,
    pub service: String,
    pub category: Category,
    /// The share of the window in which the pod existed, 0 to 1. It is the pod's weight in sums.
    pub presence: f64,
    /// The resources of each container.
    pub containers: Vec<ContainerUse>,
    /// The figures of the pod as a whole, which are those of its network.
    pub figures: Vec<Figure>,
}

/// The resources that all pods of a category used together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CategoryUse {
    pub category: Category,
    /// The number of pods.
    pub pods: usize,
    /// CPU in thousandths of a core, by role; a role whose sum is not known is absent.
    pub cpu_m: BTreeMap<Role, f64>,
    /// The working set in bytes as a mean over the window, by role; a role whose sum is not known is
    /// absent.
    pub working_set_bytes: BTreeMap<Role, f64>,
    /// The reasons for which sums of CPU or memory are absent, one for each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub not_known: Vec<NotKnown>,
    /// Bytes received over the network per second, without pods that use their node's network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network_rx_bytes_per_s: Option<f64>,
    /// Bytes sent over the network per second, without pods that use their node's network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network_tx_bytes_per_s: Option<f64>,
    /// The share of throttled scheduler periods of the container that was throttled the most.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub most_throttled: Option<f64>,
    /// The number of restarts and OOM kills in the window.
    pub restarts: f64,
    /// The number of figures of CPU, memory and network that are missing or have a low coverage.
    pub doubtful: usize,
}

/// The resources that the collector itself used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CollectorUse {
    /// CPU seconds of the collector's thread.
    pub cpu_seconds: f64,
    /// The time for which the collector ran, in seconds.
    pub seconds: f64,
    /// The number of calls to sources.
    pub calls: u64,
    /// The number of calls that failed.
    pub failed: u64,
    /// The number of bytes that were received.
    pub bytes: u64,
    /// The median length of a call in milliseconds.
    pub call_p50_ms: f64,
    /// The length of the longest call in milliseconds.
    pub call_max_ms: f64,
}

/// A time in which every call to one source failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gap {
    /// The source, such as `node-1 /metrics/resource`.
    pub what: String,
    /// The reason for which the first call failed.
    pub reason: String,
    /// The beginning in nanoseconds since the load began, negative before.
    pub from_ns: i64,
    /// The end in nanoseconds since the load began, negative before.
    pub to_ns: i64,
    /// The number of calls that failed.
    pub calls: u64,
}

/// The offset of a node's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NodeClock {
    /// The name of the node.
    pub node: String,
    pub offset: ClockOffset,
}

/// The moments between which the load and its window lay, in nanoseconds since 1970 on the generator's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spans {
    pub load_start: Nanos,
    pub window_start: Nanos,
    pub window_end: Nanos,
    pub load_end: Nanos,
}

/// The largest distance from the beginning of the load, in nanoseconds: about 146 years. Half of the range
/// makes sure that the difference of two such distances can be computed.
const FARTHEST: i128 = i64::MAX as i128 / 2;

impl Spans {
    /// The nanoseconds from the beginning of the load to a moment, negative before it.
    pub(super) fn relative(&self, at: Nanos) -> i64 {
        let distance = i128::from(at.0) - i128::from(self.load_start.0);
        distance.clamp(-FARTHEST, FARTHEST) as i64
    }

    /// The measured window.
    pub fn window(&self) -> Span {
        Span {
            start: self.relative(self.window_start),
            end: self.relative(self.window_end),
        }
    }

    /// The time in which the load was on.
    pub fn load(&self) -> Span {
        Span {
            start: 0,
            end: self.relative(self.load_end),
        }
    }
}

/// The result of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resources {
    pub spans: Spans,
    pub topology: Topology,
    /// The clocks of the nodes whose offsets are known.
    pub clocks: Vec<NodeClock>,
    /// The number of figures that each source gave, by quantity.
    pub sources: BTreeMap<Quantity, BTreeMap<Source, usize>>,
    /// The resources of each pod.
    pub pods: Vec<PodUse>,
    /// The sums of each category of pods.
    pub categories: Vec<CategoryUse>,
    /// The resources that the collector itself used.
    pub collector: CollectorUse,
    /// The times in which sources failed.
    pub gaps: Vec<Gap>,
    /// Notes that the user should know, as sentences.
    pub notes: Vec<String>,
}

impl PodUse {
    /// The figures of all containers of the pod, and those of the pod as a whole.
    pub fn all_figures(&self) -> impl Iterator<Item = &Figure> {
        let of_containers = self.containers.iter().flat_map(|use_of| &use_of.figures);
        of_containers.chain(&self.figures)
    }

    /// The value of a figure of the pod as a whole; `None` where it is missing.
    pub fn figure(&self, quantity: Quantity) -> Option<f64> {
        find(&self.figures, quantity)?.value
    }

    /// Whether the network figures of the pod are its own and not those of its node.
    pub fn has_own_network(&self) -> bool {
        let shared = |figure: &Figure| figure.quality == Quality::HostNetwork;
        !self.figures.iter().any(shared)
    }
}

impl ContainerUse {
    /// The figure of this quantity; `None` for a quantity that is not measured of containers.
    pub fn figure(&self, quantity: Quantity) -> Option<&Figure> {
        find(&self.figures, quantity)
    }

    /// The share (0..=1) of the scheduler periods in which the container was stopped at its CPU limit;
    /// `None` without a limit or without figures.
    pub fn throttling(&self) -> Option<f64> {
        let periods = self.figure(Quantity::CpuPeriods)?.value?;
        let throttled = self.figure(Quantity::ThrottledPeriods)?.value?;
        (periods > 0.0).then(|| throttled / periods)
    }
}

fn find(figures: &[Figure], quantity: Quantity) -> Option<&Figure> {
    figures.iter().find(|figure| figure.quantity == quantity)
}
