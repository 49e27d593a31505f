//! The study's tables over all steps of a sweep. KB means 1024 bytes. A missing value is an empty cell
//! (`N/A` for a time, as the study wrote it), never 0.

mod grouped;

use super::file_names::{LATENCIES_CSV, METADATA_JSON, PODS_CSV};
use super::pods_csv::{POD_COLUMNS, pod_rows};
use crate::files::table;
use crate::measure::{Distribution, RunResult, Tally};
use crate::units::{Rate, show_bytes, show_ns};
use crate::verdict::{JudgedRun, Level};
use serde::{Deserialize, Serialize};

/// metadata.json: the study's keys, and further keys that readers of a sweep's folder need.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// An object by arm: the target of its load, and whether its pods shall be in the mesh.
    pub arms: serde_json::Value,
    pub order: String,
    pub seed: u64,
    pub meshload: String,
}

/// The study's tables over all steps of a sweep. Only the rows of a step are kept, because a run with
/// its histograms takes megabytes.
#[derive(Debug, Default)]
pub struct StudyTables {
    /// Sorted by the steps' numbers.
    steps: Vec<StepRows>,
}

/// The rows of one step.
#[derive(Debug)]
struct StepRows {
    number: u32,
    arm: String,
    rate: f64,
    /// Whether the figures go into means. An INVALID run measured the generator, not the system.
    is_valid: bool,
    /// Rows of k8s_full_metrics.csv.
    pods: Vec<u8>,
    /// The row of latency_stats.csv.
    latency: Vec<u8>,
    /// The figures of each pod that go into means, with the pod's service.
    pod_means: Vec<(String, Vec<Option<f64>>)>,
    /// The latencies that go into means.
    latency_means: Vec<Option<f64>>,
}

impl StudyTables {
    /// Adds a step. The run's spec holds its number, arm and repetition.
    pub fn add(&mut self, run: &JudgedRun) {
        let rows = rows_of(run);
        let at = self.steps.partition_point(|one| one.number <= rows.number);
        self.steps.insert(at, rows);
    }

    /// The tables and metadata.json, each with its file name.
    pub fn files(&self, metadata: &StudyMetadata) -> Vec<(&'static str, Vec<u8>)> {
        let mut json = serde_json::to_vec_pretty(metadata).unwrap_or_default();
        json.push(b'\n');
        let whole = |columns: &[&str], rows: fn(&StepRows) -> &[u8]| {
            let mut bytes = table(columns, std::iter::empty());
            self.steps.iter().for_each(|step| bytes.extend(rows(step)));
            bytes
        };
        vec![
            (METADATA_JSON, json),
            (PODS_CSV, whole(&POD_COLUMNS, |step| &step.pods)),
            (LATENCIES_CSV, whole(&LATENCY_COLUMNS, |step| &step.latency)),
            ("metrics_summary.csv", grouped::metrics_summary(&self.steps)),
            ("latency_summary.csv", grouped::latency_summary(&self.steps)),
        ]
    }
}

fn rows_of(run: &JudgedRun) -> StepRows {
    let JudgedRun {
        result, verdict, ..
    } = run;
    let label = result.spec.step.as_ref();
    let resources = result.resources.as_ref();
    let pods = resources.map_or_else(Vec::new, |resources| {
        pod_rows(resources, Some(&result.spec))
    });
    let figures = LoadFigures::of(result);
    StepRows {
        number: label.map_or(0, |label| label.number),
        arm: label.map_or(String::new(), |label| label.arm.clone()),
        rate: result.spec.fixed_rate().map_or(0.0, Rate::as_f64),
        is_valid: verdict.level != Level::Invalid,
        pod_means: grouped::pod_means(&pods),
        latency_means: grouped::latency_means(result, &figures),
        pods: table(&[], pods.into_iter()),
        latency: table(&[], [latency_row(run, &figures)].into_iter()),
    }
}

/// Figures of a run's load that several tables hold.
struct LoadFigures<'a> {
    tally: &'a Tally,
    latency: Option<Distribution>,
}

impl LoadFigures<'_> {
    fn of(result: &RunResult) -> LoadFigures<'_> {
        let tally = result.overall();
        LoadFigures {
            latency: Distribution::of(&tally.response_times(result.is_open_loop())),
            tally,
        }
    }

    /// The error rate in percent; `None` where no request ended.
    fn error_percent(&self) -> Option<f64> {
        Some(self.tally.error_rate()? * 100.0)
    }
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

fn latency_row(run: &JudgedRun, figures: &LoadFigures<'_>) -> Vec<String> {
    let result = &run.result;
    let LoadFigures { tally, latency } = figures;
    let time = |of: fn(&Distribution) -> f64| {
        latency
            .as_ref()
            .map_or("N/A".to_owned(), |latency| show_ns(of(latency)))
    };
    let errors = &tally.errors;
    let socket_errors =
        errors.connect + errors.read_in_wrks_terms() + errors.write + errors.timeout;
    let rate = result.spec.fixed_rate();
    let label = result.spec.step.as_ref();
    vec![
        rate.map_or(String::new(), |rate| rate.to_string()),
        format!("{:.2}", result.rate_achieved()),
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
        figures
            .error_percent()
            .map_or(String::new(), |percent| format!("{percent:.4}")),
        show_bytes(result.per_second(tally.bytes_in_window)),
        label.map_or(String::new(), |label| label.arm.clone()),
        label.map_or(String::new(), |label| label.repetition.to_string()),
        run.verdict.level.name().to_owned(),
        run.stability.name().to_owned(),
    ]
}
