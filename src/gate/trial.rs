//! Runs of a new build at one rate, made until enough is known: how many that takes, what they are held
//! against, and when there are enough.

use super::{MaxRegression, Pairing, RegressionOutcome, are_narrow, regressions};
use crate::compare::{Step, Steps};
use crate::statistics::BLOCKS_FOR_AN_INTERVAL;
use crate::units::Rate;
use crate::verdict::Level;

/// The arm whose runs are judged.
pub const NEW_ARM: &str = "new";
/// The arm of a system that is measured in turns with the new one.
pub const BASELINE_ARM: &str = "baseline";

/// What new runs are held against.
#[derive(Debug, Clone, Default)]
pub enum TrialBase {
    /// Nothing: the runs speak for themselves.
    #[default]
    None,
    /// Runs from before.
    Kept(Vec<Step>),
    /// Another system, which is measured in turns as [`BASELINE_ARM`].
    InTurns,
}

/// The rule by which runs are made until enough is known.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// From this many believable repetitions on something can be resolved.
    pub needed: usize,
    /// This many believable repetitions are enough in any case.
    pub most: usize,
    /// By how much the new runs may be worse.
    pub limits: Vec<MaxRegression>,
    /// What the new runs are held against.
    pub base: TrialBase,
}

/// Fewer runs were asked for than could tell a regression from chance, so that nothing could fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFewRuns {
    /// How many were asked for.
    pub asked: usize,
    /// The fewest that could tell.
    pub needed: usize,
    /// How both sides belong together.
    pub pairing: Pairing,
}

/// Why steps cannot be the baseline of new runs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnusableBaseline {
    /// The rate was not measured.
    #[error(
        "has no run at {rate}/s but at {}; give -R one of these, or another baseline",
        shown(rates)
    )]
    OtherRates {
        /// The rate that is wanted.
        rate: Rate,
        /// The rates that there are.
        rates: Vec<Rate>,
    },
    /// The generator failed in every run.
    #[error("has only runs that are INVALID; make it again")]
    Invalid,
    /// The rate was held in half of the runs or fewer.
    #[error(
        "did not hold {0}/s: its latencies say how long the run lasted, not what a request takes; measure both at a lower rate"
    )]
    NotHeld(Rate),
    /// A limit is on something that was not measured.
    #[error(
        "has no figure above 0 for {0}; leave it out of --max-regression, or make the baseline with a collector"
    )]
    NoFigure(String),
}

fn shown(rates: &[Rate]) -> String {
    let rates: Vec<String> = rates.iter().map(|rate| format!("{rate}/s")).collect();
    rates.join(", ")
}

/// The steps at a rate that new runs can be held against.
///
/// # Errors
/// [`UnusableBaseline`] where nothing could come of it.
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
    /// A trial of at most so many repetitions; of as many as can resolve something, and one without a
    /// baseline, where `most` is left open.
    ///
    /// # Errors
    /// [`TooFewRuns`] for a trial that could not fail.
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

    /// How the runs of both sides belong together; `None` without a baseline.
    pub fn pairing(&self) -> Option<Pairing> {
        match self.base {
            TrialBase::None => None,
            TrialBase::Kept(_) => Some(Pairing::Apart),
            TrialBase::InTurns => Some(Pairing::Blocks),
        }
    }

    /// Repetitions are made at most up to this one: an INVALID repetition is made again, at most as
    /// often as there are repetitions to make.
    pub fn last_repetition(&self) -> u32 {
        2 * self.most as u32
    }

    /// Whether no more repetitions are needed. Repetitions in which the rate was not held have no
    /// latencies to compare, so others are made in their place, unless not to hold it is the rule.
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

    /// The new runs against the baseline, over the repetitions that can be believed; nothing without
    /// a baseline.
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

    /// Whether the runs say something of the system: at most half of each side are INVALID, and there
    /// is a repetition in which no run is.
    pub fn is_believed(&self, steps: &Steps<'_>) -> bool {
        let sides: &[&str] = match self.base {
            TrialBase::InTurns => &[NEW_ARM, BASELINE_ARM],
            TrialBase::None | TrialBase::Kept(_) => &[NEW_ARM],
        };
        let is_side_believed = |arm: &&str| {
            let steps = steps.arm(arm);
            let invalid = steps.only(|step| step.level == Some(Level::Invalid));
            invalid.len() * 2 <= steps.len()
        };
        sides.iter().all(is_side_believed) && !steps.in_valid_repetitions().is_empty()
    }
}

#[cfg(test)]
mod tests;
