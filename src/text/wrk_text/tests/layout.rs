//! Widths, order, and what may not be there.

use super::*;
use crate::units::Nanos;

#[test]
fn fields_are_as_wide_as_wrks() {
    let result = with_everything(sample::troubled());
    let text = wrk_text(&result);
    let value = r"[ 0-9.]*[0-9]\.[0-9]{2}";
    let unit = "(us|ms|[skMG] |  )";
    for name in ["Latency", "Req/Sec"] {
        let line = text.lines().find(|line| line.trim().starts_with(name));
        let line = line.expect("the line");
        assert_eq!(line.len(), 4 + 10 + 8 + 10 + 9 + 9, "`{line}`");
        let fields = format!("^    {name:<10}{value}{unit}{value}{unit}{value}{unit} +[0-9.]+%$");
        assert!(regex(&fields).is_match(line), "`{line}`");
        for end in [22, 32, 41] {
            let cell = &line[end - 2..end];
            assert!(
                regex(&format!("^{unit}$")).is_match(cell),
                "`{line}` at {end}"
            );
        }
    }
    let is_percent = regex(&format!(r"^[ 0-9]{{3}}\.[0-9]{{3}}%{value}{unit}$"));
    let percents: Vec<_> = text
        .lines()
        .filter(|line| is_percent.is_match(line))
        .collect();
    assert_eq!(percents.len(), 16);
    assert!(percents.iter().all(|line| line.len() == 18), "{percents:?}");
    let is_row = regex(r"^[ 0-9]{8}\.[0-9]{3} [ 0-9]{5}\.[0-9]{6} [ 0-9]{12} +[0-9.inf]+$");
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.ends_with("inf") || is_row.is_match(line))
        .collect();
    assert!(rows.len() > 20);
    assert!(rows.iter().all(|row| row.len() == 51), "{rows:?}");
    for line in [
        "       Value   Percentile   TotalCount 1/(1-Percentile)",
        "  Thread Stats   Avg      Stdev     Max   +/- Stdev",
        "#[Buckets =           27, SubBuckets     =         2048]",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}");
    }
    assert!(text.contains(&format!("\n{}\n", "-".repeat(58))));
    assert!(!text.contains(&"-".repeat(59)));
}

#[test]
fn no_other_line_begins_with_a_percentage() {
    let is_percent = regex(r"^\s*[0-9.]+\s*%");
    for mut sample in sample::every() {
        sample.result.spec.recording.spectrum = true;
        let text = stdout(&sample.result);
        let lines = text.lines().filter(|line| is_percent.is_match(line));
        assert_eq!(lines.count(), 8, "{}:\n{text}", sample.name);
        sample.result.spec.recording.spectrum = false;
        assert!(
            !stdout(&sample.result)
                .lines()
                .any(|line| is_percent.is_match(line))
        );
    }
}

#[test]
fn meshloads_own_account_has_no_line_that_a_parser_would_take_for_one_of_wrks() {
    for sample in sample::every() {
        let account = outcome_text(&JudgedRun::judge(sample.result));
        for pattern in [
            r"[0-9]%",
            r"Latency\s+[0-9.]",
            r"Req/Sec",
            r"Requests/sec",
            r"Transfer/sec",
            r"requests in",
            r"Socket errors",
            r"Non-2xx",
            r"Latency Distribution",
            r"Percentile spectrum",
            r"-{58}",
            r"#\[",
            r"(?m)^Running",
            r"threads and",
        ] {
            assert!(!regex(pattern).is_match(&account), "{pattern}\n{account}");
        }
    }
}

#[test]
fn what_was_not_asked_for_or_did_not_happen_is_not_printed() {
    let text = wrk_text(&sample::ordinary().result);
    for absent in [
        "Distribution",
        "Socket errors",
        "Non-2xx",
        "Sent",
        "calibration",
    ] {
        assert!(!text.contains(absent), "{absent}");
    }
    let text = wrk_text(&with_everything(sample::troubled()));
    assert!(text.contains("\nSent requests: 2995\n"), "{text}");
}

#[test]
fn corrected_and_uncorrected_latencies_differ_where_requests_had_to_wait() {
    let mut sample = sample::ordinary();
    for target in sample.result.targets.iter_mut() {
        let waited = Nanos::from_millis(500);
        for _ in 0..200 {
            crate::measure::record(&mut target.tally.latency, waited);
            crate::measure::record(&mut target.tally.service, Nanos::from_millis(1));
        }
    }
    let text = wrk_text(&with_everything(sample));
    let p99 = |title: &str| {
        let lines = format!(r"HdrHistogram - {title}.*\n(?:.*\n){{3}} *99.000% *([0-9.]+)([a-z]+)");
        let [value, unit] = find(&lines, &text);
        millis(&value, &unit)
    };
    assert_near(p99("Recorded Latency"), 500.0);
    assert_near(p99("Uncorrected Latency"), 2.0);
    assert!(text.contains(&format!("{}\n\n  Latency Dist", "-".repeat(58))));
}

#[test]
fn a_closed_loop_says_so_first_and_carries_nothing_that_is_called_recorded() {
    let result = with_everything(sample::closed_loop());
    let text = wrk_text(&result);
    let first = text.lines().next().expect("a line");
    assert!(first.starts_with("Closed loop"), "{first}");
    assert!(!text.contains("Recorded Latency"));
    assert_eq!(text.matches("Latency Distribution").count(), 1);
    let [max] = find(r"Latency +\S+ +\S+ +(\S+)", &text);
    let service = result.overall().service.clone();
    assert_eq!(max, show_time_us(service.max() as f64 / 1e3));
    assert!(wrk_text(&sample::ordinary().result).starts_with("Running"));
}

#[test]
fn separate_prints_a_block_per_url_and_then_one_of_all() {
    let mut result = with_latency(sample::two_targets());
    assert_eq!(wrk_text(&result).matches("Requests/sec").count(), 1);
    result.spec.recording.separate = true;
    let text = wrk_text(&result);
    let blocks: Vec<_> = text.split("Running ").skip(1).collect();
    assert_eq!(blocks.len(), 3, "{text}");
    for (block, title) in blocks.iter().zip([
        "2s test @ http://one:5000/a\n  2 threads and 10 connections\n",
        "2s test @ http://two:5000/b\n  2 threads and 10 connections\n",
        "2s test @ http://one:5000/a http://two:5000/b\n  4 threads and 20 connections\n",
    ]) {
        assert!(block.starts_with(title), "{block}");
    }
    let medians = blocks.iter().map(|block| {
        let [value, unit] = find(r"50\.000% +([0-9.]+)([a-z]+)", block);
        millis(&value, &unit)
    });
    let [one, two, all] = medians.collect::<Vec<_>>()[..] else {
        panic!("three medians");
    };
    assert!(one < 2.0 && two > 10.0 && all < two, "{one} {two} {all}");
    let rates = blocks.iter().map(|block| {
        let [rate] = find(r"Requests/sec: +([0-9.]+)", block);
        number(&rate)
    });
    let rates: Vec<_> = rates.collect();
    assert!((rates[0] + rates[1] - rates[2]).abs() < 0.02, "{rates:?}");
}

#[test]
fn an_empty_result_has_all_lines_and_zeros() {
    let text = stdout(&with_everything(sample::empty()));
    for line in [
        "  0 requests in 2.00s, 0.00B read",
        "Requests/sec:      0.00",
        "Transfer/sec:       0.00B",
        "  Socket errors: connect 2, read 0, write 0, timeout 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
    assert!(!text.contains("NaN") && !text.contains("-nan"), "{text}");
    // A run interrupted before its window has no length at all.
    let mut none = sample::empty().result;
    none.window.end = none.window.start;
    assert!(!stdout(&none).contains("NaN") && !stdout(&none).contains("inf"));
}

#[test]
fn latencies_beyond_a_minute_stay_in_seconds() {
    let mut sample = sample::ordinary();
    let tally = &mut sample.result.targets[0].tally;
    for seconds in [90, 4_000] {
        for _ in 0..2_000 {
            crate::measure::record(&mut tally.latency, Nanos::from_secs(seconds));
        }
    }
    let text = stdout(&with_latency(sample));
    let [median] = find(r"50\.000% +([0-9.]+)s\s", &text);
    assert_near(number(&median), 90.0);
    let [max] = find(r"100\.000% +([0-9.]+)s\s", &text);
    assert_near(number(&max), 4_000.0);
    let [max] = find(r"Latency +\S+ +\S+ +([0-9.]+)s\s", &text);
    assert_near(number(&max), 4_000.0);
}
