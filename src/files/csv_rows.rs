//! Tables of the load: intervals, requests, and a summary by target. A missing value is an empty cell,
//! never 0.

use super::csv_table::table;
use crate::measure::{Distribution, Interval, RequestRow, RunResult, Tally, TargetResult};
use crate::units::Nanos;
use crate::verdict::JudgedRun;

const INTERVAL_COLUMNS: [&str; 18] = [
    "target",
    "start_s",
    "duration_s",
    "phase",
    "scheduled",
    "completed",
    "failed",
    "backlog",
    "in_flight",
    "bytes_read",
    "latency_p50_us",
    "latency_p90_us",
    "latency_p99_us",
    "latency_max_us",
    "service_p50_us",
    "service_p99_us",
    "late_p50_us",
    "late_p99_us",
];

/// Writes intervals.csv: a row per target and interval. Starts count from the start of the load.
pub fn intervals_csv(result: &RunResult) -> Vec<u8> {
    let rows = result.targets.iter().flat_map(|target| {
        let url = &target.target.url;
        target
            .intervals
            .iter()
            .map(|interval| interval_row(url, interval))
    });
    table(&INTERVAL_COLUMNS, rows)
}

fn interval_row(url: &str, interval: &Interval) -> Vec<String> {
    let [p50, p90, p99, max] = micros(interval.latency.as_ref(), |l| [l.p50, l.p90, l.p99, l.max]);
    let [service_p50, service_p99] = micros(interval.service.as_ref(), |s| [s.p50, s.p99]);
    let [late_p50, late_p99] = micros(interval.late.as_ref(), |l| [l.p50, l.p99]);
    vec![
        url.to_owned(),
        seconds(interval.start),
        seconds(interval.duration),
        interval.phase.name().to_owned(),
        or_empty(interval.scheduled),
        interval.completed.to_string(),
        interval.failed.to_string(),
        or_empty(interval.backlog),
        interval.in_flight.to_string(),
        interval.bytes_read.to_string(),
        p50,
        p90,
        p99,
        max,
        service_p50,
        service_p99,
        late_p50,
        late_p99,
    ]
}

/// The first columns of the summary; those of the other counters follow.
const SUMMARY_COLUMNS: [&str; 22] = [
    "url",
    "rate_offered",
    "rate_achieved",
    "scheduled",
    "completed",
    "failed",
    "unfinished",
    "connect",
    "read",
    "write",
    "timeout",
    "parse",
    "aborted",
    "script",
    "bad_status",
    "latency_p50_us",
    "latency_p90_us",
    "latency_p99_us",
    "latency_p99.9_us",
    "latency_max_us",
    "service_p50_us",
    "verdict",
];

/// The names and values of a tally's counters that are not in [`SUMMARY_COLUMNS`].
fn other_counters(tally: &Tally) -> impl Iterator<Item = (&'static str, u64)> {
    let counters = Tally::COUNTERS.iter().zip(tally.counters());
    let counters = counters.map(|(field, count)| (field.name, count));
    counters.filter(|(name, _)| !SUMMARY_COLUMNS.contains(name))
}

/// Writes the table of `--csv`: a row per target.
pub fn summary_csv(run: &JudgedRun) -> Vec<u8> {
    let JudgedRun {
        result, verdict, ..
    } = run;
    let rows = result
        .targets
        .iter()
        .map(|target| summary_row(result, target, verdict.level.name()));
    let mut columns = SUMMARY_COLUMNS.to_vec();
    columns.extend(other_counters(&Tally::default()).map(|(name, _)| name));
    table(&columns, rows)
}

fn summary_row(result: &RunResult, target: &TargetResult, level: &str) -> Vec<String> {
    let tally = &target.tally;
    let rate = |count: u64| format!("{:.3}", result.per_second(count));
    let is_open = result.is_open_loop();
    let latency = Distribution::of(&tally.latency_with_censored()).filter(|_| is_open);
    let service = Distribution::of(&tally.service);
    let [p50, p90, p99, p99_9, max] =
        micros(latency.as_ref(), |l| [l.p50, l.p90, l.p99, l.p99_9, l.max]);
    let [service_p50] = micros(service.as_ref(), |s| [s.p50]);
    let counts = [
        tally.scheduled,
        tally.completed,
        tally.failed,
        tally.unfinished,
    ];
    let counts = counts.into_iter().chain(tally.errors.counts());
    let counts = counts.chain([tally.status.bad()]);
    let mut row = vec![
        target.target.url.clone(),
        if is_open {
            rate(tally.scheduled)
        } else {
            String::new()
        },
        rate(tally.finished_in_window),
    ];
    row.extend(counts.map(|count| count.to_string()));
    row.extend([p50, p90, p99, p99_9, max, service_p50, level.to_owned()]);
    row.extend(other_counters(tally).map(|(_, count)| count.to_string()));
    row
}

const REQUEST_COLUMNS: [&str; 11] = [
    "target",
    "route",
    "connection",
    "due_ns",
    "free_ns",
    "sent_ns",
    "first_byte_ns",
    "done_ns",
    "status",
    "bytes",
    "error",
];

/// The header of requests.csv.
pub fn requests_csv_header() -> Vec<u8> {
    table(&REQUEST_COLUMNS, std::iter::empty())
}

/// The rows of a target's requests in requests.csv. Times are nanoseconds since the start of the load;
/// `routes` are the names of the route numbers in `rows`.
pub fn requests_csv_rows(url: &str, rows: &[RequestRow], routes: &[String]) -> Vec<u8> {
    let nanos = |at: Option<Nanos>| or_empty(at.map(|at| at.0));
    let rows = rows.iter().map(|row| {
        vec![
            url.to_owned(),
            routes.get(row.route as usize).cloned().unwrap_or_default(),
            row.connection.to_string(),
            row.due.0.to_string(),
            row.free.0.to_string(),
            row.sent.0.to_string(),
            nanos(row.first_byte),
            nanos(row.done),
            or_empty(row.status.map(u64::from)),
            row.bytes.to_string(),
            match (row.error, row.done) {
                (Some(error), _) => error.name().to_owned(),
                (None, Some(_)) => String::new(),
                (None, None) => "unfinished".to_owned(),
            },
        ]
    });
    table(&[], rows)
}

fn seconds(time: Nanos) -> String {
    format!("{:.6}", time.as_secs_f64())
}

fn or_empty(value: Option<u64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn micros<const N: usize>(
    figures: Option<&Distribution>,
    pick: impl Fn(&Distribution) -> [u64; N],
) -> [String; N] {
    match figures {
        Some(figures) => pick(figures).map(|nanos| format!("{:.3}", nanos as f64 / 1e3)),
        None => std::array::from_fn(|_| String::new()),
    }
}

#[cfg(test)]
mod tests;
