//! The complete result of a run, which is what verdicts, files and reports are made from.

use super::{Distribution, Histogram, Note, Tally};
use crate::resources::Resources;
use crate::spec::{Phase, RunSpec, Target, Window};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

/// How a run ended, in files and pages called its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The load went on for as long as was asked for.
    Complete,
    /// A signal stopped the load.
    Interrupted,
    /// An error stopped the load, such as one in a script.
    Aborted,
}

/// The machine and the program that made the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    /// Version of meshload.
    pub meshload: String,
    /// Name, release and architecture of the kernel.
    pub system: String,
    /// Model of the processor.
    pub processor: String,
    /// Number of cores that the process may use.
    pub cores: usize,
}

/// The resources that the generator used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GeneratorUse {
    /// CPU seconds of the whole process while the load was on.
    pub cpu_seconds: f64,
    /// Largest resident memory since the process began, in bytes.
    pub max_rss_bytes: u64,
    /// The resources of each worker.
    pub threads: Vec<ThreadUse>,
}

/// The resources that one worker used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThreadUse {
    /// CPU seconds while the load was on, including `spin_seconds`.
    pub cpu_seconds: f64,
    /// CPU seconds in which the worker polled for a due time and had nothing else to do.
    pub spin_seconds: f64,
    /// The time before a due time for which the timer was set, in nanoseconds.
    pub timer_lead_ns: u64,
}

/// One interval of a run. Replies and failures belong to the interval in which they come, and `scheduled`
/// counts the requests whose due times lie in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// Nanoseconds from the beginning of the load to the beginning of the interval.
    #[serde(rename = "start_ns")]
    pub start: Nanos,
    #[serde(rename = "duration_ns")]
    pub duration: Nanos,
    /// The phase of the run in which the interval begins.
    pub phase: Phase,
    /// The number of requests that were due; absent in a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<u64>,
    /// The number of replies that were read to their end.
    pub completed: u64,
    /// The number of requests that failed.
    pub failed: u64,
    /// The number of bytes that were read.
    pub bytes_read: u64,
    /// The number of requests that were due and not yet sent at the end of the interval; absent in a
    /// closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u64>,
    /// The number of requests that were in flight at the end of the interval.
    pub in_flight: u64,
    /// Latencies of the completed requests.
    #[serde(rename = "latency_ns", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Distribution>,
    /// Service times of the completed requests.
    #[serde(rename = "service_ns", skip_serializing_if = "Option::is_none")]
    pub service: Option<Distribution>,
    /// Lateness of the generator for the completed requests.
    #[serde(rename = "late_ns", skip_serializing_if = "Option::is_none")]
    pub late: Option<Distribution>,
}

/// What was measured at one target.
#[derive(Debug, Clone)]
pub struct TargetResult {
    pub target: Target,
    /// The addresses that the connections were spread over.
    pub addresses: Vec<String>,
    /// The number of requests that the schedule alone puts into the window, against which the tally is
    /// checked. `None` in a closed loop, and where a script moves due times or batches requests.
    pub scheduled_by_ledger: Option<u64>,
    pub tally: Tally,
    /// The intervals of the run, in order.
    pub intervals: Vec<Interval>,
    /// Replies per second, one number for each worker and whole interval of the window. wrk prints
    /// their mean and deviation as "Req/Sec".
    pub thread_rates: Vec<f64>,
}

/// The results of all targets of a run, in the order of its specification, and the sum of their tallies.
///
/// The sum is made when it is first asked for and kept. [`DerefMut`] discards it, so the sum is never that
/// of outdated results.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    results: Vec<TargetResult>,
    sum: OnceLock<Tally>,
}

impl Targets {
    /// The sum of the tallies of all targets.
    pub fn overall(&self) -> &Tally {
        match self.results.as_slice() {
            [only] => &only.tally,
            several => self.sum.get_or_init(|| {
                let mut sum = Tally::default();
                several.iter().for_each(|one| sum.merge(&one.tally));
                sum
            }),
        }
    }
}

impl From<Vec<TargetResult>> for Targets {
    fn from(results: Vec<TargetResult>) -> Targets {
        let sum = OnceLock::new();
        Targets { results, sum }
    }
}

impl FromIterator<TargetResult> for Targets {
    fn from_iter<I: IntoIterator<Item = TargetResult>>(results: I) -> Targets {
        results.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Targets {
    type Item = &'a TargetResult;
    type IntoIter = std::slice::Iter<'a, TargetResult>;

    fn into_iter(self) -> Self::IntoIter {
        self.results.iter()
    }
}

impl Deref for Targets {
    type Target = Vec<TargetResult>;

    fn deref(&self) -> &Vec<TargetResult> {
        &self.results
    }
}

impl DerefMut for Targets {
    fn deref_mut(&mut self) -> &mut Vec<TargetResult> {
        self.sum.take();
        &mut self.results
    }
}

/// Everything that was measured in a run.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// What the user asked for.
    pub spec: RunSpec,
    /// The machine and the program that made the load.
    pub environment: Environment,
    pub ending: Ending,
    /// The wall clock when the load began, in nanoseconds since 1970.
    pub start_unix: Nanos,
    /// The measured window. It is shorter than the one that was asked for when the run was interrupted.
    pub window: Window,
    pub targets: Targets,
    pub generator: GeneratorUse,
    pub notes: Vec<Note>,
    /// The resources that the system under load used; `None` where no collector ran.
    pub resources: Option<Resources>,
}

/// A percentile of the latency, and whether its value is known or only a lower bound of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// The name, such as `p99`.
    pub name: &'static str,
    /// The value in nanoseconds.
    pub value: u64,
    /// Whether the unfinished requests could raise the value by more than one percent.
    pub is_lower_bound: bool,
    /// The number of samples that lie beyond the percentile.
    pub beyond: u64,
}

impl RunResult {
    /// The URLs of the targets, as they were given.
    pub fn urls(&self) -> Vec<&str> {
        let targets = self.targets.iter();
        targets.map(|target| target.target.url.as_str()).collect()
    }

    /// The sum of the tallies of all targets.
    pub fn overall(&self) -> &Tally {
        self.targets.overall()
    }

    /// Replies per second that were finished in the window, whenever their requests were due.
    pub fn rate_achieved(&self) -> f64 {
        self.per_second(self.overall().finished_in_window)
    }

    /// A count of what happened in the window, per second of the window; 0 for an empty window, in which
    /// nothing can happen.
    pub fn per_second(&self, count: u64) -> f64 {
        let length = self.window.length();
        if length.is_zero() {
            return 0.0;
        }
        count as f64 / length.as_secs_f64()
    }

    /// Whether the load was an open loop, in which requests have due times.
    pub fn is_open_loop(&self) -> bool {
        self.spec.schedule().is_some()
    }
}

impl Tally {
    /// The times that are printed as latencies: those with due times, or the service times of a closed loop.
    pub fn response_times(&self, is_open_loop: bool) -> Histogram {
        if is_open_loop {
            self.latency_with_censored()
        } else {
            self.service.clone()
        }
    }

    /// The percentiles of the latency, in the order of [`Distribution::PERCENTILES`]; empty without a
    /// request.
    ///
    /// An unfinished request takes at least its age and at most for ever. A percentile is taken under both
    /// assumptions. Where the two values differ by more than one percent, the lower is given and marked as
    /// a lower bound. A smaller tolerance would mark every percentile of a short run as soon as one
    /// request is in flight at its end, because neighbouring samples are that far apart.
    pub fn latency_percentiles(&self) -> Vec<Percentile> {
        let printed = self.latency_with_censored();
        let total = printed.len();
        if total == 0 {
            return Vec::new();
        }
        let completed = self.latency.len();
        let percentile = |(name, share): (&'static str, f64)| {
            let value = printed.value_at_quantile(share);
            let rank = ((share * total as f64).ceil() as u64).clamp(1, total);
            let never_finishing = (rank <= completed).then(|| {
                self.latency
                    .value_at_quantile(rank as f64 / completed as f64)
            });
            Percentile {
                name,
                value,
                is_lower_bound: never_finishing.is_none_or(|other| !agree(value, other)),
                beyond: total - rank,
            }
        };
        Distribution::PERCENTILES.map(percentile).to_vec()
    }
}

/// Whether two values differ by at most one percent of the larger one.
fn agree(one: u64, other: u64) -> bool {
    one.abs_diff(other) as f64 <= one.max(other) as f64 * 0.01
}
