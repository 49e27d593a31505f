//! The text letter by letter, and every parser in the wild that is known by name: each reads the
//! whole of what a run prints, meshload's own account included, and must find the run's values.

use super::*;
use crate::measure::sample::{self, Sample};
use crate::text::outcome_text;
use crate::verdict::JudgedRun;
use regex_lite::Regex;

const PERCENTS: [f64; 8] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 99.999, 100.0];

fn with_everything(mut sample: Sample) -> RunResult {
    let recording = &mut sample.result.spec.recording;
    recording.spectrum = true;
    recording.uncorrected = true;
    recording.sent = true;
    sample.result
}

fn with_latency(mut sample: Sample) -> RunResult {
    sample.result.spec.recording.spectrum = true;
    sample.result
}

/// All that a run prints.
fn stdout(result: &RunResult) -> String {
    wrk_text(result) + &outcome_text(&JudgedRun::judge(result.clone()))
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

/// The groups of the first match.
fn find<const N: usize>(pattern: &str, text: &str) -> [String; N] {
    let found = regex(pattern).captures(text);
    let found = found.unwrap_or_else(|| panic!("no match for {pattern} in\n{text}"));
    std::array::from_fn(|group| found[group + 1].to_owned())
}

fn number(text: &str) -> f64 {
    text.parse()
        .unwrap_or_else(|_| panic!("`{text}` is no number"))
}

fn millis(value: &str, unit: &str) -> f64 {
    number(value)
        * match unit {
            "us" => 1e-3,
            "ms" => 1.0,
            "s" => 1e3,
            _ => panic!("unit {unit}"),
        }
}

/// Two decimals of any unit: 0.01 of it, and at least 0.85 of the unit is shown.
fn assert_near(got: f64, wanted: f64) {
    assert!(
        (got - wanted).abs() <= wanted * 0.006 + 1e-9,
        "{got} instead of {wanted}"
    );
}

fn latency_ms(result: &RunResult, percent: f64) -> f64 {
    let latency = result.overall().latency_with_censored();
    latency.value_at_percentile(percent) as f64 / 1e6
}

#[test]
fn the_text_is_the_golden_one_letter_by_letter() {
    let text = wrk_text(&with_everything(sample::troubled()));
    sample::assert_golden("wrk_text.txt", &text);
}

#[test]
fn perfkitbenchmarkers_wrk2_finds_percentiles_requests_and_errors() {
    // It passes --u_latency unless it is told otherwise, and reads the recorded latency all the same.
    let mut only_u = sample::troubled().result;
    only_u.spec.recording.uncorrected = true;
    for result in [with_latency(sample::troubled()), only_u] {
        let text = stdout(&result);
        let line = r"^\s*(\d+\.\d+)%\s+(\d+\.\d+)(us|ms|s|m)\s*\n";
        let block = format!(
            r"(?m)^\s*Latency Distribution \(HdrHistogram - Recorded Latency\)\n((?:{line})+)"
        );
        let [lines] = find(&block, &text);
        let found: Vec<_> = regex(&format!("(?m){line}"))
            .captures_iter(&lines)
            .map(|found| (number(&found[1]), millis(&found[2], &found[3])))
            .collect();
        assert_eq!(found.len(), PERCENTS.len());
        for ((percent, got), wanted) in found.iter().zip(PERCENTS) {
            assert_eq!(*percent, wanted);
            assert_near(*got, latency_ms(&result, wanted));
        }
        let [requests] = find(r"(\d+) requests in \d", &text);
        assert_eq!(requests, result.overall().finished_in_window.to_string());
        let [errors] = find(r"Non-2xx or 3xx responses: (\d+)", &text);
        assert_eq!(errors, result.overall().status.bad().to_string());
    }
}

#[test]
fn a_runner_that_reads_the_stripped_title_and_then_eight_lines_finds_them() {
    let result = with_everything(sample::ordinary());
    let text = stdout(&result);
    let mut lines = text.lines().map(str::trim);
    lines
        .find(|line| *line == "Latency Distribution (HdrHistogram - Recorded Latency)")
        .expect("the title");
    for percent in PERCENTS {
        let line = lines.next().expect("a line");
        let cells: Vec<_> = line.split_whitespace().collect();
        let [share, value] = cells.as_slice() else {
            panic!("`{line}` has not two cells");
        };
        assert_eq!(number(share.trim_end_matches('%')), percent);
        let [value, unit]: [String; 2] = find("^([0-9.]+)([a-z]+)$", value);
        assert_near(millis(&value, &unit), latency_ms(&result, percent));
    }
    assert_eq!(lines.next(), Some(""), "exactly eight lines");
}

#[test]
fn meshinsight_takes_the_second_word_of_the_requests_line() {
    for sample in sample::every() {
        let text = stdout(&sample.result);
        let lines: Vec<_> = text
            .lines()
            .filter(|line| line.contains("Requests/sec"))
            .collect();
        assert_eq!(lines.len(), 1, "{}", sample.name);
        let word = lines[0].split_whitespace().nth(1).expect("a second word");
        let seconds = sample.result.window.length().as_secs_f64();
        let wanted = sample.result.overall().finished_in_window as f64 / seconds;
        assert!((number(word) - wanted).abs() < 0.01, "{}", sample.name);
    }
}

#[test]
fn nodes_wrappers_find_their_lines_by_name_and_cut_them_at_blanks() {
    let result = with_latency(sample::troubled());
    let text = stdout(&result);
    let words = |start: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.trim().starts_with(start));
        let line = line.unwrap_or_else(|| panic!("no line {start}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    for name in ["Latency ", "Req/Sec"] {
        let cells = words(name);
        assert_eq!(cells.len(), 5, "{cells:?}");
        assert!(number(cells[4].trim_end_matches('%')) <= 100.0);
    }
    let tally = result.overall();
    let max = find::<2>("^([0-9.]+)([a-z]+)$", &words("Latency ")[3]);
    assert_near(
        millis(&max[0], &max[1]),
        tally.latency_with_censored().max() as f64 / 1e6,
    );
    let [total, time, read] = find(
        r"(\d+) requests in ([0-9.]+[A-Za-z]+), ([0-9.]+[A-Za-z]+) read",
        &text,
    );
    assert_eq!(total, tally.finished_in_window.to_string());
    assert_eq!(time, "2.00s");
    assert_eq!(read, show_bytes(tally.bytes_in_window as f64));
    let errors = find::<4>(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)",
        &text,
    );
    // A reply that is not HTTP and one that was given up are failed reads to wrk.
    let of = &tally.errors;
    let wanted = [
        of.connect,
        of.read + of.parse + of.aborted,
        of.write,
        of.timeout,
    ];
    assert_eq!(errors, wanted.map(|count| count.to_string()));
    assert!(wanted.iter().all(|count| *count > 0), "{wanted:?}");
}

#[test]
fn nodes_wrappers_that_count_from_the_end_find_the_rates_in_wrk_txt() {
    let result = with_latency(sample::ordinary());
    let text = wrk_text(&result);
    let lines: Vec<_> = text.split('\n').collect();
    let cell = |from_end: usize| {
        let line = lines[lines.len() - from_end];
        line.split(':').nth(1).expect("a colon").trim().to_owned()
    };
    assert_eq!(number(&cell(3)), 1_000.0);
    assert_eq!(cell(2), show_bytes(250.0 * 1_000.0));
    find::<3>(
        r"(\d+) requests in ([0-9.]+[A-Za-z]+), ([0-9.]+[A-Za]+)",
        lines[lines.len() - 4],
    );
}

#[test]
fn a_runner_that_slices_from_the_spectrum_to_the_dashes_gets_the_whole_table() {
    let result = with_everything(sample::troubled());
    let text = stdout(&result);
    let title = "Detailed Percentile spectrum:";
    let start = text.find(title).expect("the title");
    let table = &text[start + title.len()..];
    let table = &table[..table.find(&"-".repeat(58)).expect("58 dashes")];
    let is_row = regex(r"^ *[0-9.]+ +[0-9.]+ +[0-9]+ +([0-9.]+|inf)$");
    let rows: Vec<Vec<f64>> = table
        .lines()
        .filter(|line| is_row.is_match(line))
        .map(|line| line.split_whitespace().map(number).collect())
        .collect();
    let column = |index: usize| rows.iter().map(move |row| row[index]);
    for index in 0..3 {
        assert!(column(index).is_sorted(), "column {index}");
    }
    let tally = result.overall();
    let latency = tally.latency_with_censored();
    let last = rows.last().expect("rows");
    assert_eq!(
        (last[1], last[2], last[3]),
        (1.0, latency.len() as f64, f64::INFINITY)
    );
    assert_eq!(rows[0][1], 0.0);
    assert!(
        rows.len() > 20,
        "five ticks per half distance: {}",
        rows.len()
    );
    let [mean, stdev] = find(
        r"#\[Mean    = +([0-9.]+), StdDeviation   = +([0-9.]+)\]",
        table,
    );
    assert!((number(&mean) - latency.mean() / 1e6).abs() < 0.001);
    assert!((number(&stdev) - latency.stdev() / 1e6).abs() < 0.001);
    let [max, total] = find(
        r"#\[Max     = +([0-9.]+), Total count    = +([0-9]+)\]",
        table,
    );
    assert!((number(&max) - latency.max() as f64 / 1e6).abs() < 0.001);
    assert_eq!(total, latency.len().to_string());
}

#[test]
fn the_studys_parse_wrk_reads_every_column_of_its_latency_table() {
    let result = with_latency(sample::troubled());
    let text = stdout(&result);
    let tally = result.overall();
    let latency = tally.latency_with_censored();
    let time = r"([0-9.]+)(us|ms|s)";
    let stats = find::<6>(&format!(r"Latency\s+{time}\s+{time}\s+{time}"), &text);
    let wanted = [latency.mean(), latency.stdev(), latency.max() as f64];
    for (index, wanted) in wanted.into_iter().enumerate() {
        let (value, unit) = (&stats[index * 2], &stats[index * 2 + 1]);
        assert_near(millis(value, unit), wanted / 1e6);
    }
    for (percent, name) in PERCENTS.iter().zip(["50", "75", "90", "99", "99.9"]) {
        let name = format!("{:.3}", number(name)).replace('.', r"\.");
        let [value, unit] = find(&format!(r"{name}%\s+{time}"), &text);
        assert_near(millis(&value, &unit), latency_ms(&result, *percent));
    }
    let [rate] = find(r"Requests/sec:\s+([0-9.]+)", &text);
    assert_eq!(number(&rate), tally.finished_in_window as f64 / 2.0);
    let [amount, unit] = find(r"Transfer/sec:\s+([0-9.]+)([KMG]?B)", &text);
    let bytes = show_bytes(tally.bytes_in_window as f64 / 2.0);
    assert_eq!(format!("{amount}{unit}"), bytes);
    let [total] = find(r"(\d+) requests in", &text);
    assert_eq!(total, tally.finished_in_window.to_string());
    let [timeouts] = find(r"Socket errors:.*timeout (\d+)", &text);
    assert_eq!(timeouts, tally.errors.timeout.to_string());
    let [bad] = find(r"Non-2xx or 3xx responses: (\d+)", &text);
    assert_eq!(bad, tally.status.bad().to_string());
}

mod layout;
