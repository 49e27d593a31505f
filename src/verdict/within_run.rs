//! The uncertainty of the percentiles within one run.
//!
//! Requests are not independent, because those of the same second share queues and neighbours. The share
//! of requests at or below a percentile is therefore estimated over blocks of about a second, with the
//! variance of a ratio over clusters (Cochran, Sampling Techniques, section 6.3). Order statistics turn
//! the interval of the share into an interval of times (Woodruff, Journal of the American Statistical
//! Association 47, 1952). Changes that are slower than a second are not covered by this interval; only
//! repetitions show them.

use crate::measure::{Distribution, Histogram, fine};
use crate::statistics::{BLOCKS_FOR_AN_INTERVAL, t_quantile};

/// A percentile of one run and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PercentileInterval {
    /// The name of the percentile, such as `p99`.
    pub name: &'static str,
    /// The percentile of all blocks together, in nanoseconds.
    pub value: u64,
    /// The lower end in nanoseconds; `None` where the run is too short for one.
    pub low: Option<u64>,
    /// The upper end in nanoseconds; `None` where the run is too short for one.
    pub high: Option<u64>,
}

/// The intervals of a run's percentiles from the histograms of its blocks. Empty where fewer than
/// [`BLOCKS_FOR_AN_INTERVAL`] blocks have requests.
pub fn percentile_intervals(blocks: &[Histogram]) -> Vec<PercentileInterval> {
    let blocks: Vec<&Histogram> = blocks.iter().filter(|block| !block.is_empty()).collect();
    if blocks.len() < BLOCKS_FOR_AN_INTERVAL {
        return Vec::new();
    }
    let mut all = fine();
    for block in &blocks {
        // Cannot fail: the histogram grows.
        let _ = all.add(*block);
    }
    let interval = |(name, share): (&'static str, f64)| {
        let value = all.value_at_quantile(share);
        let half = t_quantile(blocks.len() - 1) * deviation(&blocks, &all, share, value);
        let at = |share: f64| {
            (0.0..=1.0)
                .contains(&share)
                .then(|| all.value_at_quantile(share))
        };
        PercentileInterval {
            name,
            value,
            low: at(share - half),
            high: at(share + half),
        }
    };
    Distribution::PERCENTILES.map(interval).to_vec()
}

/// The standard deviation of the share of requests at or below `value`, over blocks. It is at least that of
/// independent requests, so that blocks which agree by chance do not make a percentile look certain.
fn deviation(blocks: &[&Histogram], all: &Histogram, share: f64, value: u64) -> f64 {
    let (count, total) = (blocks.len() as f64, all.len() as f64);
    let squares = blocks.iter().map(|block| {
        let below = block.count_between(0, value) as f64;
        (below - share * block.len() as f64).powi(2)
    });
    let of_blocks = count / (count - 1.0) * squares.sum::<f64>() / (total * total);
    of_blocks.max(share * (1.0 - share) / total).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::record;
    use crate::units::Nanos;
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Exp1, StandardNormal};
    use rand_xoshiro::Xoshiro256PlusPlus;

    const SEEDS: u64 = 200;

    /// A minute of blocks of 200 requests with exponential times; those of a block are slowed down
    /// together by a factor whose logarithm has this deviation.
    fn run(seed: u64, together: f64) -> Vec<Histogram> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut block = || {
            let mut block = fine();
            let shared: f64 = rng.sample(StandardNormal);
            for _ in 0..200 {
                let time: f64 = rng.sample(Exp1);
                record(
                    &mut block,
                    Nanos((time * (together * shared).exp() * 1e6) as u64),
                );
            }
            block
        };
        (0..60).map(|_| block()).collect()
    }

    /// How many of the runs have the truth in their interval.
    fn covered(name: &str, together: f64, truth: f64) -> usize {
        let runs = (0..SEEDS).map(|seed| percentile_intervals(&run(seed, together)));
        let covers = |intervals: Vec<PercentileInterval>| {
            let found = intervals.iter().find(|one| one.name == name).copied();
            let found = found.expect("the percentile");
            let (low, high) = (found.low.expect("an end"), found.high.expect("an end"));
            (low as f64..=high as f64).contains(&truth)
        };
        runs.map(covers).filter(|covers| *covers).count()
    }

    #[test]
    fn nineteen_of_twenty_intervals_hold_the_truth() {
        // Of 200, 190 are expected; three deviations are 9.
        for (name, share) in [("p50", 0.5f64), ("p90", 0.9), ("p99", 0.99)] {
            let truth = -(1.0 - share).ln() * 1e6;
            let found = covered(name, 0.0, truth);
            assert!(found >= 180, "{name}: {found} of {SEEDS}");
        }
    }

    #[test]
    fn they_still_do_where_the_requests_of_a_second_are_slow_together() {
        // The median of exp(1) * lognormal(0, s) has no closed form: it is that of a long run.
        let long: Vec<Histogram> = (1_000..1_200).flat_map(|seed| run(seed, 0.5)).collect();
        let median = percentile_intervals(&long)[0].value as f64;
        let found = covered("p50", 0.5, median);
        assert!(found >= 178, "{found} of {SEEDS}");
        // As if every request were a world of its own, far fewer would.
        let narrow = (0..SEEDS).filter(|seed| {
            let blocks = run(*seed, 0.5);
            let mut all = fine();
            blocks.iter().for_each(|block| all += block);
            let half = 1.96 * (0.25 / all.len() as f64).sqrt();
            let ends = [0.5 - half, 0.5 + half].map(|share| all.value_at_quantile(share) as f64);
            (ends[0]..=ends[1]).contains(&median)
        });
        assert!(narrow.count() < 125, "the blocks make no difference");
    }

    #[test]
    fn what_a_short_run_cannot_know_is_left_open() {
        let blocks = run(1, 0.0);
        let found = percentile_intervals(&blocks[..10]);
        let last = found.last().expect("a percentile");
        assert_eq!((last.name, last.high), ("p99.999", None));
        assert_eq!(percentile_intervals(&blocks[..5]), []);
        assert_eq!(percentile_intervals(&vec![fine(); 60]), []);
    }
}
