//! The figures of a step: the numbers that comparisons, tables and pages take from it, whether this
//! program measured the step or the study did.

use crate::measure::{RunResult, are_few};
use crate::resources::{
    Category, ContainerUse, NotKnown, Part, PodUse, Quantity, Resources, network_of, sum_of, use_of,
};
use crate::verdict::{JudgedRun, Level, Stability};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The figures of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFigures {
    /// Requests per second that were finished in the window.
    pub achieved: f64,
    /// The verdict on the measurement; absent for steps of the study, which has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<Level>,
    pub stability: Stability,
    /// Latencies by the name of the statistic: `mean`, `p50`, ... Empty in a closed loop.
    pub latency: BTreeMap<String, Latency>,
    /// The share of failed requests and of replies with a status above 399 among all that ended; absent
    /// where it is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_rate: Option<f64>,
    /// The use of each service; empty without a collector.
    pub services: Vec<ServiceFigures>,
    /// CPU of all nodes together, in thousandths of a core.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nodes_cpu_m: Option<f64>,
}

/// A latency of a step, and its reliability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub ns: f64,
    /// Whether unfinished requests could raise the value.
    pub is_lower_bound: bool,
    /// Number of samples above the value; absent where it is not known, and for the mean.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beyond: Option<u64>,
}

impl Latency {
    /// Whether the value is a lower bound, or has few samples above it.
    pub fn is_doubtful(&self) -> bool {
        self.is_lower_bound || self.beyond.is_some_and(are_few)
    }
}

/// The use of all pods of a service together. A figure is absent where a pod that counts has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceFigures {
    pub category: Category,
    pub namespace: String,
    pub service: String,
    /// CPU in thousandths of a core. Every service has app, sidecar and total; the parts of the mesh are
    /// there only where the service has such containers.
    pub cpu_m: BTreeMap<Part, Result<f64, NotKnown>>,
    pub memory_bytes: Option<f64>,
    pub network_rx_bytes_per_s: Option<f64>,
    pub network_tx_bytes_per_s: Option<f64>,
    /// Whether a pod has a network of its own; the traffic of pods on their node's network is in no sum.
    pub has_own_network: bool,
    pub saturation: Saturation,
}

/// How near a service came to its limits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Saturation {
    /// CPU limits in thousandths of a core by part, over all pods; a part of which a container has no
    /// limit is absent.
    pub limit_m: BTreeMap<Part, f64>,
    /// Largest share, by part, of scheduler periods in which a container was stopped at its limit.
    pub throttled: BTreeMap<Part, f64>,
    /// Largest share of the time in which a task of a container waited for a CPU (PSI).
    pub waited_for_cpu: Option<f64>,
    /// Largest share of the time in which a task of a container waited for memory (PSI).
    pub waited_for_memory: Option<f64>,
    /// Largest share of the time in which a task of a container waited for I/O (PSI).
    pub waited_for_io: Option<f64>,
}

impl StepFigures {
    /// The figures of a run of this program.
    pub fn of(run: &JudgedRun) -> StepFigures {
        let JudgedRun {
            result,
            verdict,
            stability,
        } = run;
        StepFigures {
            achieved: result.rate_achieved(),
            level: Some(verdict.level),
            stability: stability.clone(),
            latency: latencies(result),
            error_rate: result.overall().error_rate(),
            services: result.resources.as_ref().map_or(Vec::new(), services),
            nodes_cpu_m: result.resources.as_ref().and_then(nodes_cpu),
        }
    }

    /// CPU that a part used in the whole step, in thousandths of a core. App, sidecar and total are those of
    /// the application; the parts of the mesh are added up wherever their pods run.
    ///
    /// # Errors
    /// [`NotKnown`] without a pod of the part, or where one of the services has no figure.
    pub fn cpu(&self, part: Part) -> Result<f64, NotKnown> {
        let of_part = |one: &&ServiceFigures| match part.is_of_mesh() {
            true => one.cpu_m.contains_key(&part),
            false => one.is_of_application(),
        };
        let mut services = self.services.iter().filter(of_part).peekable();
        if services.peek().is_none() {
            return Err(part.no_pod(None));
        }
        sum_of(services.map(|one| one.cpu(part))).map_err(NotKnown::clone)
    }

    /// The services of the application under load.
    pub fn application(&self) -> impl Iterator<Item = &ServiceFigures> {
        let services = self.services.iter();
        services.filter(|one| one.is_of_application())
    }
}

impl ServiceFigures {
    fn is_of_application(&self) -> bool {
        self.category == Category::Application
    }

    /// CPU that a part of the service used, in thousandths of a core; 0 for a part that it does not have.
    ///
    /// # Errors
    /// [`NotKnown`] where a container of the part ran without samples.
    pub fn cpu(&self, part: Part) -> Result<f64, &NotKnown> {
        self.cpu_m
            .get(&part)
            .map_or(Ok(0.0), |used| used.as_ref().copied())
    }

    /// Whether no figure of the service is known.
    pub fn has_no_figure(&self) -> bool {
        let figures = [
            self.cpu(Part::Total).ok(),
            self.memory_bytes,
            self.network_rx_bytes_per_s,
            self.network_tx_bytes_per_s,
        ];
        figures.iter().all(Option::is_none)
    }
}

/// The latencies of a run; empty in a closed loop, which has service times alone.
fn latencies(result: &RunResult) -> BTreeMap<String, Latency> {
    if !result.is_open_loop() {
        return BTreeMap::new();
    }
    let tally = result.overall();
    let response = tally.latency_with_censored();
    let mean = (!response.is_empty()).then(|| {
        let mean = Latency {
            ns: response.mean(),
            is_lower_bound: tally.unfinished > 0,
            beyond: None,
        };
        ("mean".to_owned(), mean)
    });
    let percentiles = tally.latency_percentiles().into_iter().map(|percentile| {
        let value = Latency {
            ns: percentile.value as f64,
            is_lower_bound: percentile.is_lower_bound,
            beyond: Some(percentile.beyond),
        };
        (percentile.name.to_owned(), value)
    });
    mean.into_iter().chain(percentiles).collect()
}

/// CPU of all nodes together, in thousandths of a core; `None` where that of a node is not known.
fn nodes_cpu(resources: &Resources) -> Option<f64> {
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
            let network = |quantity| network_of(pods.iter().copied(), quantity);
            ServiceFigures {
                category: category.clone(),
                namespace: namespace.clone(),
                service: service.clone(),
                cpu_m: cpu_by_part(&pods),
                memory_bytes: used(&pods, Part::Total, Quantity::WorkingSet).ok(),
                network_rx_bytes_per_s: network(Quantity::NetworkRx),
                network_tx_bytes_per_s: network(Quantity::NetworkTx),
                has_own_network: pods.iter().any(|pod| pod.has_own_network()),
                saturation: saturation(resources, &pods),
            }
        })
        .collect()
}

fn used(pods: &[&PodUse], part: Part, quantity: Quantity) -> Result<f64, NotKnown> {
    use_of(pods.iter().copied(), part, quantity)
}

fn has_part(pods: &[&PodUse], part: Part) -> bool {
    let mut containers = pods.iter().flat_map(|pod| &pod.containers);
    containers.any(|container| part.counts(container.role))
}

fn cpu_by_part(pods: &[&PodUse]) -> BTreeMap<Part, Result<f64, NotKnown>> {
    let parts = Part::ALL.into_iter();
    let parts = parts.filter(|part| !part.is_of_mesh() || has_part(pods, *part));
    let used = parts.map(|part| (part, used(pods, part, Quantity::Cpu)));
    used.collect()
}

fn saturation(resources: &Resources, pods: &[&PodUse]) -> Saturation {
    let limit = |part: Part| {
        let mut pods = pods.iter();
        pods.try_fold(0.0, |sum, pod| {
            let described = resources.topology.pods.get(&pod.uid)?;
            let containers = described.containers.iter();
            let mut containers = containers.filter(|one| part.counts(one.role));
            let limit = containers.try_fold(0.0, |sum, one| Some(sum + one.limits.cpu_millicores?));
            Some(sum + limit? * pod.presence)
        })
    };
    let most = |of: &dyn Fn(&ContainerUse) -> Option<f64>| {
        let containers = pods.iter().flat_map(|pod| &pod.containers);
        containers.filter_map(of).max_by(f64::total_cmp)
    };
    let throttled = |part: Part| {
        most(&|container| {
            let share = container.throttling();
            share.filter(|_| part.counts(container.role))
        })
    };
    let by_part = |of: &dyn Fn(Part) -> Option<f64>| {
        let parts = Part::ALL.into_iter();
        let found = parts.filter_map(|part| Some((part, of(part)?)));
        found.collect()
    };
    let waited = |quantity| most(&|container| container.figure(quantity)?.value);
    Saturation {
        limit_m: by_part(&limit),
        throttled: by_part(&throttled),
        waited_for_cpu: waited(Quantity::PsiCpu),
        waited_for_memory: waited(Quantity::PsiMemory),
        waited_for_io: waited(Quantity::PsiIo),
    }
}
