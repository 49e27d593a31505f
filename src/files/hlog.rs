//! The interval log of HdrHistogram, format 1.3, which its standard tools read.
//!
//! The log is written line by line during the run, so a run that is cut short keeps its log.

use super::encoded::{decode, encode};
use crate::measure::{Histogram, Slice};
use crate::units::Nanos;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The tags of the three histograms of each interval.
pub const HLOG_TAGS: [&str; 3] = ["latency", "service", "lag"];

/// The head of the log. `start` is the Unix time at which the load began.
pub fn hlog_header(start: Nanos) -> String {
    let seconds = start.as_secs_f64();
    format!(
        "#[Times in nanoseconds; intervals by the time of finishing]\n\
         #[Histogram log format version 1.3]\n\
         #[StartTime: {seconds:.3} (seconds since epoch)]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    )
}

/// The lines of an interval, one per histogram that is not empty. As the format asks, start times are
/// seconds since the log's start time, and the largest value is in milliseconds.
pub fn hlog_lines(slice: &Slice) -> String {
    let histograms: [&Histogram; 3] = [&slice.latency, &slice.service, &slice.lag];
    let mut lines = String::new();
    for (tag, histogram) in HLOG_TAGS.into_iter().zip(histograms) {
        if histogram.is_empty() {
            continue;
        }
        let start = slice.start.as_secs_f64();
        let length = (slice.end - slice.start).as_secs_f64();
        let max = histogram.max() as f64 / 1e6;
        let encoded = encode(histogram);
        lines.push_str(&format!(
            "Tag={tag},{start:.3},{length:.3},{max:.3},{encoded}\n"
        ));
    }
    lines
}

/// Reads the histograms of a tag in the order of time. Those of several targets in the same interval are
/// added up. `None` for a log that cannot be read.
pub fn hlog_blocks(log: &[u8], tag: &str) -> Option<Vec<HlogBlock>> {
    let mut blocks: BTreeMap<Nanos, HlogBlock> = BTreeMap::new();
    for entry in IntervalLogIterator::new(log) {
        let interval = match entry.ok()? {
            LogEntry::Interval(interval) => interval,
            _ => continue,
        };
        if interval.tag().is_none_or(|found| found.as_str() != tag) {
            continue;
        }
        let histogram = decode(interval.encoded_histogram())?;
        let block = blocks.entry(interval.start_timestamp().into());
        match block {
            Entry::Vacant(place) => {
                place.insert(HlogBlock {
                    start: interval.start_timestamp().into(),
                    length: interval.duration().into(),
                    histogram,
                });
            }
            Entry::Occupied(mut block) => block.get_mut().histogram.add(histogram).ok()?,
        }
    }
    Some(blocks.into_values().collect())
}

/// The times of one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct HlogBlock {
    /// The interval's start, since the start of the load.
    pub start: Nanos,
    pub length: Nanos,
    /// Times in nanoseconds.
    pub histogram: Histogram,
}

#[cfg(test)]
mod tests;
