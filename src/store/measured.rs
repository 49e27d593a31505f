//! A run or a collection together with the files of its folder that reports need: the interval log and the
//! samples.

use super::entries::read_if_there;
use super::error::StoreError;
use super::folder::{load, load_resources};
use crate::files::{HlogBlock, hlog_blocks, samples_from_csv};
use crate::measure::{Distribution, Histogram};
use crate::resources::{Bucket, Resources, timeline};
use crate::spec::Window;
use crate::units::Nanos;
use crate::verdict::{JudgedRun, MeasuredRun, PercentileInterval, percentile_intervals};
use std::path::Path;

/// The number of buckets of a timeline.
const BUCKETS: u64 = 60;
const MILLISECOND: Nanos = Nanos::from_millis(1);

/// Reads the folder of a run. The caller gives the run its name. Other files than run.json may be missing or
/// unreadable; the result then has a note in place of what they hold.
///
/// # Errors
/// [`StoreError`] as [`load`].
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

/// The confidence intervals of the percentiles, from the interval log. The log counts the requests that
/// finished in the window, and a percentile those that were due in it. They are the same but for a few at
/// the edges if the rate was held and the percentile is no lower bound; otherwise there is no interval.
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

/// The lag in a block of the log, with the middle of the block's time.
fn middle(block: &HlogBlock) -> Option<(Nanos, Distribution)> {
    let middle = block.start + Nanos(block.length.0 / 2);
    Some((middle, Distribution::of(&block.histogram)?))
}

/// The histograms of the blocks that lie in the window.
fn inside(blocks: Vec<HlogBlock>, window: Window) -> Vec<Histogram> {
    let inside = blocks.into_iter().filter(|block| {
        // The log rounds times to milliseconds.
        let from = block.start + MILLISECOND;
        from >= window.start && block.start + block.length <= window.end + MILLISECOND
    });
    inside.map(|block| block.histogram).collect()
}

/// A collection without a load, as it was read from its folder.
#[derive(Debug, Clone)]
pub struct LoadedCollection {
    pub resources: Resources,
    /// The CPU use over time; empty without samples.
    pub timeline: Vec<Bucket>,
    /// Files that could not be read, each with the reason.
    pub notes: Vec<String>,
}

/// Reads the folder of a collection without a load; `None` when the folder holds none. The samples may be
/// missing or unreadable.
///
/// # Errors
/// [`StoreError`] when collect.json cannot be read or understood.
pub fn load_collection(folder: &Path) -> Result<Option<LoadedCollection>, StoreError> {
    let Some(resources) = load_resources(folder)? else {
        return Ok(None);
    };
    let mut notes = Vec::new();
    let timeline = load_timeline(folder, &resources, &mut notes);
    Ok(Some(LoadedCollection {
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
        Ok(log) => timeline(&log, resources, BUCKETS),
        Err(reason) => {
            notes.push(format!(
                "samples.csv cannot be read, so nothing is shown over time: {reason}"
            ));
            Vec::new()
        }
    }
}
