//! A run with what is to be thought of it.

use super::{PercentileInterval, Stability, Verdict, stability, verdict};
use crate::measure::{Distribution, Ending, RunResult};
use crate::resources::Stretch;
use crate::units::Nanos;

/// What a run found out, whether that can be believed, and whether the rate was held.
#[derive(Debug, Clone)]
pub struct JudgedRun {
    /// What was measured.
    pub result: RunResult,
    /// The verdict on the generator.
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

    /// A run whose verdict was given when it was measured.
    pub fn with_verdict(result: RunResult, verdict: Verdict) -> JudgedRun {
        JudgedRun {
            stability: stability(&result, &verdict),
            result,
            verdict,
        }
    }

    /// Whether the run went to its end and a request was completed in it.
    pub fn is_whole(&self) -> bool {
        let mut targets = self.result.targets.iter();
        self.result.ending == Ending::Complete && targets.any(|one| one.tally.completed > 0)
    }
}

/// A run with what its folder holds beside run.json.
#[derive(Debug, Clone)]
pub struct MeasuredRun {
    /// What the run is called beside others; empty where it is alone.
    pub name: String,
    /// The run itself.
    pub judged: JudgedRun,
    /// The intervals of the percentiles; empty without a readable log, or when the run was too short.
    pub intervals: Vec<PercentileInterval>,
    /// How late requests were sent, second by second; the time is the middle of the second, since the
    /// load began. Empty without a readable log and in a closed loop.
    pub lag: Vec<(Nanos, Distribution)>,
    /// What pods used over time; empty without samples.
    pub timeline: Vec<Stretch>,
    /// Which files could not be read, and why.
    pub notes: Vec<String>,
}
