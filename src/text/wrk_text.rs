//! The text that wrk2 prints, letter for letter, because scripts parse it with regular expressions.
//!
//! meshload's own text comes after it (see `outcome`), so that old parsers keep working.

use super::spectrum::distribution;
use crate::measure::{Histogram, RunResult, Tally, share_within};
use crate::spec::RunSpec;
use crate::units::{pad_unit, show_bytes, show_count, show_ns, show_seconds, show_time_us};

const RECORDED: &str = "Recorded Latency";
const UNCORRECTED: &str =
    "Uncorrected Latency (measured without taking delayed starts into account)";

/// Writes the text of a run, from "Running" to "Transfer/sec" (or to the number of sent requests, where
/// that was asked for). A closed loop is named in a line before it.
pub fn wrk_text(result: &RunResult) -> String {
    let mut text = String::new();
    if !result.is_open_loop() {
        text.push_str("Closed loop: latencies are not corrected for coordinated omission.\n");
    }
    if result.spec.recording.separate {
        for target in &result.targets {
            let titles = [target.target.url.as_str()];
            text.push_str(&block(result, &titles, &target.tally, &target.thread_rates));
        }
    }
    let rates: Vec<f64> = result
        .targets
        .iter()
        .flat_map(|target| target.thread_rates.iter().copied())
        .collect();
    text.push_str(&block(result, &result.urls(), result.overall(), &rates));
    text
}

fn block(result: &RunResult, urls: &[&str], tally: &Tally, rates: &[f64]) -> String {
    let mut text = title(&result.spec, urls);
    let latency = tally.response_times(result.is_open_loop());
    text.push_str("  Thread Stats   Avg      Stdev     Max   +/- Stdev\n");
    text.push_str(&latency_stats(&latency));
    text.push_str(&rate_stats(rates));
    text.push_str(&distributions(result, &latency, tally));
    text.push_str(&totals(result, tally));
    text
}

fn title(spec: &RunSpec, urls: &[&str]) -> String {
    let each = urls.len().max(1);
    format!(
        "Running {} test @ {}\n  {} threads and {} connections\n\n",
        show_seconds(spec.load.duration),
        urls.join(" "),
        spec.workers_per_target() * each,
        spec.load.connections * each
    )
}

fn stats_line(name: &str, figures: [String; 3], within: f64) -> String {
    let [mean, stdev, max] = figures;
    format!(
        "    {name:<10}{}{}{}{:>8.2}%\n",
        pad_unit(&mean, 8),
        pad_unit(&stdev, 10),
        pad_unit(&max, 9),
        within * 100.0
    )
}

fn latency_stats(latency: &Histogram) -> String {
    let figures = [latency.mean(), latency.stdev(), latency.max() as f64];
    stats_line("Latency", figures.map(show_ns), share_within(latency))
}

/// The line of replies per second, over threads and seconds, with the standard deviation of a sample.
fn rate_stats(rates: &[f64]) -> String {
    let count = rates.len() as f64;
    // `sum()` of no rates is -0.0, which would print its sign.
    let mean = rates.iter().fold(0.0, |sum, rate| sum + rate) / count.max(1.0);
    let squares: f64 = rates.iter().map(|rate| (rate - mean).powi(2)).sum();
    let stdev = if rates.len() > 1 {
        (squares / (count - 1.0)).sqrt()
    } else {
        0.0
    };
    let max = rates.iter().copied().fold(0.0, f64::max);
    let within = rates
        .iter()
        .filter(|rate| (*rate - mean).abs() <= stdev)
        .count() as f64;
    stats_line(
        "Req/Sec",
        [mean, stdev, max].map(show_count),
        within / count.max(1.0),
    )
}

fn distributions(result: &RunResult, latency: &Histogram, tally: &Tally) -> String {
    let recording = &result.spec.recording;
    let is_open = result.is_open_loop();
    let mut text = String::new();
    // In wrk2 -U implies -L, and tools that pass only -U read the recorded latency.
    if recording.spectrum || recording.uncorrected {
        text.push_str(&distribution(
            if is_open { RECORDED } else { UNCORRECTED },
            latency,
        ));
    }
    if recording.uncorrected && is_open {
        text.push('\n');
        text.push_str(&distribution(UNCORRECTED, &tally.service));
    }
    text
}

fn totals(result: &RunResult, tally: &Tally) -> String {
    let seconds = result.window.length().as_secs_f64();
    let mut text = format!(
        "  {} requests in {}, {} read\n",
        tally.finished_in_window,
        show_time_us(seconds * 1e6),
        show_bytes(tally.bytes_in_window as f64)
    );
    let errors = &tally.errors;
    let read = errors.read_in_wrks_terms();
    if errors.connect + read + errors.write + errors.timeout > 0 {
        text.push_str(&format!(
            "  Socket errors: connect {}, read {}, write {}, timeout {}\n",
            errors.connect, read, errors.write, errors.timeout
        ));
    }
    if tally.status.bad() > 0 {
        text.push_str(&format!(
            "  Non-2xx or 3xx responses: {}\n",
            tally.status.bad()
        ));
    }
    text.push_str(&format!(
        "Requests/sec: {:>9.2}\nTransfer/sec: {:>11}\n",
        result.per_second(tally.finished_in_window),
        show_bytes(result.per_second(tally.bytes_in_window))
    ));
    if result.spec.recording.sent {
        text.push_str(&format!("Sent requests: {}\n", tally.sent));
    }
    text
}

#[cfg(test)]
mod tests;
