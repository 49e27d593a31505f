//! The tables of a sweep: those of the study, with its columns, and one with everything. KB = 1024
//! bytes. A missing value is an empty cell (`N/A` for a time, as the study wrote it), never 0.

mod grouped;
mod tidy;

use super::csv_rows::table;
use super::resources_csv::{STUDY_COLUMNS, StudyStep, study_rows};
use crate::judge::{Stability, Verdict};
use crate::measure::{Distribution, RunResult};
use crate::spec::Offered;
use crate::units::{show_bytes, show_time_us};
use serde::{Deserialize, Serialize};

/// A measured step.
#[derive(Debug, Clone, Copy)]
pub struct SweepStep<'a> {
    /// What was measured; its label says which step it is.
    pub result: &'a RunResult,
    /// The verdict on it.
    pub verdict: &'a Verdict,
    /// Whether the rate was held.
    pub stability: &'a Stability,
}

impl SweepStep<'_> {
    fn rate(&self) -> Option<f64> {
        match self.result.spec.load.offered {
            Offered::Rate(rate) => Some(rate.as_f64()),
            Offered::Ramp { .. } | Offered::Max => None,
        }
    }

    fn arm(&self) -> &str {
        let step = self.result.spec.step.as_ref();
        step.map_or("", |step| &step.arm)
    }

    fn repetition(&self) -> Option<u32> {
        let step = self.result.spec.step.as_ref();
        step.map(|step| step.repetition)
    }

    fn latency(&self) -> Option<Distribution> {
        let tally = self.result.overall();
        Distribution::of(&tally.response_times(self.result.is_open_loop()))
    }

    /// Failed requests and replies with a status above 399, in percent of both kinds of ends.
    fn error_rate(&self) -> f64 {
        let tally = self.result.overall();
        let errors = tally.failed + tally.status.bad();
        errors as f64 / (tally.completed + tally.failed).max(1) as f64 * 100.0
    }
}

/// What metadata.json says: the study's keys, and what a reader of the folder needs besides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the study's names
pub struct StudyMetadata {
    pub experiment: String,
    pub timestamp: String,
    pub rates: Vec<f64>,
    pub duration: String,
    pub warmup_time: f64,
    pub measure_duration: f64,
    pub repetitions: u32,
    pub target: String,
    pub istio_enabled: bool,
    pub istio_optimizations: serde_json::Value,
    pub warmup: serde_json::Value,
    pub cache_flush: serde_json::Value,
    pub cooldown: serde_json::Value,
    pub pcm_available: bool,
    pub prometheus_available: bool,
    /// By name: where its load goes, and whether its pods are to be in the mesh.
    pub arms: serde_json::Value,
    pub order: String,
    pub seed: u64,
    pub meshload: String,
}

/// Every table by its file name.
pub fn sweep_tables(
    steps: &[SweepStep<'_>],
    metadata: &StudyMetadata,
) -> Vec<(&'static str, Vec<u8>)> {
    let mut json = serde_json::to_vec_pretty(metadata).unwrap_or_default();
    json.push(b'\n');
    vec![
        ("metadata.json", json),
        ("k8s_full_metrics.csv", full_metrics(steps)),
        ("latency_stats.csv", latency_stats(steps)),
        ("metrics_summary.csv", grouped::metrics_summary(steps)),
        ("latency_summary.csv", grouped::latency_summary(steps)),
        ("tidy.csv", tidy::tidy(steps)),
    ]
}

/// The rows of each step's pods, as the study's table has them.
fn pods<'a>(steps: &'a [SweepStep<'a>]) -> impl Iterator<Item = (SweepStep<'a>, Vec<String>)> {
    steps.iter().flat_map(|step| {
        let label = StudyStep {
            rate: step.rate(),
            arm: step.arm(),
            repetition: step.repetition(),
        };
        let resources = step.result.resources.as_ref();
        let rows = resources.map_or_else(Vec::new, |resources| study_rows(resources, label));
        rows.into_iter().map(|row| (*step, row))
    })
}

fn full_metrics(steps: &[SweepStep<'_>]) -> Vec<u8> {
    table(&STUDY_COLUMNS, pods(steps).map(|(_, row)| row))
}

const LATENCY_COLUMNS: [&str; 20] = [
    "Target_RPS",
    "Actual_RPS",
    "Mean_Latency",
    "Stdev_Latency",
    "Max_Latency",
    "P50_Latency",
    "P75_Latency",
    "P90_Latency",
    "P99_Latency",
    "P99.9_Latency",
    "Total_Requests",
    "Socket_Errors",
    "Non_2xx",
    "Timeout_Errors",
    "Error_Rate(%)",
    "Transfer_Rate",
    "Arm",
    "Repetition",
    "Verdict",
    "Stability",
];

fn latency_stats(steps: &[SweepStep<'_>]) -> Vec<u8> {
    table(&LATENCY_COLUMNS, steps.iter().map(latency_row))
}

fn latency_row(step: &SweepStep<'_>) -> Vec<String> {
    let tally = step.result.overall();
    let latency = step.latency();
    let time = |of: fn(&Distribution) -> f64| {
        latency
            .as_ref()
            .map_or("N/A".to_owned(), |latency| show_time_us(of(latency) / 1e3))
    };
    let errors = &tally.errors;
    let socket_errors =
        errors.connect + errors.read_in_wrks_terms() + errors.write + errors.timeout;
    let seconds = step.result.window.length().as_secs_f64();
    vec![
        step.rate().map_or(String::new(), |rate| rate.to_string()),
        format!("{:.2}", step.result.rate_achieved()),
        time(|l| l.mean),
        time(|l| l.stdev),
        time(|l| l.max as f64),
        time(|l| l.p50 as f64),
        time(|l| l.p75 as f64),
        time(|l| l.p90 as f64),
        time(|l| l.p99 as f64),
        time(|l| l.p99_9 as f64),
        tally.finished_in_window.to_string(),
        socket_errors.to_string(),
        tally.status.bad().to_string(),
        errors.timeout.to_string(),
        format!("{:.4}", step.error_rate()),
        show_bytes(tally.bytes_in_window as f64 / seconds.max(1e-9)),
        step.arm().to_owned(),
        step.repetition()
            .map_or(String::new(), |number| number.to_string()),
        step.verdict.level.name().to_owned(),
        step.stability.name().to_owned(),
    ]
}

#[cfg(test)]
mod tests;
