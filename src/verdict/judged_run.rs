//! A run together with its verdict and its stability.

use super::{PercentileInterval, Stability, Verdict, stability, verdict};
use crate::measure::{Distribution, Ending, RunResult};
use crate::resources::Bucket;
use crate::units::Nanos;

/// The result of a run, the verdict on the generator, and whether the system held the rate.
#[derive(Debug, Clone)]
pub struct JudgedRun {
    pub result: RunResult,
    /// Whether the generator did its work, so that the numbers can be used.
    pub verdict: Verdict,
    /// Whether the system held the rate.
    pub stability: Stability,
}

impl JudgedRun {
    /// Judges a run.
    pub fn judge(result: RunResult) -> JudgedRun {
        let verdict = verdict(&result);
        JudgedRun::with_verdict(result, verdict)
    }

    /// A run with the verdict that it was given when it was measured; only the stability is computed.
    pub fn with_verdict(result: RunResult, verdict: Verdict) -> JudgedRun {
        JudgedRun {
            stability: stability(&result, &verdict),
            result,
            verdict,
        }
    }

    /// Whether the run ended as planned and completed at least one request.
    pub fn is_whole(&self) -> bool {
        let mut targets = self.result.targets.iter();
        self.result.ending == Ending::Complete && targets.any(|one| one.tally.completed > 0)
    }
}

/// A run together with the other files of its folder.
#[derive(Debug, Clone)]
pub struct MeasuredRun {
    /// The name of the run beside others; empty for a single run.
    pub name: String,
    pub judged: JudgedRun,
    /// The intervals of the percentiles; empty where the interval log cannot be read or the run was too short.
    pub intervals: Vec<PercentileInterval>,
    /// The distribution of the lateness in each second. The time is the middle of the second, since the
    /// beginning of the load. Empty where the interval log cannot be read, and in a closed loop.
    pub lag: Vec<(Nanos, Distribution)>,
    /// The use of pods over time; empty without samples.
    pub timeline: Vec<Bucket>,
    /// The files that could not be read, with the reasons.
    pub notes: Vec<String>,
}
