//! Histograms of times in nanoseconds, and the figures that are taken from them.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Counts of times in nanoseconds, each exact to the histogram's number of significant digits.
pub type Histogram = hdrhistogram::Histogram<u64>;

/// Times beyond a day are recorded as a day.
const DAY: u64 = 86_400 * 1_000_000_000;

/// A histogram of three significant digits; it grows as longer times come.
pub fn fine() -> Histogram {
    Histogram::new(3).expect("three digits are allowed")
}

/// A histogram of two significant digits, a tenth of the size: for what is kept many times over.
pub fn coarse() -> Histogram {
    Histogram::new(2).expect("two digits are allowed")
}

/// Counts one time.
#[inline]
pub fn record(histogram: &mut Histogram, time: Nanos) {
    // Cannot fail: the histogram grows, and a day fits.
    let _ = histogram.record(time.0.min(DAY));
}

/// A percentile with fewer samples beyond it says more about those few requests than about the system.
pub const FEW_BEYOND: u64 = 10;

/// Whether so many samples beyond a percentile are too few to rely on it.
pub fn are_few(beyond: u64) -> bool {
    beyond < FEW_BEYOND
}

/// The mark behind a figure that cannot be relied on: `*`, or nothing.
pub fn doubt_mark(is_doubtful: bool) -> &'static str {
    if is_doubtful { "*" } else { "" }
}

/// Both histograms together.
pub fn sum(one: &Histogram, other: &Histogram) -> Histogram {
    let mut sum = one.clone();
    // Cannot fail: these histograms grow.
    let _ = sum.add(other);
    sum
}

/// The share (0..=1) of the values within one standard deviation of the mean; 0 when empty.
pub fn share_within(histogram: &Histogram) -> f64 {
    if histogram.is_empty() {
        return 0.0;
    }
    let (mean, deviation) = (histogram.mean(), histogram.stdev());
    let low = (mean - deviation).max(0.0) as u64;
    let high = (mean + deviation) as u64;
    histogram.count_between(low, high) as f64 / histogram.len() as f64
}

/// How far two distributions lie apart once one may be shifted by `tolerance`: the largest
/// difference of their cumulative shares, in 0..=1 (Kolmogorov-Smirnov, with the room of the Levy
/// metric, without which the slightest jitter around even gaps would count as a distance of one).
/// 0 when either is empty.
pub fn distance_beyond(tolerance: Nanos, one: &Histogram, other: &Histogram) -> f64 {
    one_sided(tolerance, one, other).max(one_sided(tolerance, other, one))
}

/// The largest F_one(x) - F_other(x + tolerance); it can only grow at the values of `one`.
fn one_sided(tolerance: Nanos, one: &Histogram, other: &Histogram) -> f64 {
    let (one_total, other_total) = (one.len() as f64, other.len() as f64);
    if one_total == 0.0 || other_total == 0.0 {
        return 0.0;
    }
    let mut others = other.iter_recorded().peekable();
    let (mut one_count, mut other_count) = (0, 0);
    let mut largest: f64 = 0.0;
    for step in one.iter_recorded() {
        one_count += step.count_since_last_iteration();
        let reach = one.highest_equivalent(step.value_iterated_to()) + tolerance.0;
        while let Some(next) = others.next_if(|next| next.value_iterated_to() <= reach) {
            other_count += next.count_since_last_iteration();
        }
        largest = largest.max(one_count as f64 / one_total - other_count as f64 / other_total);
    }
    largest
}

/// The figures of one histogram, in nanoseconds; percentiles as HdrHistogram defines them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[allow(missing_docs)] // the names are the documentation
pub struct Distribution {
    pub count: u64,
    pub min: u64,
    pub mean: f64,
    pub stdev: f64,
    pub max: u64,
    pub p50: u64,
    pub p75: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    #[serde(rename = "p99.9")]
    pub p99_9: u64,
    #[serde(rename = "p99.99")]
    pub p99_99: u64,
    #[serde(rename = "p99.999")]
    pub p99_999: u64,
}

impl Distribution {
    /// The percentiles that are given, by name and as shares.
    pub const PERCENTILES: [(&'static str, f64); 8] = [
        ("p50", 0.5),
        ("p75", 0.75),
        ("p90", 0.9),
        ("p95", 0.95),
        ("p99", 0.99),
        ("p99.9", 0.999),
        ("p99.99", 0.9999),
        ("p99.999", 0.99999),
    ];

    /// Its percentiles, in the order of [`Distribution::PERCENTILES`].
    pub fn percentiles(&self) -> [u64; 8] {
        [
            self.p50,
            self.p75,
            self.p90,
            self.p95,
            self.p99,
            self.p99_9,
            self.p99_99,
            self.p99_999,
        ]
    }

    /// Whether few samples lie beyond a percentile, which is given as a share (0..=1).
    pub fn has_few_beyond(&self, share: f64) -> bool {
        let up_to = (share * self.count as f64).ceil() as u64;
        are_few(self.count.saturating_sub(up_to))
    }

    /// The figures; `None` when nothing was counted.
    pub fn of(histogram: &Histogram) -> Option<Distribution> {
        if histogram.is_empty() {
            return None;
        }
        let mut values = histogram.value_at_quantiles(Self::PERCENTILES.map(|(_, share)| share));
        let mut next = || values.next().unwrap_or_default();
        Some(Distribution {
            count: histogram.len(),
            min: histogram.min(),
            mean: histogram.mean(),
            stdev: histogram.stdev(),
            max: histogram.max(),
            p50: next(),
            p75: next(),
            p90: next(),
            p95: next(),
            p99: next(),
            p99_9: next(),
            p99_99: next(),
            p99_999: next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = fine();
        for value in values {
            record(&mut histogram, Nanos(value));
        }
        histogram
    }

    #[test]
    fn figures_are_exact_to_three_digits() {
        let figures = Distribution::of(&of((1..=1000).map(|n| n * 1_000_000))).expect("figures");
        for (got, wanted) in [
            (figures.p50, 500e6),
            (figures.p99, 990e6),
            (figures.max, 1000e6),
        ] {
            assert!((got as f64 / wanted - 1.0).abs() < 1e-3, "{got} {wanted}");
        }
        assert_eq!(Distribution::of(&fine()), None);
    }

    #[test]
    fn times_beyond_a_day_count_as_a_day() {
        let max = of([u64::MAX]).max();
        assert!((max as f64 / DAY as f64 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn distance_looks_past_a_small_shift_and_sees_a_large_one() {
        let even = of([1_000_000; 100]);
        let jittered = of((0..100).map(|n| 1_000_000 + n * 500));
        let bunched = of((0..100).map(|n| if n % 5 == 0 { 5_000_000 } else { 1_000 }));
        let tolerance = Nanos::from_micros(100);
        assert_eq!(distance_beyond(tolerance, &even, &jittered), 0.0);
        assert!(distance_beyond(Nanos::ZERO, &even, &jittered) > 0.9);
        assert!((distance_beyond(tolerance, &even, &bunched) - 0.8).abs() < 1e-9);
        assert_eq!(distance_beyond(tolerance, &even, &fine()), 0.0);
    }

    #[test]
    fn share_within_a_deviation_of_a_normal_like_sample() {
        let share = share_within(&of((0..=200).map(|n| 1_000_000 + n * 1_000)));
        assert!((share - 0.577).abs() < 0.02, "{share}");
    }
}
