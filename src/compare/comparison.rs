//! The comparison of two arms: every metric at every rate over blocks of both, with its uncertainty.
//!
//! Only steps whose rate was held are compared. Beyond capacity both arms are as busy as they can be, and
//! latencies grow with the length of the step, so neither says what a request costs.

use super::capacity::{plateau, plateau_of};
use super::cost::{CostDifference, cost_differences};
use super::figures::{Latency, StepFigures};
use super::{Metric, Step, Steps};
use crate::resources::{NotKnown, Part};
use crate::statistics::{Estimate, difference_over_blocks, mean_over_blocks, ratio_over_blocks};
use crate::units::Rate;
use crate::verdict::Stability;
use std::fmt;

/// The comparison of one metric at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricComparison {
    pub metric: Metric,
    /// The mean over the blocks of the arm that is compared with.
    pub base: Estimate,
    /// The mean over the blocks of the other arm.
    pub other: Estimate,
    /// `other / base`; absent where a block has a value of 0.
    pub ratio: Option<Estimate>,
    /// `other - base`.
    pub difference: Estimate,
    /// The noise floor: the difference between two halves of the same arm at this rate, in the arm where it
    /// is larger; absent with fewer than two blocks.
    pub noise: Option<f64>,
    /// Whether a value is a lower bound, or has few samples beyond it.
    pub is_doubtful: bool,
}

/// A step, or a figure of a step, that takes no part in a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Whether the step belongs to the arm that is compared with.
    pub is_base: bool,
    pub arm: String,
    /// Counted from 1.
    pub repetition: u32,
    pub reason: LeftOutReason,
}

/// Why a step is left out of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum LeftOutReason {
    /// The other arm has no step with this rate and repetition.
    Alone,
    /// The rate was not held; the reasons are messages of [`Stability::NotHeld`].
    Saturated(Vec<String>),
    /// It is not known whether the rate was held.
    Unknown(String),
    /// The step takes part, but the CPU of this part is not known.
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

/// The comparison at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct RateComparison {
    /// Requests per second.
    pub rate: f64,
    /// Number of blocks in which both arms held the rate.
    pub blocks: usize,
    /// Steps that are left out, and figures of the other steps that are not known.
    pub left_out: Vec<LeftOut>,
    /// Empty without blocks.
    pub metrics: Vec<MetricComparison>,
}

/// The comparison of two arms.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Name of the arm that is compared with.
    pub base: String,
    /// Name of the arm that is compared.
    pub other: String,
    /// The lowest rate first.
    pub rates: Vec<RateComparison>,
    /// CPU per request and idle use, by service and part.
    pub costs: Vec<CostDifference>,
    /// Requests finished per second by each arm when it was offered more than it could hold.
    pub capacity: CapacityComparison,
}

/// The capacity of both arms, in requests per second. Only steps beyond capacity show it.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityComparison {
    /// Absent when the arm held every rate.
    pub base: Option<Estimate>,
    /// Absent when the arm held every rate.
    pub other: Option<Estimate>,
    /// `other / base` over repetitions in which both arms were driven beyond capacity.
    pub ratio: Option<Estimate>,
}

/// Compares the steps of two arms, with the first arm as the base.
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
            unusable_reason(one).map(|why| leave_out(one, true, why)),
            unusable_reason(partner).map(|why| leave_out(partner, false, why)),
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

/// Names the first part whose CPU is not known in a step that is compared. A part without pods is not
/// named, because an arm need not have every part.
fn without_cpu(step: &Step, is_base: bool) -> Option<LeftOut> {
    let mut parts = Part::ALL.into_iter();
    parts.find_map(|part| match step.cpu(part) {
        Err(why) if !matches!(why, NotKnown::NoPod { .. }) => {
            Some(leave_out(step, is_base, LeftOutReason::NotKnown(part, why)))
        }
        _ => None,
    })
}

/// The reason for which a step cannot be compared; `None` where it can.
fn unusable_reason(step: &Step) -> Option<LeftOutReason> {
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
    // Zeros in both arms, such as errors or sidecars that neither has, are not worth a row.
    if pairs.iter().all(|pair| *pair == (0.0, 0.0)) {
        return None;
    }
    let side = |of: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = pairs.iter().map(of).collect();
        mean_over_blocks(&values)
    };
    let noise = [|pair: &(f64, f64)| pair.0, |pair: &(f64, f64)| pair.1]
        .map(|of| half_difference(&pairs.iter().map(of).collect::<Vec<_>>()));
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
    /// Whether the arms differ beyond the interval over blocks and beyond the noise floor. `Some(false)` is
    /// "not resolved"; `None` means that there are too few blocks for an interval.
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

/// The difference between the mean of the odd blocks and that of the even ones, which are neighbours in
/// time. Where arms take turns, their blocks are neighbours in the same way. Where one arm was measured
/// after the other, their blocks lie farther apart in time, and this noise floor is too low.
fn half_difference(values: &[f64]) -> Option<f64> {
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
