//! Estimates with their uncertainty. The unit of replication is the run, not the request, because requests
//! of one run share the time, the neighbours and the placement of pods.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The smallest number of blocks for which an interval is given. An interval by Student's t is exact for
/// normal noise with any number of blocks, but with fewer its width depends mostly on chance.
pub const BLOCKS_FOR_AN_INTERVAL: usize = 6;

/// The probability with which an interval covers the true value.
const CONFIDENCE: f64 = 0.95;

/// A value and its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    /// The lower end of the spread.
    pub low: f64,
    /// The upper end of the spread.
    pub high: f64,
    pub spread: Spread,
    /// The number of blocks, or of runs of both samples, that the value comes from.
    pub blocks: usize,
}

/// The meaning of the two ends of an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// A 95 % confidence interval (Student's t over blocks).
    Interval,
    /// The smallest and the largest block, where there are too few blocks for an interval.
    Range,
    /// Both ends are the value: the uncertainty is not known.
    Unknown,
}

impl Spread {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Spread::Interval => "interval",
            Spread::Range => "range",
            Spread::Unknown => "unknown",
        }
    }
}

impl Estimate {
    /// Whether `neutral` lies outside of the interval; `None` without an interval.
    pub fn differs_from(&self, neutral: f64) -> Option<bool> {
        match self.spread {
            Spread::Interval => Some(neutral < self.low || neutral > self.high),
            Spread::Range | Spread::Unknown => None,
        }
    }

    /// The estimate on another scale. `scale` must be monotonically increasing.
    pub fn map(self, scale: impl Fn(f64) -> f64) -> Estimate {
        Estimate {
            value: scale(self.value),
            low: scale(self.low),
            high: scale(self.high),
            ..self
        }
    }
}

/// The mean over blocks: with six or more an interval by Student's t, mean ± t · s / √n with n - 1 degrees of
/// freedom; with fewer the range. `None` without a block.
pub fn mean_over_blocks(blocks: &[f64]) -> Option<Estimate> {
    let count = blocks.len();
    if count == 0 {
        return None;
    }
    let mean = blocks.iter().sum::<f64>() / count as f64;
    let estimate = |low, high, spread| Estimate {
        value: mean,
        low,
        high,
        spread,
        blocks: count,
    };
    if count == 1 {
        return Some(estimate(mean, mean, Spread::Unknown));
    }
    if count < BLOCKS_FOR_AN_INTERVAL {
        let low = blocks.iter().copied().fold(f64::INFINITY, f64::min);
        let high = blocks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        return Some(estimate(low, high, Spread::Range));
    }
    let squares = blocks.iter().map(|value| (value - mean).powi(2));
    let deviation = (squares.sum::<f64>() / (count - 1) as f64).sqrt();
    let half = t_quantile(count - 1) * deviation / (count as f64).sqrt();
    Some(estimate(mean - half, mean + half, Spread::Interval))
}

/// The quantile of Student's t that leaves 2.5 % on each side. `freedom` is the number of degrees of freedom,
/// at least 1.
pub fn t_quantile(freedom: usize) -> f64 {
    let student = StudentsT::new(0.0, 1.0, freedom as f64);
    // The distribution exists for every number of degrees of freedom that is at least 1.
    student.map_or(f64::INFINITY, |student| {
        student.inverse_cdf(0.5 + CONFIDENCE / 2.0)
    })
}

/// The geometric mean of the ratio `other / base` over blocks of one of each. The interval is made of
/// logarithms, so that twice and half are equally far from 1. Blocks with a value of 0 or below are left
/// out; `None` where no other is left.
pub fn ratio_over_blocks(pairs: &[(f64, f64)]) -> Option<Estimate> {
    let positive = pairs
        .iter()
        .filter(|(base, other)| *base > 0.0 && *other > 0.0);
    let logs: Vec<f64> = positive.map(|(base, other)| (other / base).ln()).collect();
    Some(mean_over_blocks(&logs)?.map(f64::exp))
}

/// The ratio `other / base` of the geometric means of two samples that were not taken in pairs. `None` where
/// a sample is empty or has a value that is not above 0.
pub fn ratio_of_samples(base: &[f64], other: &[f64]) -> Option<Estimate> {
    let logs = |values: &[f64]| {
        let are_positive = values.iter().all(|value| *value > 0.0);
        are_positive.then(|| values.iter().map(|value| value.ln()).collect::<Vec<_>>())
    };
    Some(difference_of_samples(&logs(base)?, &logs(other)?)?.map(f64::exp))
}

/// The difference `other - base` of the means of two samples that were not taken in pairs, with an interval
/// by Student's t with pooled variance (the two-sample t interval, n1 + n2 - 2 degrees of freedom). `None`
/// where a sample is empty.
pub fn difference_of_samples(base: &[f64], other: &[f64]) -> Option<Estimate> {
    if base.is_empty() || other.is_empty() {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let squares = |values: &[f64]| {
        let mean = mean(values);
        values.iter().map(|one| (one - mean).powi(2)).sum::<f64>()
    };
    let value = mean(other) - mean(base);
    let runs = base.len() + other.len();
    let estimate = |half: f64, spread| Estimate {
        value,
        low: value - half,
        high: value + half,
        spread,
        blocks: runs,
    };
    // An interval needs as many degrees of freedom as one over the smallest number of blocks.
    if runs <= BLOCKS_FOR_AN_INTERVAL {
        return Some(estimate(0.0, Spread::Unknown));
    }
    let freedom = runs - 2;
    let variance = (squares(base) + squares(other)) / freedom as f64;
    let of_means = 1.0 / base.len() as f64 + 1.0 / other.len() as f64;
    let half = t_quantile(freedom) * (variance * of_means).sqrt();
    Some(estimate(half, Spread::Interval))
}

/// The mean of the difference `other - base` over blocks of one of each. `None` without a block.
pub fn difference_over_blocks(pairs: &[(f64, f64)]) -> Option<Estimate> {
    let differences: Vec<f64> = pairs.iter().map(|(base, other)| other - base).collect();
    mean_over_blocks(&differences)
}

/// The straight line through points (x, y) by least squares, as slope and intercept. `None` with fewer than
/// two different x.
pub fn line_through(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| {
        (x + point.0 / count, y + point.1 / count)
    });
    let spread = points
        .iter()
        .map(|point| (point.0 - x).powi(2))
        .sum::<f64>();
    if points.len() < 2 || spread <= 0.0 {
        return None;
    }
    let joint = points.iter().map(|point| (point.0 - x) * (point.1 - y));
    let slope = joint.sum::<f64>() / spread;
    Some((slope, y - slope * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_blocks_make_an_interval_by_students_t() {
        // Mean 3.5, deviation 1.8708, t(5) = 2.5706: half width 1.9634.
        let estimate = mean_over_blocks(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).expect("an estimate");
        assert_eq!((estimate.value, estimate.spread), (3.5, Spread::Interval));
        assert!((estimate.low - 1.5366).abs() < 1e-3 && (estimate.high - 5.4634).abs() < 1e-3);
        assert_eq!(estimate.differs_from(1.0), Some(true));
        assert_eq!(estimate.differs_from(2.0), Some(false));
    }

    #[test]
    fn fewer_blocks_have_a_range_and_say_nothing_about_significance() {
        let estimate = mean_over_blocks(&[2.0, 4.0, 9.0]).expect("an estimate");
        assert_eq!((estimate.low, estimate.high), (2.0, 9.0));
        assert_eq!(estimate.spread, Spread::Range);
        assert_eq!(estimate.differs_from(0.0), None);
        let one = mean_over_blocks(&[2.0]).expect("an estimate");
        assert_eq!((one.spread, one.differs_from(0.0)), (Spread::Unknown, None));
        assert_eq!(mean_over_blocks(&[]), None);
    }

    #[test]
    fn ratios_are_geometric() {
        let estimate = ratio_over_blocks(&[(1.0, 2.0), (2.0, 1.0)]).expect("an estimate");
        assert!((estimate.value - 1.0).abs() < 1e-12);
        assert!((estimate.low - 0.5).abs() < 1e-12 && (estimate.high - 2.0).abs() < 1e-12);
        assert_eq!(ratio_over_blocks(&[(0.0, 2.0)]), None);
    }

    #[test]
    fn samples_that_are_no_pairs_share_one_variance() {
        // Logarithms 0, 1, 2 and 1, 2, 3, 4: means 1 and 2.5, squares 2 and 5, variance 7 / 5,
        // t(5) = 2.5706, half width 2.5706 * sqrt(1.4 * (1/3 + 1/4)) = 2.3230.
        let e = |powers: &[i32]| {
            powers
                .iter()
                .map(|n| 1f64.exp().powi(*n))
                .collect::<Vec<_>>()
        };
        let estimate = ratio_of_samples(&e(&[0, 1, 2]), &e(&[1, 2, 3, 4])).expect("a ratio");
        assert_eq!((estimate.spread, estimate.blocks), (Spread::Interval, 7));
        assert!((estimate.value.ln() - 1.5).abs() < 1e-9);
        assert!((estimate.low.ln() + 0.8230).abs() < 1e-3, "{estimate:?}");
        assert!((estimate.high.ln() - 3.8230).abs() < 1e-3, "{estimate:?}");
        // One against six has the freedom of six blocks, one against five has not.
        let seven = ratio_of_samples(&[1.0; 6], &[2.0]).expect("a ratio");
        assert_eq!((seven.spread, seven.value), (Spread::Interval, 2.0));
        let six = ratio_of_samples(&[1.0; 5], &[2.0]).expect("a ratio");
        assert_eq!(six.spread, Spread::Unknown);
        assert_eq!(ratio_of_samples(&[], &[2.0]), None);
        assert_eq!(ratio_of_samples(&[1.0, 0.0], &[2.0]), None);
    }

    #[test]
    fn a_line_comes_back_from_its_points() {
        let points: Vec<(f64, f64)> = (1..=6)
            .map(|x| (x as f64, 0.35 * x as f64 + 20.0))
            .collect();
        let (slope, intercept) = line_through(&points).expect("a line");
        assert!((slope - 0.35).abs() < 1e-12 && (intercept - 20.0).abs() < 1e-9);
        assert_eq!(line_through(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(line_through(&[(1.0, 2.0)]), None);
    }
}
