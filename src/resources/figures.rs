//! What was used, as it is told: figures of containers, pods and kinds of pods, and how far each can
//! be relied on.

use super::{Category, ClockOffset, NotKnown, Quantity, Role, Source, Span, Topology, Unit};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a figure can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Nothing against it.
    Good,
    /// Its samples bracket less than half of the window.
    LowCoverage,
    /// The counter began anew in the window: what was used between the last sample before and the
    /// first after is not in it.
    Restarted,
    /// An average of somebody else's, over a window that is not known.
    Smoothed,
    /// The pod shares its node's network: the figure is the node's.
    HostNetwork,
    /// The container is known not to have run: the figure is 0 without any sample.
    DidNotRun,
    /// There is none, and why.
    Missing(String),
}

impl Quality {
    /// As it stands in tables.
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
    /// Which.
    pub quantity: Quantity,
    /// In what.
    pub unit: Unit,
    /// Rate, time-weighted mean or count; absent when missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<f64>,
    /// Largest sample; levels only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max: Option<f64>,
    /// Last sample; levels only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<f64>,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// Share of the window between samples, 0 to 1.
    pub coverage: f64,
    /// How far it can be relied on.
    pub quality: Quality,
}

/// What a container used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContainerUse {
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// Its figures.
    pub figures: Vec<Figure>,
}

/// What a pod used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PodUse {
    /// The pod's uid, by which the topology knows it.
    pub uid: String,
    /// Node.
    pub node: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub pod: String,
    /// Service.
    pub service: String,
    /// Kind.
    pub category: Category,
    /// Share of the window in which it was there: its weight in sums.
    pub presence: f64,
    /// By container.
    pub containers: Vec<ContainerUse>,
    /// Of the pod as a whole: its network.
    pub figures: Vec<Figure>,
}

/// What all pods of a kind used together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CategoryUse {
    /// The kind.
    pub category: Category,
    /// How many pods.
    pub pods: usize,
    /// Thousandths of a core by role; a role whose sum is not known is absent.
    pub cpu_m: BTreeMap<Role, f64>,
    /// Bytes of working set by role, mean over the window.
    pub working_set_bytes: BTreeMap<Role, f64>,
    /// Why sums of CPU or memory are absent, one reason for each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub not_known: Vec<NotKnown>,
    /// Bytes received from the wire per second, without pods that share their node's network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network_rx_bytes_per_s: Option<f64>,
    /// Bytes sent to the wire per second, likewise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network_tx_bytes_per_s: Option<f64>,
    /// Largest share of throttled periods of any container.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub most_throttled: Option<f64>,
    /// Restarts and OOM kills in the window.
    pub restarts: f64,
    /// Figures of CPU, memory and network that are missing or bracket less than half of the window.
    pub doubtful: usize,
}

/// What the collector itself cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CollectorUse {
    /// CPU seconds of its thread.
    pub cpu_seconds: f64,
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// Calls made.
    pub calls: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Median length of a call in milliseconds.
    pub call_p50_ms: f64,
    /// Longest call in milliseconds.
    pub call_max_ms: f64,
}

/// A stretch in which a source gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gap {
    /// What was asked, such as `node-1 /metrics/resource`.
    pub what: String,
    /// Why it failed, the first time.
    pub reason: String,
    /// From, since the load began (negative before), in nanoseconds.
    pub from_ns: i64,
    /// To.
    pub to_ns: i64,
    /// Calls that failed in it.
    pub calls: u64,
}

/// The clock of a node against ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NodeClock {
    /// The node.
    pub node: String,
    /// Where the offset lies.
    pub offset: ClockOffset,
}

/// Where the window lies on our clock; nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spans {
    /// The load began.
    pub load_start: Nanos,
    /// The measured window.
    pub window_start: Nanos,
    /// Its end.
    pub window_end: Nanos,
    /// The load ended.
    pub load_end: Nanos,
}

/// A century and a half is far enough: what lies between two such moments still has a length.
const FAR: i128 = i64::MAX as i128 / 2;

impl Spans {
    pub(super) fn relative(&self, at: Nanos) -> i64 {
        (i128::from(at.0) - i128::from(self.load_start.0)).clamp(-FAR, FAR) as i64
    }

    /// The measured window, from the beginning of the load.
    pub fn window(&self) -> Span {
        Span {
            start: self.relative(self.window_start),
            end: self.relative(self.window_end),
        }
    }

    /// While the load was on.
    pub fn load(&self) -> Span {
        Span {
            start: 0,
            end: self.relative(self.load_end),
        }
    }
}

/// Everything the collector found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resources {
    /// Where the window lies.
    pub spans: Spans,
    /// Who was there.
    pub topology: Topology,
    /// The nodes' clocks.
    pub clocks: Vec<NodeClock>,
    /// How many figures each source gave, by quantity: the choice that was made.
    pub sources: BTreeMap<Quantity, BTreeMap<Source, usize>>,
    /// By pod.
    pub pods: Vec<PodUse>,
    /// By kind of pod.
    pub categories: Vec<CategoryUse>,
    /// What the collector cost.
    pub collector: CollectorUse,
    /// When it saw nothing.
    pub gaps: Vec<Gap>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl PodUse {
    /// Figures of the pod and of its containers.
    pub fn all_figures(&self) -> impl Iterator<Item = &Figure> {
        let of_containers = self.containers.iter().flat_map(|use_of| &use_of.figures);
        of_containers.chain(&self.figures)
    }

    /// A figure of the pod itself.
    pub fn figure(&self, quantity: Quantity) -> Option<f64> {
        find(&self.figures, quantity)?.value
    }

    /// Whether its network figures are its own.
    pub fn has_own_network(&self) -> bool {
        let shared = |figure: &Figure| figure.quality == Quality::HostNetwork;
        !self.figures.iter().any(shared)
    }
}

impl ContainerUse {
    /// The figure of a quantity.
    pub fn figure(&self, quantity: Quantity) -> Option<&Figure> {
        find(&self.figures, quantity)
    }

    /// Share of its scheduler periods in which it was stopped at its CPU limit; `None` without a
    /// limit or without figures.
    pub fn throttling(&self) -> Option<f64> {
        let periods = self.figure(Quantity::CpuPeriods)?.value?;
        let throttled = self.figure(Quantity::ThrottledPeriods)?.value?;
        (periods > 0.0).then(|| throttled / periods)
    }
}

fn find(figures: &[Figure], quantity: Quantity) -> Option<&Figure> {
    figures.iter().find(|figure| figure.quantity == quantity)
}
