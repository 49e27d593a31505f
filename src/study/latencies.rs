//! Latencies of the study: columns of latency_stats.csv, and wrk's text where a column has no value.

use crate::compare::Latency;
use crate::files::{CsvRow, finite};
use std::collections::BTreeMap;

/// A latency of the study: meshload's name for it, the column, and the percentile in wrk's text
/// (empty for the mean, which that text does not list). `Max_Latency` is left out, because in the
/// study's folders it holds the 99th percentile.
const LATENCIES: [(&str, &str, &str); 6] = [
    ("mean", "Mean_Latency", ""),
    ("p50", "P50_Latency", "50.000%"),
    ("p75", "P75_Latency", "75.000%"),
    ("p90", "P90_Latency", "90.000%"),
    ("p99", "P99_Latency", "99.000%"),
    ("p99.9", "P99.9_Latency", "99.900%"),
];

/// The columns of latency_stats.csv from which latencies are read.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    LATENCIES.iter().map(|(_, column, _)| *column)
}

/// The latencies of a step by meshload's names. `log` is the text that wrk printed for the step.
pub(super) fn latencies(row: &CsvRow<'_>, log: Option<&str>) -> BTreeMap<String, Latency> {
    let total = row.get("Total_Requests").and_then(finite);
    let found = LATENCIES.iter().filter_map(|(name, column, percent)| {
        let in_table = row.get(column).and_then(wrk_time);
        // The study's parser could not read minutes and wrote N/A; wrk's text still has the value.
        let in_log = || log.and_then(|log| log_percentile(log, percent));
        let latency = Latency {
            ns: in_table.or_else(in_log)?,
            is_lower_bound: false,
            beyond: total.and_then(|total| beyond(total, percent)),
        };
        Some(((*name).to_owned(), latency))
    });
    found.collect()
}

/// The number of requests, out of `total`, that took longer than a percentile such as `99.000%`.
fn beyond(total: f64, percent: &str) -> Option<u64> {
    let percent: f64 = percent.strip_suffix('%')?.parse().ok()?;
    let up_to = (total * percent / 100.0).ceil();
    Some((total - up_to).max(0.0) as u64)
}

fn log_percentile(log: &str, percent: &str) -> Option<f64> {
    if percent.is_empty() {
        return None;
    }
    let mut lines = log.lines().map(str::trim);
    let rest = lines.find_map(|line| line.strip_prefix(percent))?;
    wrk_time(rest.trim())
}

/// Reads a time as wrk writes it (`384.26ms`, `1.40s`, `2.50m`, `1.10h`); the result is in nanoseconds.
fn wrk_time(typed: &str) -> Option<f64> {
    let letters = typed.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = typed.split_at(letters);
    let scale = match unit {
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    };
    Some(finite(number)? * scale).filter(|time| time.is_finite())
}
