//! Raw samples: what a source said, when it says that it measured it, and when we heard it.

use super::Quantity;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where a sample comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A command run in the container at the window's edges: the counter at that very moment.
    Exec,
    /// The kubelet's `/metrics/resource`: stamps in milliseconds.
    MetricsResource,
    /// The kubelet's `/metrics/cadvisor`: stamps in milliseconds.
    MetricsCadvisor,
    /// The kubelet's `/stats/summary`: stamps in whole seconds.
    StatsSummary,
    /// metrics-server: smoothed by somebody else's window.
    MetricsServer,
    /// The list of pods.
    PodList,
    /// /proc and the cgroup files of this machine.
    Proc,
}

impl Source {
    /// Best first. CPU and memory come with finer stamps from `/metrics/resource`; what was read at
    /// the window's edges needs no stamps of others at all.
    pub const BEST_FIRST: [Source; 7] = [
        Source::Proc,
        Source::Exec,
        Source::PodList,
        Source::MetricsResource,
        Source::StatsSummary,
        Source::MetricsCadvisor,
        Source::MetricsServer,
    ];

    /// As it stands in files.
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

    /// Whether its stamps are of the node's clock; the others are stamped by us.
    pub fn is_stamped_by_node(self) -> bool {
        matches!(
            self,
            Source::MetricsResource
                | Source::MetricsCadvisor
                | Source::StatsSummary
                | Source::MetricsServer
        )
    }

    /// The source of that name.
    pub fn of_name(name: &str) -> Option<Source> {
        Source::BEST_FIRST
            .into_iter()
            .find(|source| source.name() == name)
    }
}

/// Whom a sample is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The node.
    pub node: String,
    /// The namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid: a name can be given again, a uid cannot.
    pub uid: String,
    /// The container; `None` for the pod as a whole.
    pub container: Option<String>,
}

/// One number of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When it was measured, on the clock of the node; nanoseconds since 1970.
    pub stamp: Nanos,
    /// When it reached us, on our clock; nanoseconds since 1970.
    pub received: Nanos,
    /// In the quantity's base unit (nanoseconds, bytes, counts).
    pub value: u64,
    /// When the container says it was started: another start, another counter.
    pub epoch: Option<Nanos>,
}

/// A point with whom and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Whom.
    pub subject: Subject,
    /// What.
    pub quantity: Quantity,
    /// Who says so.
    pub source: Source,
    /// The number and its times.
    pub point: Point,
}

type Series = HashMap<(Quantity, Source), Vec<Point>>;

/// All samples of a collection, without repetitions: sources serve the same datum until they have a
/// new one, so a datum is kept when its stamp differs from the last.
#[derive(Debug, Clone, Default)]
pub struct SampleLog {
    series: HashMap<Subject, Series>,
}

impl SampleLog {
    /// Takes a sample; false when it is the datum that was there already.
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

    /// The points of one series, in the order in which they came; empty when there are none.
    pub fn points(&self, subject: &Subject, quantity: Quantity, source: Source) -> &[Point] {
        let series = self.series.get(subject);
        series
            .and_then(|series| series.get(&(quantity, source)))
            .map_or(&[], Vec::as_slice)
    }

    /// Everybody it knows something about, sorted.
    pub fn subjects(&self) -> Vec<&Subject> {
        let mut subjects: Vec<&Subject> = self.series.keys().collect();
        subjects.sort();
        subjects
    }

    /// Everything, sorted by subject, quantity and source, each series in its order of arrival.
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
