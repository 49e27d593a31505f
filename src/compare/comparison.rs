//! What one variant of a system costs over another, with its uncertainty: per rate over blocks of
//! both, steps that were held only. Steps beyond capacity say how long they lasted, and nothing about
//! what a request costs: both arms are as busy as they can be.

use super::capacity::{plateau, plateau_of};
use super::cost::{CostDifference, cost_differences};
use super::figures::{Latency, StepFigures};
use super::{Metric, Step, Steps};
use crate::resources::{NotKnown, Part};
use crate::statistics::{Estimate, difference_over_blocks, mean_over_blocks, ratio_over_blocks};
use crate::units::Rate;
use crate::verdict::Stability;
use std::fmt;

/// One metric at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricComparison {
    /// Which.
    pub metric: Metric,
    /// In the arm that is compared with, over the blocks.
    pub base: Estimate,
    /// In the other.
    pub other: Estimate,
    /// `other / base`; absent where one of them is 0.
    pub ratio: Option<Estimate>,
    /// `other - base`.
    pub difference: Estimate,
    /// The noise floor: how far two halves of one arm lie apart at this rate, in the arm in which
    /// they lie farther; absent with fewer than two blocks.
    pub noise: Option<f64>,
    /// Some of the values are lower bounds, or have few samples beyond them.
    pub is_doubtful: bool,
}

/// A step that says nothing about what a request costs.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Whether it is a step of the arm that is compared with.
    pub is_base: bool,
    /// The arm.
    pub arm: String,
    /// The repetition, from 1.
    pub repetition: u32,
    /// Why it says nothing.
    pub reason: LeftOutReason,
}

/// Why a step is left out of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum LeftOutReason {
    /// The other arm has no step with this rate and repetition.
    Alone,
    /// The rate was not held, for these reasons.
    Saturated(Vec<String>),
    /// Whether the rate was held is not known, for this reason.
    Unknown(String),
    /// The step is compared, but for the CPU of this part, which is not known.
    NotKnown(Part, NotKnown),
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} repetition {}: ", self.arm, self.repetition)?;
        match &self.reason {
            LeftOutReason::Alone => f.write_str("the other arm has none"),
            LeftOutReason::Saturated(reasons) => write!(f, "saturated: {}", reasons.join("; ")),
            LeftOutReason::Unknown(reason) => f.write_str(reason),
            LeftOutReason::NotKnown(part, why) => write!(f, "cpu_{}: {why}", part.name()),
        }
    }
}

/// One rate.
#[derive(Debug, Clone, PartialEq)]
pub struct RateComparison {
    /// Requests per second.
    pub rate: f64,
    /// Blocks that both arms have held.
    pub blocks: usize,
    /// Steps that are left out, and figures of the others that are not known, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// Empty where no block is left.
    pub metrics: Vec<MetricComparison>,
}

/// What one arm costs over another.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The arm that is compared with.
    pub base: String,
    /// The arm that is compared.
    pub other: String,
    /// By rate.
    pub rates: Vec<RateComparison>,
    /// By service and role.
    pub costs: Vec<CostDifference>,
    /// What each arm finishes per second when it is offered more than it can.
    pub capacity: CapacityComparison,
}

/// The capacity of both arms, as far as they were driven beyond it.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityComparison {
    /// Requests per second; absent when every rate was held.
    pub base: Option<Estimate>,
    /// Likewise.
    pub other: Option<Estimate>,
    /// `other / base` over blocks in which both were driven beyond.
    pub ratio: Option<Estimate>,
}

/// Compares the steps of two arms.
pub fn compare(base: &Steps<'_>, other: &Steps<'_>) -> Comparison {
    let name = |steps: &Steps<'_>| {
        steps
            .first()
            .map_or(String::new(), |one| one.key.arm.clone())
    };
    let all: Steps<'_> = base.iter().chain(other.iter()).copied().collect();
    let rates = all.rates().into_iter();
    Comparison {
        base: name(base),
        other: name(other),
        rates: rates
            .map(|rate| at_rate(rate, &base.at(rate), &other.at(rate)))
            .collect(),
        costs: cost_differences(base, other),
        capacity: capacities(base, other),
    }
}

fn at_rate(rate: Rate, base: &Steps<'_>, other: &Steps<'_>) -> RateComparison {
    let mut left_out = Vec::new();
    let mut blocks = Vec::new();
    for one in base.iter() {
        let Some(partner) = other.in_block_of(one) else {
            left_out.push(leave_out(one, true, LeftOutReason::Alone));
            continue;
        };
        let unusable = [
            why_not(one).map(|why| leave_out(one, true, why)),
            why_not(partner).map(|why| leave_out(partner, false, why)),
        ];
        if unusable.iter().all(Option::is_none) {
            blocks.push((*one, partner));
            left_out.extend(without_cpu(one, true));
            left_out.extend(without_cpu(partner, false));
        }
        left_out.extend(unusable.into_iter().flatten());
    }
    let lonely = other.iter().filter(|step| base.in_block_of(step).is_none());
    left_out.extend(lonely.map(|step| leave_out(step, false, LeftOutReason::Alone)));
    let metrics = Metric::COMPARED
        .iter()
        .filter_map(|metric| compared(*metric, &blocks));
    RateComparison {
        rate: rate.as_f64(),
        blocks: blocks.len(),
        metrics: metrics.collect(),
        left_out,
    }
}

fn leave_out(step: &Step, is_base: bool, reason: LeftOutReason) -> LeftOut {
    LeftOut {
        is_base,
        arm: step.key.arm.clone(),
        repetition: step.key.repetition,
        reason,
    }
}

/// Why a step that is compared has no figure of the CPU of a part.
fn without_cpu(step: &Step, is_base: bool) -> Option<LeftOut> {
    let mut parts = Part::ALL.into_iter();
    parts.find_map(|part| match step.cpu(part) {
        Err(why) if !matches!(why, NotKnown::NoPod { .. }) => {
            Some(leave_out(step, is_base, LeftOutReason::NotKnown(part, why)))
        }
        _ => None,
    })
}

/// Why a step says nothing about what a request costs.
fn why_not(step: &Step) -> Option<LeftOutReason> {
    match &step.stability {
        Stability::Held => None,
        Stability::NotHeld { reasons } => {
            let reasons = reasons.iter().map(|one| one.message.clone());
            Some(LeftOutReason::Saturated(reasons.collect()))
        }
        Stability::Unknown { reason } => Some(LeftOutReason::Unknown(reason.clone())),
    }
}

fn compared(metric: Metric, blocks: &[(&Step, &Step)]) -> Option<MetricComparison> {
    let pairs = blocks
        .iter()
        .filter_map(|(base, other)| Some((metric.of(base)?, metric.of(other)?)));
    let pairs: Vec<(f64, f64)> = pairs.collect();
    // Two arms without sidecars, or without errors, have nothing to compare there.
    if pairs.iter().all(|pair| *pair == (0.0, 0.0)) {
        return None;
    }
    let side = |of: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = pairs.iter().map(of).collect();
        mean_over_blocks(&values)
    };
    let noise = [|pair: &(f64, f64)| pair.0, |pair: &(f64, f64)| pair.1]
        .map(|of| halves_apart(&pairs.iter().map(of).collect::<Vec<_>>()));
    Some(MetricComparison {
        metric,
        noise: noise.into_iter().flatten().max_by(f64::total_cmp),
        base: side(|pair| pair.0)?,
        other: side(|pair| pair.1)?,
        ratio: ratio_over_blocks(&pairs).filter(|ratio| ratio.blocks == pairs.len()),
        difference: difference_over_blocks(&pairs)?,
        is_doubtful: blocks
            .iter()
            .any(|(base, other)| is_doubtful(metric, base) || is_doubtful(metric, other)),
    })
}

impl MetricComparison {
    /// Whether the arms differ: beyond the interval over the blocks and beyond what an arm differs
    /// from itself. `Some(false)` is "not resolved"; `None` where there are too few blocks to say
    /// that they do.
    pub fn is_resolved(&self) -> Option<bool> {
        if self
            .noise
            .is_some_and(|noise| self.difference.value.abs() <= noise)
        {
            return Some(false);
        }
        self.difference.differs_from(0.0)
    }
}

/// How far the mean of every other block lies from that of the others: neighbours in time. Where the
/// arms take turns so are they; where one arm was measured after the other they lie farther apart, and
/// this floor is too low.
fn halves_apart(values: &[f64]) -> Option<f64> {
    let half = |first| {
        let values: Vec<f64> = values.iter().skip(first).step_by(2).copied().collect();
        Some(mean_over_blocks(&values)?.value)
    };
    Some((half(0)? - half(1)?).abs())
}

fn is_doubtful(metric: Metric, step: &StepFigures) -> bool {
    metric.latency_of(step).is_some_and(Latency::is_doubtful)
}

fn capacities(base: &Steps<'_>, other: &Steps<'_>) -> CapacityComparison {
    let repetitions = &base.repetitions() | &other.repetitions();
    let pairs = repetitions
        .iter()
        .filter_map(|one| Some((plateau_of(base, *one)?, plateau_of(other, *one)?)));
    CapacityComparison {
        base: plateau(base),
        other: plateau(other),
        ratio: ratio_over_blocks(&pairs.collect::<Vec<_>>()),
    }
}

#[cfg(test)]
mod tests;
