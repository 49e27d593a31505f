//! A run with what its folder holds beside run.json.

use super::files::StoreError;
use super::folder::{load, load_collection};
use super::lasting::read_if_there;
use crate::files::{HlogBlock, hlog_blocks, samples_from_csv};
use crate::measure::{Distribution, Histogram};
use crate::resources::{Bucket, Resources, timeline};
use crate::spec::Window;
use crate::units::Nanos;
use crate::verdict::{JudgedRun, MeasuredRun, PercentileInterval, percentile_intervals};
use std::path::Path;

/// Stretches of a timeline.
const STRETCHES: u64 = 60;
const MILLISECOND: Nanos = Nanos::from_millis(1);

/// Reads a run's folder; the run has no name.
///
/// # Errors
/// [`StoreError`] as [`load`]; what the other files hold is missing where they cannot be read.
pub fn load_measured(folder: &Path) -> Result<MeasuredRun, StoreError> {
    let judged = load(folder)?;
    let result = &judged.result;
    let mut notes = Vec::new();
    let log = match read_if_there(&folder.join("latency.hlog")) {
        Ok(log) => log.unwrap_or_default(),
        Err(error) => {
            notes.push(error.to_string());
            Vec::new()
        }
    };
    let tag = if result.is_open_loop() {
        "latency"
    } else {
        "service"
    };
    let [times, lag] = [tag, "lag"].map(|tag| hlog_blocks(&log, tag));
    if times.is_none() || lag.is_none() {
        notes.push(
            "latency.hlog cannot be read: there are no intervals of one run's percentiles, and no lag over time".to_owned(),
        );
    }
    let timeline = result.resources.as_ref().map_or(Vec::new(), |resources| {
        load_timeline(folder, resources, &mut notes)
    });
    Ok(MeasuredRun {
        name: String::new(),
        intervals: intervals(times.unwrap_or_default(), &judged),
        lag: lag.iter().flatten().filter_map(middle).collect(),
        timeline,
        judged,
        notes,
    })
}

/// The log holds what finished in the window, the percentiles what was due in it: as long as the rate was
/// held, and the percentile is no lower bound, these are the same requests but for a few at the edges.
fn intervals(times: Vec<HlogBlock>, run: &JudgedRun) -> Vec<PercentileInterval> {
    if run.stability.is_held() == Some(false) {
        return Vec::new();
    }
    let result = &run.result;
    let mut intervals = percentile_intervals(&inside(times, result.window));
    if result.is_open_loop() {
        let bounds: Vec<&str> = result
            .overall()
            .latency_percentiles()
            .iter()
            .filter(|one| one.is_lower_bound)
            .map(|one| one.name)
            .collect();
        intervals.retain(|one| !bounds.contains(&one.name));
    }
    intervals
}

fn middle(block: &HlogBlock) -> Option<(Nanos, Distribution)> {
    let middle = block.start + Nanos(block.length.0 / 2);
    Some((middle, Distribution::of(&block.histogram)?))
}

/// The blocks of the window, by the time of finishing.
fn inside(blocks: Vec<HlogBlock>, window: Window) -> Vec<Histogram> {
    let inside = blocks.into_iter().filter(|block| {
        // The log has milliseconds.
        let from = block.start + MILLISECOND;
        from >= window.start && block.start + block.length <= window.end + MILLISECOND
    });
    inside.map(|block| block.histogram).collect()
}

/// A collection without a load.
#[derive(Debug, Clone)]
pub struct Collected {
    /// What was used.
    pub resources: Resources,
    /// And when; empty without samples.
    pub timeline: Vec<Bucket>,
    /// Files that could not be read, and why.
    pub notes: Vec<String>,
}

/// Reads a collection; `None` when the folder holds none.
///
/// # Errors
/// [`StoreError`] for one that is not understood.
pub fn load_collected(folder: &Path) -> Result<Option<Collected>, StoreError> {
    let Some(resources) = load_collection(folder)? else {
        return Ok(None);
    };
    let mut notes = Vec::new();
    let timeline = load_timeline(folder, &resources, &mut notes);
    Ok(Some(Collected {
        resources,
        timeline,
        notes,
    }))
}

fn load_timeline(folder: &Path, resources: &Resources, notes: &mut Vec<String>) -> Vec<Bucket> {
    let samples = match read_if_there(&folder.join("samples.csv")) {
        Ok(Some(samples)) => samples,
        Ok(None) => return Vec::new(),
        Err(error) => {
            notes.push(error.to_string());
            return Vec::new();
        }
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
