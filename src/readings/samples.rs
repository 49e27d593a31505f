//! Answers of the kubelet's endpoints and of metrics-server -> samples.

use super::{
    ContainerStats, Malformed, MetricLine, PodStats, is_wire, metric_lines, network_sums,
    parse_pod_metrics, parse_summary, seconds_to_nanos,
};
use crate::resources::{Pod, Quantity, Sample, SamplePoint, Source, Subject, Topology};
use crate::units::Nanos;
use std::collections::HashMap;

/// An endpoint that serves figures of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricsEndpoint {
    /// CPU and memory, stamps in milliseconds.
    MetricsResource,
    /// CPU, memory, network, pressure; stamps in seconds.
    StatsSummary,
    /// Also throttling, disks and kills; large.
    MetricsCadvisor,
    /// Smoothed CPU and memory, of all nodes at once.
    MetricsServer,
}

impl MetricsEndpoint {
    /// Every endpoint.
    pub const ALL: [MetricsEndpoint; 4] = [
        MetricsEndpoint::MetricsResource,
        MetricsEndpoint::StatsSummary,
        MetricsEndpoint::MetricsCadvisor,
        MetricsEndpoint::MetricsServer,
    ];
    /// The endpoints of a node's kubelet.
    pub const OF_KUBELETS: [MetricsEndpoint; 3] = [
        MetricsEndpoint::MetricsResource,
        MetricsEndpoint::StatsSummary,
        MetricsEndpoint::MetricsCadvisor,
    ];

    /// The path at the kubelet, for metrics-server at the API server.
    pub fn path(self) -> &'static str {
        match self {
            MetricsEndpoint::MetricsResource => "/metrics/resource",
            MetricsEndpoint::StatsSummary => "/stats/summary",
            MetricsEndpoint::MetricsCadvisor => "/metrics/cadvisor",
            MetricsEndpoint::MetricsServer => "/apis/metrics.k8s.io/v1beta1/pods",
        }
    }

    /// The source that its samples are recorded with.
    pub fn source(self) -> Source {
        match self {
            MetricsEndpoint::MetricsResource => Source::MetricsResource,
            MetricsEndpoint::StatsSummary => Source::StatsSummary,
            MetricsEndpoint::MetricsCadvisor => Source::MetricsCadvisor,
            MetricsEndpoint::MetricsServer => Source::MetricsServer,
        }
    }

    /// Whether the answer is too large to be asked for in every round.
    pub fn is_slow(self) -> bool {
        matches!(
            self,
            MetricsEndpoint::MetricsCadvisor | MetricsEndpoint::MetricsServer
        )
    }
}

/// The samples of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSamples {
    /// Samples of pods that are in the topology.
    pub samples: Vec<Sample>,
    /// The latest stamp in the answer, whichever pod it belongs to: some lines are stamped with the
    /// moment of the answer.
    pub newest: Option<Nanos>,
}

/// The samples of an answer about pods that are known.
///
/// # Errors
/// [`Malformed`] for an answer that is not what the endpoint gives.
pub fn samples_of(
    endpoint: MetricsEndpoint,
    body: &[u8],
    received: Nanos,
    topology: &Topology,
) -> Result<EndpointSamples, Malformed> {
    let mut builder = SampleBuilder::new(endpoint.source(), received, topology);
    match endpoint {
        MetricsEndpoint::MetricsResource => builder.exposition(body, &RESOURCE)?,
        MetricsEndpoint::MetricsCadvisor => builder.exposition(body, &CADVISOR)?,
        MetricsEndpoint::StatsSummary => builder.summary(body)?,
        MetricsEndpoint::MetricsServer => builder.metrics_api(body)?,
    }
    Ok(builder.finish())
}

/// How a number of the text becomes a number of a sample.
#[derive(Clone, Copy)]
enum Scale {
    /// From seconds to nanoseconds.
    Seconds,
    /// Unchanged.
    Plain,
}

type Metric = (&'static str, Quantity, Scale);

const RESOURCE: [Metric; 2] = [
    (
        "container_cpu_usage_seconds_total",
        Quantity::Cpu,
        Scale::Seconds,
    ),
    (
        "container_memory_working_set_bytes",
        Quantity::WorkingSet,
        Scale::Plain,
    ),
];

const CADVISOR: [Metric; 13] = [
    (
        "container_cpu_usage_seconds_total",
        Quantity::Cpu,
        Scale::Seconds,
    ),
    (
        "container_memory_working_set_bytes",
        Quantity::WorkingSet,
        Scale::Plain,
    ),
    ("container_memory_rss", Quantity::Rss, Scale::Plain),
    (
        "container_cpu_cfs_periods_total",
        Quantity::CpuPeriods,
        Scale::Plain,
    ),
    (
        "container_cpu_cfs_throttled_periods_total",
        Quantity::ThrottledPeriods,
        Scale::Plain,
    ),
    (
        "container_cpu_cfs_throttled_seconds_total",
        Quantity::ThrottledTime,
        Scale::Seconds,
    ),
    (
        "container_fs_reads_bytes_total",
        Quantity::DiskRead,
        Scale::Plain,
    ),
    (
        "container_fs_writes_bytes_total",
        Quantity::DiskWrite,
        Scale::Plain,
    ),
    (
        "container_pressure_cpu_waiting_seconds_total",
        Quantity::PsiCpu,
        Scale::Seconds,
    ),
    (
        "container_pressure_memory_waiting_seconds_total",
        Quantity::PsiMemory,
        Scale::Seconds,
    ),
    (
        "container_pressure_io_waiting_seconds_total",
        Quantity::PsiIo,
        Scale::Seconds,
    ),
    (
        "container_network_receive_bytes_total",
        Quantity::NetworkRx,
        Scale::Plain,
    ),
    (
        "container_network_transmit_bytes_total",
        Quantity::NetworkTx,
        Scale::Plain,
    ),
];
const START: &str = "container_start_time_seconds";

/// Builds the samples of one answer. Numbers of one subject and quantity add up: a container's disks,
/// a pod's interfaces.
struct SampleBuilder<'a> {
    source: Source,
    received: Nanos,
    pods: HashMap<(&'a str, &'a str), &'a Pod>,
    numbers: HashMap<(Subject, Quantity), (u64, Nanos)>,
    starts: HashMap<Subject, Nanos>,
    newest: Option<Nanos>,
}

impl<'a> SampleBuilder<'a> {
    fn new(source: Source, received: Nanos, topology: &'a Topology) -> SampleBuilder<'a> {
        let mut pods: HashMap<(&str, &str), &Pod> = HashMap::new();
        for pod in topology.pods.values() {
            let name = (pod.namespace.as_str(), pod.name.as_str());
            let age = |pod: &Pod| (pod.seen.to.is_none(), pod.seen.from);
            // Names are reused: the pod meant is the one that exists, or that existed last.
            match pods.get(&name) {
                Some(other) if age(other) > age(pod) => {}
                _ => {
                    pods.insert(name, pod);
                }
            }
        }
        SampleBuilder {
            source,
            received,
            pods,
            numbers: HashMap::new(),
            starts: HashMap::new(),
            newest: None,
        }
    }

    fn subject(&self, namespace: &str, pod: &str, container: Option<&str>) -> Option<Subject> {
        Some(self.pods.get(&(namespace, pod))?.subject(container))
    }

    fn add(&mut self, subject: Subject, quantity: Quantity, value: u64, stamp: Nanos) {
        let number = self
            .numbers
            .entry((subject, quantity))
            .or_insert((0, stamp));
        number.0 = number.0.saturating_add(value);
        number.1 = number.1.max(stamp);
    }

    fn exposition(&mut self, body: &[u8], metrics: &[Metric]) -> Result<(), Malformed> {
        let mut lines = 0;
        for sample in metric_lines(body) {
            lines += 1;
            self.newest = self.newest.max(sample.stamp);
            if sample.name == START {
                self.start(&sample);
            } else if let Some(metric) = metrics.iter().find(|metric| metric.0 == sample.name) {
                self.line(&sample, metric);
            }
        }
        if lines == 0 {
            return Err(Malformed("there is no metric in it".to_owned()));
        }
        Ok(())
    }

    /// The container that a line is about, or the pod where the label is empty. cAdvisor also has
    /// lines of the pod's pause container, named POD, and of cgroups that belong to no pod.
    fn named(&self, sample: &MetricLine<'_>) -> Option<Subject> {
        let (namespace, pod) = (sample.label("namespace")?, sample.label("pod")?);
        let container = sample.label("container").filter(|name| !name.is_empty());
        if container.as_deref() == Some("POD") {
            return self.subject(&namespace, &pod, None);
        }
        self.subject(&namespace, &pod, container.as_deref())
    }

    fn start(&mut self, sample: &MetricLine<'_>) {
        if let (Some(subject), Some(start)) = (self.named(sample), seconds_to_nanos(sample.value)) {
            self.starts.insert(subject, Nanos(start));
        }
    }

    fn line(&mut self, sample: &MetricLine<'_>, metric: &Metric) {
        let (_, quantity, scale) = *metric;
        let Some(mut subject) = self.named(sample) else {
            return;
        };
        let is_network = Quantity::OF_PODS.contains(&quantity);
        let wanted = if is_network {
            subject.container = None;
            sample.label("interface").is_some_and(|name| is_wire(&name))
        } else {
            subject.container.is_some()
        };
        let value = match scale {
            Scale::Seconds => seconds_to_nanos(sample.value),
            Scale::Plain => whole(sample.value),
        };
        if let (true, Some(value)) = (wanted, value) {
            self.add(
                subject,
                quantity,
                value,
                sample.stamp.unwrap_or(self.received),
            );
        }
    }

    fn summary(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let summary = parse_summary(body)?;
        for pod in &summary.pods {
            if let Some(subject) = self.subject(&pod.namespace, &pod.name, None) {
                self.network(&subject, pod);
                // The pod's own control group survives restarts of containers: for comparison.
                let cpu = pod.cpu.and_then(|cpu| Some((cpu.usage?, cpu.time?)));
                if let Some((usage, stamp)) = cpu {
                    self.add(subject, Quantity::Cpu, usage, stamp);
                }
            }
            for container in &pod.containers {
                let name = Some(container.name.as_str());
                if let Some(subject) = self.subject(&pod.namespace, &pod.name, name) {
                    self.container(subject, container);
                }
            }
        }
        Ok(())
    }

    fn network(&mut self, subject: &Subject, pod: &PodStats) {
        let Some(network) = &pod.network else { return };
        let Some(stamp) = network.time else { return };
        for (quantity, bytes) in network_sums(&network.interfaces, None) {
            self.add(subject.clone(), quantity, bytes, stamp);
        }
    }

    fn container(&mut self, subject: Subject, container: &ContainerStats) {
        let cpu = container.cpu.as_ref();
        let memory = container.memory.as_ref();
        let io = container.io.as_ref();
        let cpu_time = cpu.and_then(|cpu| cpu.time);
        let memory_time = memory.and_then(|memory| memory.time);
        let io_time = io.and_then(|io| io.time).or(cpu_time);
        let numbers = [
            (Quantity::Cpu, cpu.and_then(|cpu| cpu.usage), cpu_time),
            (
                Quantity::PsiCpu,
                cpu.and_then(|cpu| cpu.psi_some_total),
                cpu_time,
            ),
            (
                Quantity::WorkingSet,
                memory.and_then(|memory| memory.working_set),
                memory_time,
            ),
            (
                Quantity::Rss,
                memory.and_then(|memory| memory.rss),
                memory_time,
            ),
            (
                Quantity::PsiMemory,
                memory.and_then(|memory| memory.psi_some_total),
                memory_time,
            ),
            (
                Quantity::PsiIo,
                io.and_then(|io| io.psi_some_total),
                io_time,
            ),
        ];
        for (quantity, value, stamp) in numbers {
            if let (Some(value), Some(stamp)) = (value, stamp) {
                self.add(subject.clone(), quantity, value, stamp);
            }
        }
        if let Some(start) = container.start {
            self.starts.insert(subject, start);
        }
    }

    fn metrics_api(&mut self, body: &[u8]) -> Result<(), Malformed> {
        for usage in parse_pod_metrics(body)? {
            let name = Some(usage.container.as_str());
            let Some(subject) = self.subject(&usage.namespace, &usage.pod, name) else {
                continue;
            };
            let stamp = usage.time.unwrap_or(self.received);
            if let Some(cpu) = usage.cpu_nanocores {
                self.add(subject.clone(), Quantity::CpuUsage, cpu, stamp);
            }
            if let Some(memory) = usage.memory_bytes {
                self.add(subject, Quantity::WorkingSet, memory, stamp);
            }
        }
        Ok(())
    }

    fn finish(self) -> EndpointSamples {
        let SampleBuilder {
            source,
            received,
            numbers,
            starts,
            newest,
            ..
        } = self;
        let samples = numbers
            .into_iter()
            .map(|((subject, quantity), (value, stamp))| Sample {
                point: SamplePoint {
                    stamp,
                    received,
                    value,
                    epoch: starts.get(&subject).copied(),
                },
                subject,
                quantity,
                source,
            });
        EndpointSamples {
            samples: samples.collect(),
            newest,
        }
    }
}

/// A count that was printed as a floating-point number.
fn whole(value: f64) -> Option<u64> {
    (value >= 0.0 && value < u64::MAX as f64).then_some(value as u64)
}
