//! Histograms of times in nanoseconds, and the statistics that are taken from them.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// A histogram of times in nanoseconds. Each time is exact to the number of significant digits with
/// which the histogram was made.
pub type Histogram = hdrhistogram::Histogram<u64>;

/// The longest time that is recorded, in nanoseconds; longer times count as this one.
const DAY: u64 = 86_400 * 1_000_000_000;

/// An empty histogram of three significant digits. It grows when longer times are recorded.
pub fn fine() -> Histogram {
    Histogram::new(3).expect("three digits are allowed")
}

/// An empty histogram of two significant digits. It needs a tenth of the memory of [`fine`], for cases
/// in which many histograms are kept.
pub fn coarse() -> Histogram {
    Histogram::new(2).expect("two digits are allowed")
}

/// Counts one time. A time of more than a day is counted as one day.
#[inline]
pub fn record(histogram: &mut Histogram, time: Nanos) {
    // This cannot fail, because the histogram grows and a day fits into it.
    let _ = histogram.record(time.0.min(DAY));
}

/// The number of samples that must lie beyond a percentile. With fewer, the percentile says more about
/// those few requests than about the system.
pub const FEW_BEYOND: u64 = 10;

/// Whether a percentile is unreliable because only `beyond` samples lie beyond it.
pub fn are_few(beyond: u64) -> bool {
    beyond < FEW_BEYOND
}

/// The mark that is printed behind a doubtful figure: `*` if it is doubtful, else nothing.
pub fn doubt_mark(is_doubtful: bool) -> &'static str {
    if is_doubtful { "*" } else { "" }
}

/// A histogram that holds the times of both.
pub fn sum(one: &Histogram, other: &Histogram) -> Histogram {
    let mut sum = one.clone();
    // This cannot fail, because all histograms of this room grow.
    let _ = sum.add(other);
    sum
}

/// The share (0..=1) of the times that lie within one standard deviation of their mean; 0 for an empty
/// histogram. wrk prints it as "+/- Stdev".
pub fn share_within(histogram: &Histogram) -> f64 {
    if histogram.is_empty() {
        return 0.0;
    }
    let (mean, deviation) = (histogram.mean(), histogram.stdev());
    let low = (mean - deviation).max(0.0) as u64;
    let high = (mean + deviation) as u64;
    histogram.count_between(low, high) as f64 / histogram.len() as f64
}

/// The distance of two distributions, in 0..=1; 0 when either is empty. It is the statistic of
/// Kolmogorov and Smirnov, the largest difference of the two cumulative distribution functions, except
/// that either of them may be shifted by `tolerance` as in the Lévy metric. Without the tolerance the
/// slightest jitter around gaps of equal length would count as a distance of 1.
pub fn distance_beyond(tolerance: Nanos, one: &Histogram, other: &Histogram) -> f64 {
    one_sided(tolerance, one, other).max(one_sided(tolerance, other, one))
}

/// The largest F_one(x) - F_other(x + tolerance) over all x. The difference grows only at values of `one`,
/// so these alone are looked at.
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

/// The statistics of one histogram. All but `count` are in nanoseconds; percentiles are those of
/// HdrHistogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// The percentiles that are reported: name, and rank as a share.
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

    /// The values of the percentiles, in the order of [`Distribution::PERCENTILES`].
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

    /// Whether too few samples lie beyond the percentile of this rank, a share (0..=1), to rely on it.
    pub fn has_few_beyond(&self, share: f64) -> bool {
        let up_to = (share * self.count as f64).ceil() as u64;
        are_few(self.count.saturating_sub(up_to))
    }

    /// The statistics of a histogram; `None` when it is empty.
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
