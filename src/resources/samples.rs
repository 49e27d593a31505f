//! Raw samples: a value from a source, the moment at which the source measured it, and the moment at which
//! it was received.

use super::Quantity;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The source of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A command in the container, which reads the counters at the edges of the window.
    Exec,
    /// The kubelet's `/metrics/resource`, with times in milliseconds.
    MetricsResource,
    /// The kubelet's `/metrics/cadvisor`, with times in milliseconds.
    MetricsCadvisor,
    /// The kubelet's `/stats/summary`, with times in whole seconds.
    StatsSummary,
    /// metrics-server, whose values are averages over a window of unknown length.
    MetricsServer,
    /// The list of pods of the Kubernetes API.
    PodList,
    /// The files in /proc and the cgroup files of this machine.
    Proc,
}

impl Source {
    /// All sources, the best one first. The times of `/metrics/resource` are finer than those of
    /// `/stats/summary`, and counters that are read at the window's edges need no correction of clocks.
    pub const BEST_FIRST: [Source; 7] = [
        Source::Proc,
        Source::Exec,
        Source::PodList,
        Source::MetricsResource,
        Source::StatsSummary,
        Source::MetricsCadvisor,
        Source::MetricsServer,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Source::Exec => "exec",
            Source::MetricsResource => "metrics_resource",
            Source::MetricsCadvisor => "metrics_cadvisor",
            Source::StatsSummary => "stats_summary",
            Source::MetricsServer => "metrics_server",
            Source::PodList => "pod_list",
            Source::Proc => "proc",
        }
    }

    /// Whether the times of its samples are those of the node's clock. Those of the other sources are
    /// taken from the generator's clock.
    pub fn is_stamped_by_node(self) -> bool {
        matches!(
            self,
            Source::MetricsResource
                | Source::MetricsCadvisor
                | Source::StatsSummary
                | Source::MetricsServer
        )
    }

    /// The source of this name in files.
    pub fn of_name(name: &str) -> Option<Source> {
        Source::BEST_FIRST
            .into_iter()
            .find(|source| source.name() == name)
    }
}

/// The pod or container that a sample belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    pub node: String,
    pub namespace: String,
    /// The name of the pod.
    pub pod: String,
    /// The uid of the pod. Unlike the name it is never given to another pod.
    pub uid: String,
    /// The name of the container; `None` for the pod as a whole.
    pub container: Option<String>,
}

/// A value with its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplePoint {
    /// The moment of the measurement in nanoseconds since 1970, on the node's clock or the generator's
    /// as [`Source::is_stamped_by_node`] says.
    pub stamp: Nanos,
    /// The moment at which the value was received, in nanoseconds since 1970 on the generator's clock.
    pub received: Nanos,
    /// The value in the quantity's base unit: nanoseconds, bytes or a number.
    pub value: u64,
    /// The moment at which the container was started, where the source gives it. A counter with another
    /// start is another counter.
    pub epoch: Option<Nanos>,
}

/// One value of one quantity of one pod or container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub subject: Subject,
    pub quantity: Quantity,
    pub source: Source,
    pub point: SamplePoint,
}

type Series = HashMap<(Quantity, Source), Vec<SamplePoint>>;

/// All samples of a collection, each once. A source gives the same sample again until it has measured a
/// new one, so a sample is kept only when its time differs from that of the last one.
#[derive(Debug, Clone, Default)]
pub struct SampleLog {
    series: HashMap<Subject, Series>,
}

impl SampleLog {
    /// Adds a sample; returns whether it is a new one.
    pub fn push(&mut self, sample: Sample) -> bool {
        let series = self.series.entry(sample.subject).or_default();
        let points = series.entry((sample.quantity, sample.source)).or_default();
        let is_new = points
            .last()
            .is_none_or(|last| last.stamp != sample.point.stamp);
        if is_new {
            points.push(sample.point);
        }
        is_new
    }

    /// The points of one series, in the order in which they were received.
    pub fn points(&self, subject: &Subject, quantity: Quantity, source: Source) -> &[SamplePoint] {
        let series = self.series.get(subject);
        series
            .and_then(|series| series.get(&(quantity, source)))
            .map_or(&[], Vec::as_slice)
    }

    /// All pods and containers that have samples, sorted.
    pub fn subjects(&self) -> Vec<&Subject> {
        let mut subjects: Vec<&Subject> = self.series.keys().collect();
        subjects.sort();
        subjects
    }

    /// All samples, sorted by subject, quantity and source; each series in the order in which it was
    /// received.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + '_ {
        self.subjects().into_iter().flat_map(|subject| {
            let mut keys: Vec<_> = self.series[subject].iter().collect();
            keys.sort_by_key(|(key, _)| **key);
            keys.into_iter()
                .flat_map(move |((quantity, source), points)| {
                    points.iter().map(move |point| Sample {
                        subject: subject.clone(),
                        quantity: *quantity,
                        source: *source,
                        point: *point,
                    })
                })
        })
    }
}

impl FromIterator<Sample> for SampleLog {
    fn from_iter<I: IntoIterator<Item = Sample>>(samples: I) -> SampleLog {
        let mut log = SampleLog::default();
        for sample in samples {
            log.push(sample);
        }
        log
    }
}
