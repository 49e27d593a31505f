//! The HdrHistogram interval log: what the standard HdrHistogram log tools read.
//!
//! Written line by line while the run goes on, so that a run that is cut short keeps its log.

use super::encoded::encode;
use crate::measure::{Histogram, Slice};
use crate::units::Nanos;

/// The tags of the three histograms of each interval.
pub const HLOG_TAGS: [&str; 3] = ["latency", "service", "lag"];

/// The head of the log; `start` is the wall clock at the start of the load.
pub fn hlog_header(start: Nanos) -> String {
    let seconds = start.as_secs_f64();
    format!(
        "#[Times in nanoseconds; intervals by the time of finishing]\n\
         #[Histogram log format version 1.3]\n\
         #[StartTime: {seconds:.3} (seconds since epoch)]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    )
}

/// The lines of one interval; a histogram that was not measured has none. Start times count from
/// the log's start time, the largest value is in milliseconds, as the format has it.
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

#[cfg(test)]
mod tests;
