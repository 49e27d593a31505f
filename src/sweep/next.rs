//! Which step comes next, from the plan and what has been measured: resuming, giving up rates that are
//! not held, looking for the capacity and ending a trial early are all this one question.

use super::plan::SweepPlan;
use crate::compare::{Step, Steps};
use crate::gate::Trial;
use crate::spec::StepKey;
use crate::units::Rate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the next step is decided by.
#[derive(Debug, Default)]
pub struct Progress {
    /// The steps that were measured, in this session or an earlier one.
    pub measured: Vec<Step>,
    /// The measured steps that missed the objective of a search for the capacity.
    pub missed: BTreeSet<StepKey>,
    /// The steps that failed in this session; they are left out of what is still to come.
    pub failed: Vec<StepKey>,
}

impl Progress {
    /// The measured steps as a set.
    pub fn steps(&self) -> Steps<'_> {
        Steps::from(&self.measured)
    }

    /// Whether a step was measured or failed, whatever its number was then.
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

    /// Whether the rate was held and the objective met; `None` when that cannot be told.
    fn is_good(&self, step: &Step) -> Option<bool> {
        let held = step.stability.is_held();
        held.map(|held| held && !self.missed.contains(&step.key))
    }

    /// How often a rate was found good and bad.
    fn counts(&self, arm: &str, rate: Rate) -> (usize, usize) {
        let steps = self.steps().arm(arm).at(rate);
        let found = |good: bool| steps.only(|step| self.is_good(step) == Some(good)).len();
        (found(true), found(false))
    }

    /// Whether a rate is good, bad, or has to be measured (again).
    fn judgement(&self, arm: &str, rate: Rate) -> Option<bool> {
        match self.counts(arm, rate) {
            (good, bad) if good > 0 && good >= bad => Some(true),
            (good, bad) if bad >= TWICE && bad > good => Some(false),
            _ => None,
        }
    }

    /// How often a rate was tried in an arm.
    fn tries(&self, arm: &str, rate: Rate) -> usize {
        let at_point = |key: &&StepKey| key.is_at_point(arm, rate);
        self.keys().filter(at_point).count()
    }
}

/// A rate has to fail this often: one hiccup is no verdict on a system.
const TWICE: usize = 2;
/// A rate of which nothing can be told is measured this often beyond the plan, and then left alone.
const MORE_TRIES: usize = 4;

/// The next step; `None` when there is nothing left to do.
pub fn next(plan: &SweepPlan, progress: &Progress, trial: Option<&Trial>) -> Option<StepKey> {
    if let Some(trial) = trial {
        return next_of_trial(plan, progress, trial);
    }
    if plan.find_capacity.is_some() {
        let arms = plan.arms.iter();
        let mut steps = arms.filter_map(|arm| next_plateau(plan, progress, &arm.name));
        return steps.next();
    }
    let steps = plan.steps();
    if plan.stop_when.is_some()
        && let Some(again) = unconfirmed(&steps, progress)
    {
        return Some(again);
    }
    steps.into_iter().find(|step| {
        let is_given_up = plan.stop_when.is_some() && is_beyond(progress, step);
        !progress.is_done(step) && !is_given_up
    })
}

/// The next step of repetitions that are made until enough is known. A repetition that was begun is
/// completed: its steps are compared with each other.
fn next_of_trial(plan: &SweepPlan, progress: &Progress, trial: &Trial) -> Option<StepKey> {
    let steps = plan.steps_up_to(trial.last_repetition());
    let step = steps.into_iter().find(|step| !progress.is_done(step))?;
    let is_begun = progress.keys().any(|key| key.repetition == step.repetition);
    (is_begun || !trial.is_enough(&progress.steps())).then_some(step)
}

/// Whether a lower rate of its arm was not held, twice.
fn is_beyond(progress: &Progress, step: &StepKey) -> bool {
    let rates = progress.steps().arm(&step.arm).rates();
    let mut lower = rates.into_iter().filter(|rate| *rate < step.rate);
    lower.any(|rate| progress.judgement(&step.arm, rate) == Some(false))
}

/// Another step at a rate that was not held once, as a repetition beyond the plan's.
fn unconfirmed(steps: &[StepKey], progress: &Progress) -> Option<StepKey> {
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
    // Steps that fail, and steps of which nothing can be told, are not repeated for ever.
    let planned = steps.iter().filter(at_point).count();
    (progress.tries(arm, rate) < planned + MORE_TRIES).then_some(again)
}

/// Where an arm's capacity lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bracket {
    /// The highest rate that is good.
    pub good: Option<Rate>,
    /// The lowest rate that is not.
    pub bad: Option<Rate>,
}

/// What has been found about the capacity of an arm.
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

/// Whether the bracket is as near as the plan asks, or open because a rate at its end says so.
pub fn is_settled(plan: &SweepPlan, progress: &Progress, arm: &str) -> bool {
    let Some(search) = &plan.find_capacity else {
        return false;
    };
    match bracket(progress, arm) {
        Bracket {
            good: Some(good),
            bad: Some(bad),
        } => between(good, bad, search.precision).is_none(),
        Bracket { good, bad: None } => good.is_some() && good == plan.rates.iter().max().copied(),
        Bracket { good: None, bad } => bad.is_some() && bad == plan.rates.iter().min().copied(),
    }
}

/// The next rate of a bisection between the plan's lowest and highest rate.
fn next_plateau(plan: &SweepPlan, progress: &Progress, arm: &str) -> Option<StepKey> {
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
        } => between(good, bad, precision)?,
    };
    let tries = progress.tries(arm, rate);
    // Neither held nor not held, again and again: there is nothing to be found this way.
    (tries <= MORE_TRIES).then_some(StepKey {
        number: progress.last_number() + 1,
        arm: arm.to_owned(),
        rate,
        repetition: tries as u32 + 1,
    })
}

/// The middle, rounded to what people would write; `None` when they are near enough.
fn between(good: Rate, bad: Rate, precision: f64) -> Option<Rate> {
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
