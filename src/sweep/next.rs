//! Which step comes next, from the plan and what has been measured: resuming, giving up rates that
//! are not held, and looking for the capacity are all this one question.

use super::plan::{Step, SweepPlan};
use crate::units::Rate;
use serde::{Deserialize, Serialize};

/// A step that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Which.
    pub step: Step,
    /// Whether the rate was held and the objective met; `None` when nobody can tell.
    pub is_good: Option<bool>,
}

/// A rate has to fail this often: one hiccup is no verdict on a system.
const TWICE: usize = 2;
/// A rate of which nobody can tell is measured so often beyond the plan, and then let be.
const MORE_TRIES: usize = 4;

/// The next step; `None` when there is nothing left to do. A step that failed is in `failed` and is
/// left out; what follows from it is decided without it.
pub fn next(plan: &SweepPlan, measured: &[Measured], failed: &[Step]) -> Option<Step> {
    if plan.find_capacity.is_some() {
        let arms = 0..plan.arms.len();
        let mut steps = arms.filter_map(|arm| next_plateau(plan, measured, failed, arm));
        return steps.next();
    }
    let steps = plan.steps();
    if plan.stop_when.is_some()
        && let Some(again) = unconfirmed(&steps, measured, failed)
    {
        return Some(again);
    }
    steps.into_iter().find(|step| {
        let is_same = |other: &Step| other.number == step.number;
        let is_done = measured.iter().any(|one| is_same(&one.step)) || failed.iter().any(is_same);
        let is_given_up = plan.stop_when.is_some() && is_beyond(measured, step);
        !is_done && !is_given_up
    })
}

/// How often a rate was found good and bad.
fn counts(measured: &[Measured], arm: usize, rate: Rate) -> (usize, usize) {
    let found = |good: bool| {
        measured
            .iter()
            .filter(|one| one.step.arm == arm && one.step.rate == rate)
            .filter(|one| one.is_good == Some(good))
            .count()
    };
    (found(true), found(false))
}

/// Whether a rate is good, bad, or has to be measured (again).
fn judgement(measured: &[Measured], arm: usize, rate: Rate) -> Option<bool> {
    match counts(measured, arm, rate) {
        (good, bad) if good > 0 && good >= bad => Some(true),
        (good, bad) if bad >= TWICE && bad > good => Some(false),
        _ => None,
    }
}

/// Whether a lower rate of its arm was not held, twice.
fn is_beyond(measured: &[Measured], step: &Step) -> bool {
    measured.iter().any(|one| {
        one.step.arm == step.arm
            && one.step.rate < step.rate
            && judgement(measured, step.arm, one.step.rate) == Some(false)
    })
}

/// Another step at a rate that was not held once, as a repetition beyond the plan's.
fn unconfirmed(steps: &[Step], measured: &[Measured], failed: &[Step]) -> Option<Step> {
    let doubtful = measured.iter().find(|one| {
        counts(measured, one.step.arm, one.step.rate) == (0, 1) && one.is_good == Some(false)
    })?;
    let (arm, rate) = (doubtful.step.arm, doubtful.step.rate);
    let known = || measured.iter().map(|one| &one.step).chain(failed);
    let last = known().map(|step| step.number).max();
    let planned = steps.iter().chain(known());
    let repetition = planned
        .filter(|step| step.arm == arm && step.rate == rate)
        .map(|step| step.repetition)
        .max();
    let again = Step {
        number: last.max(Some(steps.len() as u32)).unwrap_or_default() + 1,
        arm,
        rate,
        repetition: repetition.unwrap_or_default() + 1,
    };
    // Steps that fail, and steps of which nobody can tell anything, are not repeated for ever.
    let at_the_rate = |step: &&Step| step.arm == arm && step.rate == rate;
    let planned = steps.iter().filter(at_the_rate).count();
    let tries = known().filter(at_the_rate).count();
    (tries < planned + MORE_TRIES).then_some(again)
}

/// Where an arm's capacity lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bracket {
    /// The highest rate that is good.
    pub good: Option<Rate>,
    /// The lowest rate that is not.
    pub bad: Option<Rate>,
}

/// What has been found about an arm.
pub fn bracket(measured: &[Measured], arm: usize) -> Bracket {
    let of_arm = || {
        let steps = measured.iter().filter(move |one| one.step.arm == arm);
        steps.map(|one| one.step.rate)
    };
    let judged = |rate: &Rate, good: bool| judgement(measured, arm, *rate) == Some(good);
    let bad = of_arm().filter(|rate| judged(rate, false)).min();
    let is_below = |rate: &Rate| bad.is_none_or(|bad| *rate < bad);
    Bracket {
        good: of_arm()
            .filter(|rate| judged(rate, true) && is_below(rate))
            .max(),
        bad,
    }
}

/// Whether the bracket is as near as the plan asks, or open because a rate at its end says so.
pub fn is_settled(plan: &SweepPlan, measured: &[Measured], arm: usize) -> bool {
    let Some(search) = &plan.find_capacity else {
        return false;
    };
    match bracket(measured, arm) {
        Bracket {
            good: Some(good),
            bad: Some(bad),
        } => between(good, bad, search.precision).is_none(),
        Bracket { good, bad: None } => good.is_some() && good == plan.rates.iter().max().copied(),
        Bracket { good: None, bad } => bad.is_some() && bad == plan.rates.iter().min().copied(),
    }
}

/// The next rate of a bisection between the plan's lowest and highest rate.
fn next_plateau(
    plan: &SweepPlan,
    measured: &[Measured],
    failed: &[Step],
    arm: usize,
) -> Option<Step> {
    let precision = plan.find_capacity.as_ref()?.precision;
    let (low, high) = (*plan.rates.iter().min()?, *plan.rates.iter().max()?);
    let rate = match bracket(measured, arm) {
        Bracket { bad: None, .. } if judgement(measured, arm, high) == Some(true) => return None,
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
    let mut known = measured.iter().map(|one| &one.step).chain(failed);
    let number = known.clone().map(|step| step.number).max();
    let tries = known
        .by_ref()
        .filter(|step| step.arm == arm && step.rate == rate);
    let tries = tries.count() as u32;
    // Neither held nor not held, again and again: there is nothing to be found this way.
    (tries <= MORE_TRIES as u32).then_some(Step {
        number: number.unwrap_or_default() + 1,
        arm,
        rate,
        repetition: tries + 1,
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
