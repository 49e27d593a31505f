//! Arrival processes: gaps between arrivals in units of their mean, so that every mean is exactly one.

use clap::ValueEnum;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, Normal, Zipf};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// The distribution of the gaps between arrivals. At the rate R every mean gap is 1/R.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ArrivalProcess {
    /// Even gaps.
    #[default]
    Fixed,
    /// Exponential gaps: a Poisson process, the arrivals of many independent users.
    Exp,
    /// Normal gaps with a standard deviation of a quarter of the mean, redrawn outside 0..=2 means.
    Norm,
    /// Gaps spread evenly over 0..=2 means.
    Uniform,
    /// One of 100 ranks with exponent 3, scaled to the mean: mostly short gaps and a few long ones.
    Zipf,
}

impl ArrivalProcess {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ArrivalProcess::Fixed => "fixed",
            ArrivalProcess::Exp => "exp",
            ArrivalProcess::Norm => "norm",
            ArrivalProcess::Uniform => "uniform",
            ArrivalProcess::Zipf => "zipf",
        }
    }
}

const ZIPF_RANKS: u32 = 100;
const ZIPF_EXPONENT: f64 = 3.0;

/// Positions of successive arrivals in units of the mean gap, as fixed-point numbers with 32 fractional
/// bits. Sums of integers keep the mean exact over any number of arrivals; sums of floats would not.
#[derive(Debug, Clone)]
pub struct Gaps {
    process: ArrivalProcess,
    rng: Xoshiro256PlusPlus,
    normal: Normal<f64>,
    zipf: Zipf<f64>,
    zipf_mean: f64,
    next_seq: u64,
    position: u128,
}

impl Gaps {
    /// Fractional bits of a position.
    pub const POINT: u32 = 32;

    /// The gaps of a process. The same seed gives the same gaps in every version of the program.
    pub fn new(process: ArrivalProcess, seed: u64) -> Gaps {
        let power_sum = |power: f64| -> f64 {
            (1..=ZIPF_RANKS)
                .map(|rank| f64::from(rank).powf(-power))
                .sum()
        };
        Gaps {
            process,
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            normal: Normal::new(1.0, 0.25).expect("a positive deviation"),
            zipf: Zipf::new(f64::from(ZIPF_RANKS), ZIPF_EXPONENT).expect("a positive exponent"),
            zipf_mean: power_sum(ZIPF_EXPONENT - 1.0) / power_sum(ZIPF_EXPONENT),
            next_seq: 0,
            position: 0,
        }
    }

    /// The index and position of the next arrival. `Fixed` begins at 0, the others after a gap.
    #[inline]
    pub fn advance(&mut self) -> (u64, u128) {
        let seq = self.next_seq;
        self.next_seq += 1;
        if self.process == ArrivalProcess::Fixed {
            return (seq, u128::from(seq) << Self::POINT);
        }
        let gap = self.gap() * (1u64 << Self::POINT) as f64;
        self.position += gap.round() as u128;
        (seq, self.position)
    }

    fn gap(&mut self) -> f64 {
        match self.process {
            ArrivalProcess::Fixed => 1.0,
            ArrivalProcess::Exp => Exp1.sample(&mut self.rng),
            ArrivalProcess::Norm => loop {
                let gap = self.normal.sample(&mut self.rng);
                if (0.0..=2.0).contains(&gap) {
                    break gap;
                }
            },
            ArrivalProcess::Uniform => self.rng.random_range(0.0..2.0),
            ArrivalProcess::Zipf => self.zipf.sample(&mut self.rng) / self.zipf_mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(process: ArrivalProcess, count: usize) -> Vec<f64> {
        let mut gaps = Gaps::new(process, 7);
        let mut before = 0;
        (0..count)
            .map(|_| {
                let (_, position) = gaps.advance();
                let gap = (position - before) as f64 / (1u64 << Gaps::POINT) as f64;
                before = position;
                gap
            })
            .collect()
    }

    #[test]
    fn every_process_has_a_mean_gap_of_one() {
        let count = 400_000;
        for (process, deviation) in [
            (ArrivalProcess::Exp, 1.0),
            (ArrivalProcess::Norm, 0.25),
            (ArrivalProcess::Uniform, 0.577),
            (ArrivalProcess::Zipf, 1.5),
        ] {
            let mean = gaps(process, count).iter().sum::<f64>() / count as f64;
            let five_sigma = 5.0 * deviation / (count as f64).sqrt();
            assert!((mean - 1.0).abs() < five_sigma, "{process:?}: {mean}");
        }
    }

    #[test]
    fn bounded_processes_keep_their_bounds() {
        for process in [ArrivalProcess::Norm, ArrivalProcess::Uniform] {
            for gap in gaps(process, 100_000) {
                assert!((0.0..=2.0).contains(&gap), "{process:?}: {gap}");
            }
        }
    }

    /// Kolmogorov-Smirnov: the largest distance between the empirical distribution of `n` gaps and
    /// 1 - exp(-x) stays below 1.63/sqrt(n) with 99 % probability; the seed is fixed.
    #[test]
    fn exponential_gaps_pass_the_kolmogorov_smirnov_test() {
        let count = 50_000;
        let mut sample = gaps(ArrivalProcess::Exp, count);
        sample.sort_by(f64::total_cmp);
        let distance = sample
            .iter()
            .enumerate()
            .map(|(rank, gap)| {
                let theory = 1.0 - (-gap).exp();
                let (below, above) = (rank as f64, rank as f64 + 1.0);
                (theory - below / count as f64)
                    .abs()
                    .max((above / count as f64 - theory).abs())
            })
            .fold(0.0, f64::max);
        assert!(distance < 1.63 / (count as f64).sqrt(), "{distance}");
    }

    #[test]
    fn zipf_gaps_take_a_hundred_values_and_rank_one_most_often() {
        let sample = gaps(ArrivalProcess::Zipf, 100_000);
        let shortest = sample.iter().copied().fold(f64::MAX, f64::min);
        let first = sample.iter().filter(|gap| **gap < shortest * 1.01).count() as f64;
        // P(rank 1) = 1 / zeta(3) truncated at 100 ranks = 0.832
        assert!((first / 100_000.0 - 0.832).abs() < 0.01, "{first}");
        assert!(sample.iter().all(|gap| *gap <= shortest * 100.5));
    }
}
