//! A latency distribution as wrk2 prints it: eight percentiles, the spectrum in the classic layout
//! of HdrHistogram's C library, its footer, and the line of dashes that parsers look for.

use crate::measure::Histogram;
use crate::units::{pad_unit, show_ns};
use std::fmt::Write as _;

const PERCENTILES: [f64; 8] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 99.999, 100.0];
/// Rows per halving of the distance to 100 %.
const TICKS: f64 = 5.0;
const NANOS_PER_MILLI: f64 = 1e6;
/// The shape of wrk2's histograms. meshload's differ, but tools parse the line.
const SHAPE: &str = "#[Buckets =           27, SubBuckets     =         2048]\n";

/// Writes the distribution of a histogram of nanoseconds.
pub(super) fn distribution(description: &str, histogram: &Histogram) -> String {
    let mut text = format!("  Latency Distribution (HdrHistogram - {description})\n");
    for percentile in PERCENTILES {
        let value = histogram.value_at_quantile(percentile / 100.0);
        let shown = show_ns(value as f64);
        let _ = writeln!(text, "{percentile:7.3}%{}", pad_unit(&shown, 10));
    }
    text.push_str("\n  Detailed Percentile spectrum:\n");
    let _ = writeln!(
        text,
        "{:>12} {:>12} {:>12} {:>12}\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    text.push_str(&rows(histogram));
    text.push_str(&footer(histogram));
    text.push_str(&"-".repeat(58));
    text.push('\n');
    text
}

/// The rows as HdrHistogram's C library prints them. Ticks are added up in percent, as there: in shares,
/// rounding would sometimes choose the neighbouring row.
fn rows(histogram: &Histogram) -> String {
    let total = histogram.len();
    let mut text = String::new();
    let (mut value, mut count, mut percentile) = (0, 0, 0.0);
    for step in histogram.iter_recorded() {
        count += step.count_at_value();
        value = histogram.highest_equivalent(step.value_iterated_to());
        while percentile <= 100.0 * count as f64 / total as f64 {
            text.push_str(&row(value, percentile, count));
            percentile += tick(percentile);
            // The longest time gets one row here, and the last row below.
            if count == total {
                break;
            }
        }
    }
    text + &row(value, 100.0, count)
}

/// The step to the next percentile, which halves with every halving of the distance to 100 %.
fn tick(percentile: f64) -> f64 {
    let halvings = (100.0 / (100.0 - percentile)).ln() / std::f64::consts::LN_2;
    100.0 / (TICKS * (halvings.trunc() + 1.0).exp2())
}

fn row(value: u64, percentile: f64, count: u64) -> String {
    let millis = value as f64 / NANOS_PER_MILLI;
    let share = percentile / 100.0;
    let inverse = 1.0 / (1.0 - share);
    format!("{millis:12.3} {share:12.6} {count:12} {inverse:12.2}\n")
}

fn footer(histogram: &Histogram) -> String {
    format!(
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n\
         #[Max     = {:12.3}, Total count    = {:12}]\n{SHAPE}",
        histogram.mean() / NANOS_PER_MILLI,
        histogram.stdev() / NANOS_PER_MILLI,
        histogram.max() as f64 / NANOS_PER_MILLI,
        histogram.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{fine, record};
    use crate::units::Nanos;

    fn of(last: u64) -> Histogram {
        let mut histogram = fine();
        for n in 1..=last {
            record(&mut histogram, Nanos(n * n * 1_003));
        }
        histogram
    }

    /// Value, percentile and count as they are printed.
    fn cells(text: &str) -> Vec<[String; 3]> {
        let cells = |line: &str| {
            let mut cells = line.split_whitespace().map(str::to_owned);
            std::array::from_fn(|_| cells.next().unwrap_or_default())
        };
        text.lines().map(cells).collect()
    }

    #[test]
    fn where_rounding_plays_no_part_the_rows_are_those_of_the_crates_iterator() {
        // With a prime number of times no tick falls on one.
        for last in [2, 7, 199, 9_973] {
            let histogram = of(last);
            let (mut count, mut expected) = (0, Vec::new());
            for step in histogram.iter_quantiles(5) {
                count += step.count_since_last_iteration();
                let value = step.value_iterated_to() as f64 / 1e6;
                expected.push((format!("{value:.3}"), step.quantile_iterated_to(), count));
            }
            let rows = cells(&rows(&histogram));
            assert_eq!(rows.len(), expected.len());
            for ([value, percentile, count], expected) in rows.iter().zip(expected) {
                assert_eq!((value, count), (&expected.0, &expected.2.to_string()));
                let percentile: f64 = percentile.parse().expect("a number");
                assert!((percentile - expected.1).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_tick_that_falls_on_a_time_prints_that_time_as_the_c_library_does() {
        // 10 + 10 + 10 is 30, but 0.1 + 0.1 + 0.1 is more than 0.3.
        let rows = cells(&rows(&of(100)));
        assert_eq!(rows[3], ["0.903", "0.300000", "30"]);
        assert_eq!(rows[5], ["2.509", "0.500000", "50"]);
        let last = rows.last().expect("a row");
        assert_eq!(last[1..], ["1.000000", "100"]);
    }

    #[test]
    fn the_percentiles_are_those_of_wrk2s_logs() {
        let percentiles: Vec<String> = cells(&rows(&of(7_923)))
            .into_iter()
            .map(|[_, percentile, _]| percentile)
            .collect();
        assert_eq!(
            percentiles[..4],
            ["0.000000", "0.100000", "0.200000", "0.300000"]
        );
        assert_eq!(percentiles[9..12], ["0.700000", "0.750000", "0.775000"]);
        // The sixth decimal is wrk2's; summed in shares it would be a 3.
        assert!(percentiles.contains(&"0.989062".to_owned()));
        let end = percentiles.len() - 4;
        assert_eq!(
            percentiles[end..],
            ["0.999829", "0.999854", "0.999878", "1.000000"]
        );
    }

    #[test]
    fn nothing_has_a_spectrum_of_one_line() {
        let text = distribution("Recorded Latency", &fine());
        assert!(
            text.contains("       0.000     1.000000            0          inf\n"),
            "{text}"
        );
        assert!(text.contains("\n100.000%    0.00us\n"), "{text}");
    }
}
