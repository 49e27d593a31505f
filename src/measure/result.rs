//! The result of a run: immutable, complete, knowing no format.

use super::{Distribution, Histogram, Note, Tally};
use crate::resources::Resources;
use crate::spec::{Phase, RunSpec, Target, Window};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// As planned.
    Complete,
    /// By a signal.
    Interrupted,
    /// By an error, such as one in a script.
    Aborted,
}

/// The machine and the program that made the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    /// Version of meshload.
    pub meshload: String,
    /// Kernel name, release and architecture.
    pub system: String,
    /// Model of the processor.
    pub processor: String,
    /// Cores that the process may use.
    pub cores: usize,
}

/// What the generator itself used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GeneratorUse {
    /// CPU seconds of the whole process while the load was on.
    pub cpu_seconds: f64,
    /// Largest resident memory so far, in bytes.
    pub max_rss_bytes: u64,
    /// By worker.
    pub threads: Vec<ThreadUse>,
}

/// What one worker used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThreadUse {
    /// CPU seconds while the load was on, those spent spinning included.
    pub cpu_seconds: f64,
    /// Of these, seconds spent spinning with nothing else to do.
    pub spin_seconds: f64,
    /// How long before a due time the timer was set to wake it, in nanoseconds.
    pub timer_lead_ns: u64,
}

/// One interval of a run, by the time of finishing (`scheduled` by due time).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// Start, since the load began.
    #[serde(rename = "start_ns")]
    pub start: Nanos,
    /// Length.
    #[serde(rename = "duration_ns")]
    pub duration: Nanos,
    /// What it belongs to.
    pub phase: Phase,
    /// Requests due in it; none in a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<u64>,
    /// Replies that finished in it.
    pub completed: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Bytes read in it.
    pub bytes_read: u64,
    /// Requests due and not yet sent at its end; none in a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u64>,
    /// Requests on the wire at its end.
    pub in_flight: u64,
    /// Latencies of the completed.
    #[serde(rename = "latency_ns", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Distribution>,
    /// Service times of the completed.
    #[serde(rename = "service_ns", skip_serializing_if = "Option::is_none")]
    pub service: Option<Distribution>,
    /// The generator's lateness.
    #[serde(rename = "late_ns", skip_serializing_if = "Option::is_none")]
    pub late: Option<Distribution>,
}

/// What was measured at one target.
#[derive(Debug, Clone)]
pub struct TargetResult {
    /// The URL.
    pub target: Target,
    /// The addresses that the connections were spread over.
    pub addresses: Vec<String>,
    /// Requests due in the window according to the schedule alone, for checking the tally against;
    /// unknown in a closed loop and where a script moves due times or batches requests.
    pub scheduled_by_ledger: Option<u64>,
    /// Counts and times.
    pub tally: Tally,
    /// One by one.
    pub intervals: Vec<Interval>,
    /// Replies per second of each worker in each whole interval of the window.
    pub thread_rates: Vec<f64>,
}

/// The results of all targets of a run, in the order of its specification, and their sum.
///
/// The sum is made when it is first asked for. Whoever changes a target through [`DerefMut`] discards it,
/// so it is never that of other values.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    results: Vec<TargetResult>,
    sum: OnceLock<Tally>,
}

impl Targets {
    /// The tally of all targets together.
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

/// Everything that a run found out.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// What was asked.
    pub spec: RunSpec,
    /// By whom.
    pub environment: Environment,
    /// How it ended.
    pub ending: Ending,
    /// Wall clock when the load began, nanoseconds since 1970.
    pub start_unix: Nanos,
    /// The measured window as it came to be: shorter than asked when the run was interrupted.
    pub window: Window,
    /// The results by target.
    pub targets: Targets,
    /// What the generator used.
    pub generator: GeneratorUse,
    /// What the user should know.
    pub notes: Vec<Note>,
    /// What the system under load used meanwhile, where a collector ran.
    pub resources: Option<Resources>,
}

/// A percentile, and whether it is known exactly or only from below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// The name, such as `p99`.
    pub name: &'static str,
    /// The value, in nanoseconds.
    pub value: u64,
    /// Unfinished requests could still raise it.
    pub is_lower_bound: bool,
    /// How many samples lie beyond it.
    pub beyond: u64,
}

impl RunResult {
    /// The targets as they were given.
    pub fn urls(&self) -> Vec<&str> {
        let targets = self.targets.iter();
        targets.map(|target| target.target.url.as_str()).collect()
    }

    /// The tally of all targets together.
    pub fn overall(&self) -> &Tally {
        self.targets.overall()
    }

    /// Replies finished in the window per second, whenever their requests were due.
    pub fn rate_achieved(&self) -> f64 {
        let seconds = self.window.length().as_secs_f64();
        self.overall().finished_in_window as f64 / seconds.max(1e-9)
    }

    /// Whether the requests had due times.
    pub fn is_open_loop(&self) -> bool {
        self.spec.schedule().is_some()
    }
}

impl Tally {
    /// The latencies that are printed; service times where there were no due times.
    pub fn response_times(&self, is_open_loop: bool) -> Histogram {
        if is_open_loop {
            self.latency_with_censored()
        } else {
            self.service.clone()
        }
    }

    /// Percentiles of the latency under both bounds of the unfinished: at their age, and never
    /// finishing. Where both agree within one percent the percentile stands, else it is a lower
    /// bound. (Nearer, the distance between two neighbouring samples of a short run would already
    /// make a bound of every percentile as soon as one request is in flight at the end.)
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

fn agree(one: u64, other: u64) -> bool {
    one.abs_diff(other) as f64 <= one.max(other) as f64 * 0.01
}
