//! The arguments of a script's `done(summary, latency, requests)`.

use crate::measure::{Histogram, Tally, TargetResult};
use crate::script::{DoneSummary, Statistics};
use crate::units::Nanos;

/// The summary of a run as wrk defines it, with durations in microseconds.
pub fn summary(target: &TargetResult, length: Nanos) -> DoneSummary {
    let tally = &target.tally;
    DoneSummary {
        duration_us: length.0 / 1_000,
        requests: tally.finished_in_window,
        bytes: tally.bytes_in_window,
        connect: tally.errors.connect,
        read: tally.errors.read_in_wrks_terms(),
        write: tally.errors.write,
        status: tally.status.bad(),
        timeout: tally.errors.timeout,
    }
}

/// Latencies in microseconds; in a closed loop these are service times.
pub fn of_latencies(tally: &Tally, is_open_loop: bool) -> Box<dyn Statistics> {
    Box::new(Latencies(tally.response_times(is_open_loop)))
}

/// Replies per second; one value for each thread and second.
pub fn of_rates(rates: &[f64]) -> Box<dyn Statistics> {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    Box::new(Rates(sorted))
}

struct Latencies(Histogram);

const NANOS_PER_MICRO: f64 = 1_000.0;

impl Statistics for Latencies {
    fn min(&self) -> f64 {
        self.0.min() as f64 / NANOS_PER_MICRO
    }

    fn max(&self) -> f64 {
        self.0.max() as f64 / NANOS_PER_MICRO
    }

    fn mean(&self) -> f64 {
        self.0.mean() / NANOS_PER_MICRO
    }

    fn stdev(&self) -> f64 {
        self.0.stdev() / NANOS_PER_MICRO
    }

    fn percentile(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / NANOS_PER_MICRO
    }

    fn len(&self) -> usize {
        self.0.iter_recorded().count()
    }

    fn at(&self, index: usize) -> Option<(f64, u64)> {
        let step = self.0.iter_recorded().nth(index.checked_sub(1)?)?;
        let value = step.value_iterated_to() as f64 / NANOS_PER_MICRO;
        Some((value, step.count_at_value()))
    }
}

struct Rates(Vec<f64>);

impl Statistics for Rates {
    fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }

    fn mean(&self) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn stdev(&self) -> f64 {
        if self.0.len() < 2 {
            return 0.0;
        }
        let mean = self.mean();
        let squares = self.0.iter().map(|rate| (rate - mean).powi(2));
        (squares.sum::<f64>() / (self.0.len() - 1) as f64).sqrt()
    }

    fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        self.0
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn at(&self, index: usize) -> Option<(f64, u64)> {
        Some((*self.0.get(index.checked_sub(1)?)?, 1))
    }
}
