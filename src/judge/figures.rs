//! What a comparison looks at of a step, whoever measured it: this program, or the study before it.

use super::{JudgedRun, Level, Stability, Step};
use crate::measure::{RunResult, Tally};
use crate::resources::{Category, ContainerUse, PodUse, Quantity, Resources, Role};
use crate::spec::{Offered, StepKey};
use crate::units::Rate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A step's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFigures {
    /// Requests per second that were finished.
    pub achieved: f64,
    /// Whether the measurement can be believed; absent where nobody judged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<Level>,
    /// Whether the rate was held.
    pub stability: Stability,
    /// Latencies in nanoseconds: `mean`, `p50`, ...
    pub latency: BTreeMap<String, Latency>,
    /// Requests that failed, and replies with a status above 399, of all that ended; absent where
    /// unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_rate: Option<f64>,
    /// What each service used; none where nobody looked.
    pub services: Vec<ServiceFigures>,
    /// Thousandths of a core that the nodes have together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nodes_cpu_m: Option<f64>,
}

/// A latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// In nanoseconds.
    pub ns: f64,
    /// Unfinished requests could raise it.
    pub is_lower_bound: bool,
    /// Samples beyond it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beyond: Option<u64>,
}

/// Fewer samples than this beyond a percentile are a few requests' story.
const SAMPLES_BEYOND: u64 = 10;

impl Latency {
    /// It is a lower bound, or has few samples beyond it.
    pub fn is_doubtful(&self) -> bool {
        self.is_lower_bound || self.beyond.is_some_and(|beyond| beyond < SAMPLES_BEYOND)
    }
}

/// What the pods of a service used together; absent what one of them has no figure for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the names are the documentation
pub struct ServiceFigures {
    pub category: Category,
    pub namespace: String,
    pub service: String,
    /// Thousandths of a core of everything that is no sidecar.
    pub cpu_app_m: Option<f64>,
    /// Thousandths of a core of its sidecars; 0 when it has none.
    pub cpu_sidecar_m: Option<f64>,
    pub memory_bytes: Option<f64>,
    pub network_rx_bytes_per_s: Option<f64>,
    pub network_tx_bytes_per_s: Option<f64>,
    pub strain: Strain,
}

/// How near a service came to what it may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Strain {
    /// The CPU limits of all that is no sidecar, over its pods; absent when one has none.
    pub limit_app_m: Option<f64>,
    /// Those of its sidecars, likewise.
    pub limit_sidecar_m: Option<f64>,
    /// Largest share of scheduler periods in which a container that is no sidecar was stopped at its
    /// limit.
    pub throttled_app: Option<f64>,
    /// The same of sidecars.
    pub throttled_sidecar: Option<f64>,
    /// Largest share of the time in which a task of a container waited for a CPU (PSI).
    pub waited_for_cpu: Option<f64>,
    /// Likewise for memory.
    pub waited_for_memory: Option<f64>,
    /// Likewise for I/O.
    pub waited_for_io: Option<f64>,
}

impl ServiceFigures {
    /// App and sidecars.
    pub fn cpu_total_m(&self) -> Option<f64> {
        Some(self.cpu_app_m? + self.cpu_sidecar_m?)
    }

    /// Whether nobody measured anything of it.
    pub fn has_no_figure(&self) -> bool {
        let figures = [
            self.cpu_app_m,
            self.cpu_sidecar_m,
            self.memory_bytes,
            self.network_rx_bytes_per_s,
            self.network_tx_bytes_per_s,
        ];
        figures.iter().all(Option::is_none)
    }
}

/// A run of this program as a step.
pub fn step_of(run: &JudgedRun) -> Step {
    let JudgedRun {
        result,
        verdict,
        stability,
    } = run;
    let label = result.spec.step.as_ref();
    let key = StepKey {
        number: label.map_or(1, |label| label.number),
        arm: label.map_or(String::new(), |label| label.arm.clone()),
        rate: match result.spec.load.offered {
            // Each target gets the whole load.
            Offered::Rate(rate) => Rate::nearest(rate.as_f64() * result.targets.len() as f64),
            Offered::Ramp { .. } | Offered::Max => Rate::nearest(result.rate_achieved()),
        },
        repetition: label.map_or(1, |label| label.repetition),
    };
    Step {
        key,
        figures: figures(result, verdict.level, stability.clone()),
    }
}

fn figures(result: &RunResult, level: Level, stability: Stability) -> StepFigures {
    let tally = result.overall();
    let mut latency = BTreeMap::new();
    if result.is_open_loop() {
        let response = tally.latency_with_censored();
        if !response.is_empty() {
            let mean = Latency {
                ns: response.mean(),
                is_lower_bound: tally.unfinished > 0,
                beyond: None,
            };
            latency.insert("mean".to_owned(), mean);
        }
        for percentile in tally.latency_percentiles() {
            let value = Latency {
                ns: percentile.value as f64,
                is_lower_bound: percentile.is_lower_bound,
                beyond: Some(percentile.beyond),
            };
            latency.insert(percentile.name.to_owned(), value);
        }
    }
    StepFigures {
        achieved: result.rate_achieved(),
        level: Some(level),
        stability,
        latency,
        error_rate: error_rate(tally),
        services: result.resources.as_ref().map_or(Vec::new(), services),
        nodes_cpu_m: result.resources.as_ref().and_then(cores),
    }
}

fn error_rate(tally: &Tally) -> Option<f64> {
    let all = tally.completed + tally.failed;
    (all > 0).then(|| (tally.failed + tally.status.bad()) as f64 / all as f64)
}

/// Thousandths of a core of all nodes; `None` where one does not say.
fn cores(resources: &Resources) -> Option<f64> {
    let mut nodes = resources.topology.nodes.values().peekable();
    nodes.peek()?;
    nodes.try_fold(0.0, |sum, node| Some(sum + node.cores? * 1e3))
}

fn services(resources: &Resources) -> Vec<ServiceFigures> {
    let mut groups: BTreeMap<_, Vec<&PodUse>> = BTreeMap::new();
    for pod in &resources.pods {
        let key = (&pod.category, &pod.namespace, &pod.service);
        groups.entry(key).or_default().push(pod);
    }
    let groups = groups.into_iter();
    groups
        .map(|((category, namespace, service), pods)| {
            // Each pod with the share of the window in which it was there.
            let sum = |of: &dyn Fn(&PodUse) -> Option<f64>| {
                let mut pods = pods.iter();
                pods.try_fold(0.0, |sum, pod| Some(sum + of(pod)? * pod.presence))
            };
            let own = |quantity| {
                let is_own = pods.iter().all(|pod| pod.has_own_network());
                sum(&|pod| pod.figure(quantity)).filter(|_| is_own)
            };
            ServiceFigures {
                category: category.clone(),
                namespace: namespace.clone(),
                service: service.clone(),
                cpu_app_m: sum(&|pod| pod.sum(Quantity::Cpu, |role| role != Role::Sidecar)),
                cpu_sidecar_m: sum(&|pod| pod.sum(Quantity::Cpu, |role| role == Role::Sidecar)),
                memory_bytes: sum(&|pod| pod.sum(Quantity::WorkingSet, |_| true)),
                network_rx_bytes_per_s: own(Quantity::NetworkRx),
                network_tx_bytes_per_s: own(Quantity::NetworkTx),
                strain: strain(resources, &pods),
            }
        })
        .collect()
}

fn strain(resources: &Resources, pods: &[&PodUse]) -> Strain {
    let limit = |counts: &dyn Fn(Role) -> bool| {
        let mut pods = pods.iter();
        pods.try_fold(0.0, |sum, pod| {
            let described = resources.topology.pods.get(&pod.uid)?;
            let mut containers = described.containers.iter().filter(|one| counts(one.role));
            let limit = containers.try_fold(0.0, |sum, one| Some(sum + one.limits.cpu_millicores?));
            Some(sum + limit? * pod.presence)
        })
    };
    let most = |of: &dyn Fn(&ContainerUse) -> Option<f64>| {
        let containers = pods.iter().flat_map(|pod| &pod.containers);
        containers.filter_map(of).max_by(f64::total_cmp)
    };
    let throttled = |is_sidecar| {
        most(&|container| {
            let is_meant = (container.role == Role::Sidecar) == is_sidecar;
            container.throttling().filter(|_| is_meant)
        })
    };
    let waited = |quantity| most(&|container| container.figure(quantity)?.value);
    Strain {
        limit_app_m: limit(&|role| role != Role::Sidecar),
        limit_sidecar_m: limit(&|role| role == Role::Sidecar),
        throttled_app: throttled(false),
        throttled_sidecar: throttled(true),
        waited_for_cpu: waited(Quantity::PsiCpu),
        waited_for_memory: waited(Quantity::PsiMemory),
        waited_for_io: waited(Quantity::PsiIo),
    }
}
