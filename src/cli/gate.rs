//! The flags for build pipelines: thresholds, a baseline, repetitions, and reports for build servers.

use crate::gate::{MaxRegression, Threshold};
use crate::spec::{BadSpec, CollectFrom, Offered, RunSpec, Target, parse_count};
use clap::Args;
use std::path::PathBuf;

/// Several runs with one specification, alone or compared with earlier runs or with another system.
#[derive(Debug, Clone, PartialEq)]
pub struct Repetition {
    /// The largest number of runs; `None`: as many as it takes to detect a regression.
    pub most: Option<usize>,
    /// What the runs are compared with.
    pub baseline: Option<Baseline>,
    /// The limits of the ratios to the baseline.
    pub limits: Vec<MaxRegression>,
}

/// What runs are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// Earlier runs: a folder, an arm of a folder (`DIR:ARM`), or a run.json.
    Kept(PathBuf),
    /// Another system, which is measured in turns with the first.
    Live(Target),
}

const MOST_RUNS: usize = 10_000;

#[derive(Debug, Args)]
#[command(next_help_heading = "In a pipeline")]
pub(super) struct GateArgs {
    /// Fail the run (exit 3) when this is true of it, or unknown: 'p99 > 50ms',
    /// 'error_rate > 1%', 'rate_ratio < 0.99', 'route("GET /hotels").p99 > 80ms',
    /// 'cpu.sidecar > 500m'; repeatable
    #[arg(long, value_name = "THRESHOLD")]
    pub fail_if: Vec<Threshold>,
    /// Compare the runs with those of a folder (DIR, DIR:ARM, run.json), or with another URL, which
    /// is then measured in turns with the first
    #[arg(long, value_name = "DIR|URL", value_parser = baseline, requires = "max_regression")]
    baseline: Option<Baseline>,
    /// Fail (exit 3) when a ratio to the baseline is above this with the whole of its interval:
    /// p99=10%,cpu=5%
    #[arg(long, value_name = "LIMITS", value_parser = MaxRegression::parse_list, requires = "baseline")]
    max_regression: Option<std::vec::Vec<MaxRegression>>,
    /// Make up to N runs; with a baseline, fewer when the intervals are narrow enough before that
    /// [default: 1; with a baseline, as many as it takes to detect a regression]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    repeat: Option<usize>,
    /// Write a summary in Markdown; in GitHub Actions it is appended to the job's, too
    #[arg(long, value_name = "FILE")]
    pub summary_md: Option<PathBuf>,
    /// Write JUnit's XML: a test per threshold and limit, and one for the verdict
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

fn baseline(typed: &str) -> Result<Baseline, String> {
    if typed.contains("://") {
        return Target::parse(typed)
            .map(Baseline::Live)
            .map_err(|bad| bad.to_string());
    }
    Ok(Baseline::Kept(PathBuf::from(typed)))
}

impl GateArgs {
    /// The repetitions that were asked for; `None` for a single run.
    pub(super) fn repetition(&self) -> Option<Repetition> {
        let is_single = self.baseline.is_none() && self.repeat.unwrap_or(1) == 1;
        (!is_single).then(|| Repetition {
            most: self.repeat,
            baseline: self.baseline.clone(),
            limits: self.max_regression.clone().unwrap_or_default(),
        })
    }

    /// Checks that the run will have the figures that thresholds and limits use.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub(super) fn validate(&self, spec: &RunSpec) -> Result<(), BadSpec> {
        let live = match &self.baseline {
            Some(Baseline::Live(live)) => Some(live),
            _ => None,
        };
        spec.suits(&spec.targets.iter().chain(live).collect::<Vec<_>>())?;
        let blind = self.fail_if.iter().find(|one| one.needs_collector());
        let blind = blind.map(|one| ("--fail-if", one.to_string()));
        let limits = || self.max_regression.iter().flatten();
        let blind = blind.or_else(|| {
            let limit = limits().find(|one| one.needs_collector())?;
            Some(("--max-regression", limit.metric.clone()))
        });
        if let (Some((flag, what)), CollectFrom::None) = (blind, &spec.collect.from) {
            return Err(BadSpec::new(
                flag,
                format!("`{what}` needs the figures of a collector, and none is asked for"),
                "add --collect kube, or --collect process:...",
            ));
        }
        let Some(repetition) = self.repetition() else {
            return Ok(());
        };
        if repetition.most.is_some_and(|most| most > MOST_RUNS) {
            return Err(BadSpec::new(
                "--repeat",
                "so many runs would not end in any useful time",
                format!("use at most {MOST_RUNS}"),
            ));
        }
        if !matches!(spec.load.offered, Offered::Rate(_)) {
            return Err(BadSpec::new(
                "--repeat",
                "runs are compared at a fixed rate",
                "give -R a number",
            ));
        }
        match &repetition.baseline {
            Some(Baseline::Live(_)) => of_two_systems(&repetition, spec),
            _ => Ok(()),
        }
    }
}

fn of_two_systems(repetition: &Repetition, spec: &RunSpec) -> Result<(), BadSpec> {
    if spec.targets.len() > 1 {
        return Err(BadSpec::new(
            "--baseline",
            "one URL cannot be compared with several",
            "give one URL, or a folder as the baseline",
        ));
    }
    if let Some(limit) = repetition.limits.iter().find(|one| one.needs_collector()) {
        return Err(BadSpec::new(
            "--max-regression",
            format!(
                "the collector cannot tell the `{}` of two URLs apart",
                limit.metric
            ),
            "leave it out, or describe both as arms of a plan (meshload sweep)",
        ));
    }
    Ok(())
}
