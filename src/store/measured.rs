//! A run with what its folder holds beside run.json.

use super::files::StoreError;
use super::folder::{load, load_collection};
use super::lasting::read_if_there;
use crate::formats::{hlog_blocks, samples_from_csv};
use crate::judge::{PercentileInterval, Verdict, percentile_intervals};
use crate::measure::{Histogram, RunResult};
use crate::resources::{Resources, Stretch, timeline};
use crate::units::Nanos;
use std::path::Path;

/// Stretches of a timeline: finer than what kubelets refresh would only repeat itself.
const STRETCHES: u64 = 60;
const MILLISECOND: Nanos = Nanos::from_millis(1);

/// A run, its percentiles' intervals, and what was used while it lasted.
#[derive(Debug, Clone)]
pub struct MeasuredRun {
    /// What it found out.
    pub result: RunResult,
    /// Whether that can be believed.
    pub verdict: Verdict,
    /// Empty without a readable log, or when it was too short.
    pub intervals: Vec<PercentileInterval>,
    /// Empty without samples.
    pub timeline: Vec<Stretch>,
    /// Files that could not be read, and why.
    pub notes: Vec<String>,
}

/// Reads a run's folder.
///
/// # Errors
/// [`StoreError`] as [`load`]; what the other files hold is missing where they cannot be read.
pub fn load_measured(folder: &Path) -> Result<MeasuredRun, StoreError> {
    let (result, verdict) = load(folder)?;
    let mut notes = Vec::new();
    let blocks = blocks(folder, &result, &mut notes);
    let timeline = result.resources.as_ref().map_or(Vec::new(), |resources| {
        load_timeline(folder, resources, &mut notes)
    });
    Ok(MeasuredRun {
        intervals: percentile_intervals(&blocks),
        timeline,
        result,
        verdict,
        notes,
    })
}

/// A collection without a load, and its timeline; `None` when the folder holds none.
///
/// # Errors
/// [`StoreError`] for one that is not understood.
pub fn load_collected(
    folder: &Path,
) -> Result<Option<(Resources, Vec<Stretch>, Vec<String>)>, StoreError> {
    let Some(resources) = load_collection(folder)? else {
        return Ok(None);
    };
    let mut notes = Vec::new();
    let timeline = load_timeline(folder, &resources, &mut notes);
    Ok(Some((resources, timeline, notes)))
}

/// The times of each second of the window, by the time of finishing.
fn blocks(folder: &Path, result: &RunResult, notes: &mut Vec<String>) -> Vec<Histogram> {
    let path = folder.join("latency.hlog");
    let tag = if result.is_open_loop() {
        "latency"
    } else {
        "service"
    };
    let Ok(Some(log)) = read_if_there(&path) else {
        return Vec::new();
    };
    let Some(blocks) = hlog_blocks(&log, tag) else {
        notes.push(
            "latency.hlog cannot be read: there are no intervals of one run's percentiles"
                .to_owned(),
        );
        return Vec::new();
    };
    let inside = blocks.into_iter().filter(|block| {
        // The log has milliseconds.
        let from = block.start + MILLISECOND;
        from >= result.window.start && block.start + block.length <= result.window.end + MILLISECOND
    });
    inside.map(|block| block.histogram).collect()
}

fn load_timeline(folder: &Path, resources: &Resources, notes: &mut Vec<String>) -> Vec<Stretch> {
    let Ok(Some(samples)) = read_if_there(&folder.join("samples.csv")) else {
        return Vec::new();
    };
    match samples_from_csv(&samples) {
        Ok(log) => timeline(&log, resources, STRETCHES),
        Err(reason) => {
            notes.push(format!(
                "samples.csv cannot be read, so nothing is shown over time: {reason}"
            ));
            Vec::new()
        }
    }
}
