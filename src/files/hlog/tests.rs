//! The log is read back by HdrHistogram's own tools.

use super::*;
use crate::files::encoded::decode;
use crate::measure::sample;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, LogEntry,
};
use std::process::Command;

fn log(slices: &[Slice]) -> String {
    let lines = slices.iter().map(hlog_lines);
    hlog_header(Nanos(1_700_000_000_250_000_000)) + &lines.collect::<String>()
}

fn intervals(log: &str) -> Vec<IntervalLogHistogram<'_>> {
    let entries = IntervalLogIterator::new(log.as_bytes());
    let intervals = entries.filter_map(|entry| match entry.expect("an entry") {
        LogEntry::Interval(interval) => Some(interval),
        _ => None,
    });
    intervals.collect()
}

fn of<'a>(slice: &'a Slice, tag: &str) -> &'a Histogram {
    match tag {
        "latency" => &slice.latency,
        "service" => &slice.service,
        "lag" => &slice.lag,
        other => panic!("tag {other}"),
    }
}

#[test]
fn every_interval_comes_back_with_its_tag_times_and_counts() {
    let slices = sample::ordinary().slices;
    let log = log(&slices);
    let intervals = intervals(&log);
    assert_eq!(intervals.len(), slices.len() * HLOG_TAGS.len());
    for (slice, intervals) in slices.iter().zip(intervals.chunks(HLOG_TAGS.len())) {
        for (tag, interval) in HLOG_TAGS.iter().zip(intervals) {
            assert_eq!(
                interval.tag().map(|tag| tag.as_str().to_owned()).as_deref(),
                Some(*tag)
            );
            assert_eq!(Nanos::from(interval.start_timestamp()), slice.start);
            assert_eq!(Nanos::from(interval.duration()), slice.end - slice.start);
            let histogram = decode(interval.encoded_histogram()).expect("a histogram");
            let wanted = of(slice, tag);
            assert_eq!(histogram.len(), slice.completed);
            assert_eq!(&histogram, wanted);
            assert!((interval.max() - wanted.max() as f64 / 1e6).abs() < 0.001);
        }
    }
}

#[test]
fn blocks_come_back_by_tag_and_those_of_two_targets_together() {
    let slices = sample::ordinary().slices;
    let one = log(&slices);
    let blocks = hlog_blocks(one.as_bytes(), "service").expect("a log");
    let wanted: Vec<HlogBlock> = slices
        .iter()
        .map(|slice| HlogBlock {
            start: slice.start,
            length: slice.end - slice.start,
            histogram: slice.service.clone(),
        })
        .collect();
    assert_eq!(blocks, wanted);
    // The second target's intervals follow the first's, under the same tags.
    let both = one.clone() + &slices.iter().map(hlog_lines).collect::<String>();
    let both = hlog_blocks(both.as_bytes(), "service").expect("a log");
    let counts = |blocks: &[HlogBlock]| -> Vec<u64> {
        blocks.iter().map(|block| block.histogram.len()).collect()
    };
    let doubled: Vec<u64> = counts(&wanted).iter().map(|count| count * 2).collect();
    assert_eq!(counts(&both), doubled);
    let cut = &one.as_bytes()[..one.len() - 40];
    assert_eq!(hlog_blocks(cut, "lag"), None, "a log that is cut short");
}

#[test]
fn the_head_names_the_version_the_start_and_the_columns() {
    let head = hlog_header(Nanos(1_700_000_000_250_000_000));
    for line in [
        "#[Histogram log format version 1.3]",
        "#[StartTime: 1700000000.250 (seconds since epoch)]",
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
    ] {
        assert!(head.lines().any(|other| other == line), "{line}");
    }
    let mut entries = IntervalLogIterator::new(head.as_bytes());
    let start = entries.find_map(|entry| match entry.expect("an entry") {
        LogEntry::StartTime(start) => Some(start.as_millis()),
        _ => None,
    });
    assert_eq!(start, Some(1_700_000_000_250));
}

#[test]
fn what_was_not_measured_has_no_line() {
    let closed = log(&sample::closed_loop().slices);
    let tags = intervals(&closed);
    assert!(!tags.is_empty());
    assert!(
        tags.iter()
            .all(|one| one.tag().is_some_and(|tag| tag.as_str() == "service"))
    );
    assert!(intervals(&log(&sample::empty().slices)).is_empty());
}

/// Reads a log with the standard Python reader and prints tag, count and largest value.
const PYTHON: &str = "
import sys
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 86400 * 10**9, 3))
while True:
    one = reader.get_next_interval_histogram()
    if one is None:
        break
    print(one.get_tag(), one.get_total_count(), one.get_max_value())
";

#[test]
#[ignore = "needs python3 with hdrhistogram"]
fn the_python_tools_read_the_log() {
    let slices = sample::ordinary().slices;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("latency.hlog");
    std::fs::write(&path, log(&slices)).expect("a log");
    let output = Command::new("python3")
        .args(["-c", PYTHON])
        .arg(&path)
        .output();
    let output = output.expect("python3");
    let words = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mut lines = words.lines();
    for slice in &slices {
        for tag in HLOG_TAGS {
            let cells: Vec<_> = lines.next().expect("a line").split(' ').collect();
            let wanted = of(slice, tag);
            assert_eq!(cells[..2], [tag, &wanted.len().to_string()], "{words}");
            let max: f64 = cells[2].parse().expect("a number");
            assert!((max / wanted.max() as f64 - 1.0).abs() < 0.002, "{max}");
        }
    }
    assert_eq!(lines.next(), None);
}
