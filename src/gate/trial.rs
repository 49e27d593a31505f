//! A trial: runs of a new build at one rate, which are repeated until a comparison with the baseline is
//! resolved. This file says what the baseline is, how many runs are needed, and when they are enough.

use super::{MaxRegression, Pairing, RegressionOutcome, are_narrow, regressions};
use crate::compare::{Step, Steps};
use crate::statistics::BLOCKS_FOR_AN_INTERVAL;
use crate::units::Rate;

/// The name of the arm whose runs are judged.
pub const NEW_ARM: &str = "new";
/// The name of the arm of a baseline that is measured in turns with the new system.
pub const BASELINE_ARM: &str = "baseline";

/// The baseline of a trial.
#[derive(Debug, Clone, Default)]
pub enum TrialBase {
    /// No baseline: the runs are judged by thresholds alone.
    #[default]
    None,
    /// Steps that were measured earlier.
    Kept(Vec<Step>),
    /// Another system, which is measured in turns with the new one as [`BASELINE_ARM`].
    InTurns,
}

/// The rule for how many runs are made.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// The smallest number of valid repetitions that could resolve anything.
    pub needed: usize,
    /// The number of valid repetitions after which no more are made.
    pub most: usize,
    pub limits: Vec<MaxRegression>,
    pub base: TrialBase,
}

/// Fewer runs were asked for than could tell a regression from chance, so that the check could not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFewRuns {
    pub asked: usize,
    /// The smallest number that could resolve anything.
    pub needed: usize,
    pub pairing: Pairing,
}

/// The reason for which steps cannot be a baseline. The text follows the name of the folder.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnusableBaseline {
    /// No step has the wanted rate.
    #[error(
        "has no run at {rate}/s but at {}; give -R one of these, or another baseline",
        shown(rates)
    )]
    OtherRates {
        rate: Rate,
        /// The rates that were measured.
        rates: Vec<Rate>,
    },
    /// Every step is INVALID, because the generator failed.
    #[error("has only runs that are INVALID; make it again")]
    Invalid,
    /// Half of the steps or fewer held the rate.
    #[error(
        "did not hold {0}/s: its latencies say how long the run lasted, not what a request takes; measure both at a lower rate"
    )]
    NotHeld(Rate),
    /// A limit is on a metric that the baseline has no value of.
    #[error(
        "has no figure above 0 for {0}; leave it out of --max-regression, or make the baseline with a collector"
    )]
    NoFigure(String),
}

fn shown(rates: &[Rate]) -> String {
    let rates: Vec<String> = rates.iter().map(|rate| format!("{rate}/s")).collect();
    rates.join(", ")
}

/// The steps of a baseline at a rate, without those that are INVALID.
///
/// # Errors
/// [`UnusableBaseline`] where a comparison with these steps could not resolve anything.
pub fn usable_baseline<'a>(
    steps: &Steps<'a>,
    rate: Rate,
    limits: &[MaxRegression],
) -> Result<Steps<'a>, UnusableBaseline> {
    let at_rate = steps.at(rate);
    if at_rate.is_empty() {
        let rates = steps.rates();
        return Err(UnusableBaseline::OtherRates { rate, rates });
    }
    let valid = at_rate.valid();
    if valid.is_empty() {
        return Err(UnusableBaseline::Invalid);
    }
    if !valid.are_mostly_held() {
        return Err(UnusableBaseline::NotHeld(rate));
    }
    let held = valid.held();
    let is_unknown = |limit: &&MaxRegression| !held.iter().any(|step| limit.is_known(step));
    match limits.iter().find(is_unknown) {
        Some(limit) => Err(UnusableBaseline::NoFigure(limit.metric.clone())),
        None => Ok(valid),
    }
}

impl Trial {
    /// A trial of at most `most` valid repetitions. The default is the number that an interval needs, and one
    /// without a baseline.
    ///
    /// # Errors
    /// [`TooFewRuns`] where `most` is so small that the trial could not fail.
    pub fn new(
        base: TrialBase,
        limits: Vec<MaxRegression>,
        most: Option<usize>,
    ) -> Result<Trial, TooFewRuns> {
        let mut trial = Trial {
            limits,
            base,
            ..Trial::default()
        };
        let Some(pairing) = trial.pairing() else {
            trial.most = most.unwrap_or(1);
            trial.needed = trial.most;
            return Ok(trial);
        };
        let held = match &trial.base {
            TrialBase::Kept(steps) => Steps::from(steps).held().len(),
            TrialBase::None | TrialBase::InTurns => 0,
        };
        trial.needed = pairing.runs_needed(held);
        trial.most = most.unwrap_or(BLOCKS_FOR_AN_INTERVAL.max(trial.needed));
        if trial.most < trial.needed {
            return Err(TooFewRuns {
                asked: trial.most,
                needed: trial.needed,
                pairing,
            });
        }
        Ok(trial)
    }

    /// The relation in time between the runs of both sides; `None` without a baseline.
    pub fn pairing(&self) -> Option<Pairing> {
        match self.base {
            TrialBase::None => None,
            TrialBase::Kept(_) => Some(Pairing::Apart),
            TrialBase::InTurns => Some(Pairing::Blocks),
        }
    }

    /// The number of the last repetition that may be made. INVALID repetitions are replaced, so up to twice
    /// the wanted number are made.
    pub fn last_repetition(&self) -> u32 {
        2 * self.most as u32
    }

    /// Whether no more repetitions are needed. A repetition that did not hold the rate has no latencies to
    /// compare and is replaced, unless half of the repetitions or more did not hold it.
    pub fn is_enough(&self, steps: &Steps<'_>) -> bool {
        let valid = steps.in_valid_repetitions();
        let believed = valid.repetitions().len();
        if self.pairing().is_none() {
            return believed >= self.most;
        }
        let held = valid.arm(NEW_ARM).held().len();
        let is_lost = held * 2 <= believed;
        match believed {
            few if few < self.needed => false,
            all if all >= self.most => held >= self.needed || is_lost,
            _ => are_narrow(&self.regressions(steps)),
        }
    }

    /// Compares the new runs with the baseline, over the repetitions without an INVALID run; empty without a
    /// baseline.
    pub fn regressions(&self, steps: &Steps<'_>) -> Vec<RegressionOutcome> {
        let valid = steps.in_valid_repetitions();
        let new = valid.arm(NEW_ARM);
        match &self.base {
            TrialBase::None => Vec::new(),
            TrialBase::Kept(base) => {
                regressions(&self.limits, &Steps::from(base), &new, Pairing::Apart)
            }
            TrialBase::InTurns => {
                let base = valid.arm(BASELINE_ARM);
                regressions(&self.limits, &base, &new, Pairing::Blocks)
            }
        }
    }

    /// Whether the runs can be used to judge the system: at most half of each side are INVALID, and at least
    /// one repetition has no INVALID run.
    pub fn is_believed(&self, steps: &Steps<'_>) -> bool {
        let sides: &[&str] = match self.base {
            TrialBase::InTurns => &[NEW_ARM, BASELINE_ARM],
            TrialBase::None | TrialBase::Kept(_) => &[NEW_ARM],
        };
        let is_side_believed = |arm: &&str| {
            let steps = steps.arm(arm);
            let invalid = steps.only(|step| !step.is_valid());
            invalid.len() * 2 <= steps.len()
        };
        sides.iter().all(is_side_believed) && !steps.in_valid_repetitions().is_empty()
    }
}

#[cfg(test)]
mod tests;
