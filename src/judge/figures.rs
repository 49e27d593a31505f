//! What a comparison looks at of a step, whoever measured it: this program, or the study before it.

use super::{Stability, Verdict, stability};
use crate::measure::RunResult;
use crate::resources::{Category, PodUse, Quantity, Role};
use crate::spec::Offered;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A step's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFigures {
    /// Which variant of the system.
    pub arm: String,
    /// Requests per second that were asked for.
    pub rate: f64,
    /// From 1; steps of different arms with the same rate and repetition are a block.
    pub repetition: u32,
    /// Requests per second that were finished.
    pub achieved: f64,
    /// Whether the rate was held.
    pub stability: Stability,
    /// Latencies in nanoseconds: `mean`, `p50`, ...
    pub latency: BTreeMap<String, Latency>,
    /// What each service used; none where nobody looked.
    pub services: Vec<ServiceFigures>,
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
}

impl ServiceFigures {
    /// App and sidecars.
    pub fn cpu_total_m(&self) -> Option<f64> {
        Some(self.cpu_app_m? + self.cpu_sidecar_m?)
    }
}

/// The figures of a run of ours.
pub fn step_figures(result: &RunResult, verdict: &Verdict) -> StepFigures {
    let label = result.spec.step.as_ref();
    let tally = result.overall();
    let achieved = result.rate_achieved();
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
        arm: label.map_or(String::new(), |label| label.arm.clone()),
        rate: match result.spec.load.offered {
            Offered::Rate(rate) => rate.as_f64(),
            Offered::Ramp { .. } | Offered::Max => achieved,
        },
        repetition: label.map_or(1, |label| label.repetition),
        achieved,
        stability: stability(result, verdict),
        latency,
        services: services(result),
    }
}

fn services(result: &RunResult) -> Vec<ServiceFigures> {
    let mut groups: BTreeMap<_, Vec<&PodUse>> = BTreeMap::new();
    let pods = result.resources.iter().flat_map(|one| &one.pods);
    for pod in pods {
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
            }
        })
        .collect()
}
