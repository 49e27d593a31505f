//! Which step comes next, from the plan and what has been measured so far. Resuming a sweep, leaving out rates
//! above one that was not held, searching for the capacity and ending a trial early are all decided here.

use super::plan::SweepPlan;
use crate::compare::{Step, Steps};
use crate::gate::Trial;
use crate::spec::StepKey;
use crate::units::Rate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The steps that were made so far, by which the next one is decided.
#[derive(Debug, Default)]
pub struct Progress {
    /// The steps that were measured, in this session or an earlier one.
    pub measured: Vec<Step>,
    /// The measured steps that missed the objective of a search for the capacity. An objective needs the
    /// whole result of a step, of which only figures are kept.
    pub missed: BTreeSet<StepKey>,
    /// The steps that failed in this session, which does not try them again.
    pub failed: Vec<StepKey>,
}

impl Progress {
    /// The measured steps as a set.
    pub fn steps(&self) -> Steps<'_> {
        Steps::from(&self.measured)
    }

    /// Whether a step was measured or has failed, under any number.
    pub fn is_done(&self, step: &StepKey) -> bool {
        self.keys().any(|key| key.is_same(step))
    }

    fn keys(&self) -> impl Iterator<Item = &StepKey> {
        let measured = self.measured.iter().map(|step| &step.key);
        measured.chain(&self.failed)
    }

    fn last_number(&self) -> u32 {
        let last = self.keys().map(|key| key.number).max();
        last.unwrap_or_default()
    }

    /// Whether the rate was held and the objective met; `None` when it is not known whether it was held.
    fn is_good(&self, step: &Step) -> Option<bool> {
        let held = step.stability.is_held();
        held.map(|held| held && !self.missed.contains(&step.key))
    }

    /// The number of steps that found a rate good, and of those that found it bad.
    fn counts(&self, arm: &str, rate: Rate) -> (usize, usize) {
        let steps = self.steps().arm(arm).at(rate);
        let found = |good: bool| steps.only(|step| self.is_good(step) == Some(good)).len();
        (found(true), found(false))
    }

    /// Whether a rate is good; `None` when it has to be measured, or measured again.
    fn judgement(&self, arm: &str, rate: Rate) -> Option<bool> {
        match self.counts(arm, rate) {
            (good, bad) if good > 0 && good >= bad => Some(true),
            (good, bad) if bad >= BAD_STEPS_NEEDED && bad > good => Some(false),
            _ => None,
        }
    }

    /// The number of steps of an arm at a rate that were measured or have failed.
    fn tries(&self, arm: &str, rate: Rate) -> usize {
        let at_point = |key: &&StepKey| key.is_at_point(arm, rate);
        self.keys().filter(at_point).count()
    }
}

/// The number of steps that must find a rate bad. A single step may have met a hiccup of the system.
const BAD_STEPS_NEEDED: usize = 2;
/// The number of steps beyond the plan after which a rate is given up, if they have failed or it is not known
/// whether they held it.
const EXTRA_TRIES: usize = 4;

/// The next step; `None` when the sweep is done.
pub fn next(plan: &SweepPlan, progress: &Progress, trial: Option<&Trial>) -> Option<StepKey> {
    if let Some(trial) = trial {
        return next_of_trial(plan, progress, trial);
    }
    if plan.find_capacity.is_some() {
        let arms = plan.arms.iter();
        let mut steps = arms.filter_map(|arm| next_of_search(plan, progress, &arm.name));
        return steps.next();
    }
    let steps = plan.steps();
    if plan.stop_when.is_some()
        && let Some(again) = confirmation(&steps, progress)
    {
        return Some(again);
    }
    steps.into_iter().find(|step| {
        let is_given_up = plan.stop_when.is_some() && is_above_bad_rate(progress, step);
        !progress.is_done(step) && !is_given_up
    })
}

/// The next step of a trial, which makes repetitions until enough is known. A repetition that was begun is
/// completed, because its steps are compared with each other.
fn next_of_trial(plan: &SweepPlan, progress: &Progress, trial: &Trial) -> Option<StepKey> {
    let steps = plan.steps_up_to(trial.last_repetition());
    let step = steps.into_iter().find(|step| !progress.is_done(step))?;
    let is_begun = progress.keys().any(|key| key.repetition == step.repetition);
    (is_begun || !trial.is_enough(&progress.steps())).then_some(step)
}

/// Whether the arm of a step did not hold a lower rate.
fn is_above_bad_rate(progress: &Progress, step: &StepKey) -> bool {
    let rates = progress.steps().arm(&step.arm).rates();
    let mut lower = rates.into_iter().filter(|rate| *rate < step.rate);
    lower.any(|rate| progress.judgement(&step.arm, rate) == Some(false))
}

/// A further step at a rate that a single step has found bad, as a repetition beyond those of the plan.
fn confirmation(steps: &[StepKey], progress: &Progress) -> Option<StepKey> {
    let doubtful = progress.measured.iter().find(|one| {
        progress.is_good(one) == Some(false)
            && progress.counts(&one.key.arm, one.key.rate) == (0, 1)
    })?;
    let (arm, rate) = (&doubtful.key.arm, doubtful.key.rate);
    let at_point = |step: &&StepKey| step.is_at_point(arm, rate);
    let known = steps.iter().chain(progress.keys()).filter(at_point);
    let repetition = known.map(|step| step.repetition).max();
    let again = StepKey {
        number: progress.last_number().max(steps.len() as u32) + 1,
        arm: arm.clone(),
        rate,
        repetition: repetition.unwrap_or_default() + 1,
    };
    // Without a limit, steps that fail or tell nothing would be repeated for ever.
    let planned = steps.iter().filter(at_point).count();
    (progress.tries(arm, rate) < planned + EXTRA_TRIES).then_some(again)
}

/// The two rates between which an arm's capacity lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bracket {
    /// The highest rate that was held and met the objective.
    pub good: Option<Rate>,
    /// The lowest rate that was not held or missed the objective.
    pub bad: Option<Rate>,
}

/// The bracket of an arm's capacity, from what has been measured so far.
pub fn bracket(progress: &Progress, arm: &str) -> Bracket {
    let rates = progress.steps().arm(arm).rates();
    let judged = |rate: &Rate, good: bool| progress.judgement(arm, *rate) == Some(good);
    let bad = rates.iter().copied().find(|rate| judged(rate, false));
    let is_below = |rate: &Rate| bad.is_none_or(|bad| *rate < bad);
    let mut good = rates.into_iter().rev();
    Bracket {
        good: good.find(|rate| judged(rate, true) && is_below(rate)),
        bad,
    }
}

/// Whether the search of an arm is finished: the bracket is as narrow as the plan asks, or the arm held the
/// plan's highest rate, or it did not hold the lowest one.
pub fn is_settled(plan: &SweepPlan, progress: &Progress, arm: &str) -> bool {
    let Some(search) = &plan.find_capacity else {
        return false;
    };
    match bracket(progress, arm) {
        Bracket {
            good: Some(good),
            bad: Some(bad),
        } => midpoint(good, bad, search.precision).is_none(),
        Bracket { good, bad: None } => good.is_some() && good == plan.rates.iter().max().copied(),
        Bracket { good: None, bad } => bad.is_some() && bad == plan.rates.iter().min().copied(),
    }
}

/// The next step of the search in an arm: a bisection between the plan's lowest and highest rate.
fn next_of_search(plan: &SweepPlan, progress: &Progress, arm: &str) -> Option<StepKey> {
    let precision = plan.find_capacity.as_ref()?.precision;
    let (low, high) = (*plan.rates.iter().min()?, *plan.rates.iter().max()?);
    let rate = match bracket(progress, arm) {
        Bracket { bad: None, .. } if progress.judgement(arm, high) == Some(true) => return None,
        Bracket {
            good: None,
            bad: Some(bad),
        } if bad <= low => return None,
        Bracket { good: None, .. } => low,
        Bracket { bad: None, .. } => high,
        Bracket {
            good: Some(good),
            bad: Some(bad),
        } => midpoint(good, bad, precision)?,
    };
    let tries = progress.tries(arm, rate);
    // The search ends when no step can tell whether the rate is held.
    (tries <= EXTRA_TRIES).then_some(StepKey {
        number: progress.last_number() + 1,
        arm: arm.to_owned(),
        rate,
        repetition: tries as u32 + 1,
    })
}

/// The rate in the middle of two, rounded as a person would; `None` when they differ by no more than
/// `precision`, a share of the lower one.
fn midpoint(good: Rate, bad: Rate, precision: f64) -> Option<Rate> {
    let (good, bad) = (good.as_f64(), bad.as_f64());
    if bad / good - 1.0 <= precision {
        return None;
    }
    let middle = (good + bad) / 2.0;
    let digit = 10f64.powf((bad - good).log10().floor() - 1.0);
    let round = (middle / digit).round() * digit;
    let rate = if good < round && round < bad {
        round
    } else {
        middle
    };
    Rate::per_second(rate)
}
