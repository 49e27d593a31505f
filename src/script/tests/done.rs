//! `done(summary, latency, requests)`: what it is given.

use super::*;

#[test]
fn is_given_the_summary_and_both_samples() {
    let mut workers = WorkerThreads::start(
        0,
        r#"
            function done(summary, latency, requests)
              assert(summary.duration == 2000000 and summary.requests == 300 and summary.bytes == 4096)
              local e = summary.errors
              assert(e.connect == 1 and e.read == 2 and e.write == 3 and e.status == 4 and e.timeout == 5)
              assert(latency.min == 1500 and latency.max == 2500)
              assert(latency.mean == 1833.5 and latency.stdev == 471.25)
              assert(latency:percentile(99.9) == 999)
              assert(#latency == 2 and #requests == 1)
              assert(latency[1] == 1500 and latency[2] == 2500)
              local value, count = latency(1)
              assert(value == 1500 and count == 2)
              assert(requests.min == 100)
              assert(string.format("%d", summary.requests) == "300")
            end"#,
    );
    workers.done().unwrap();
}

#[test]
fn finds_nothing_beyond_the_ends_of_a_sample() {
    let mut workers = WorkerThreads::start(
        0,
        r#"
            function done(summary, latency)
              assert(latency[0] == nil and latency[3] == nil and latency[-1] == nil)
              assert(latency(3) == nil and latency.median == nil)
              local sum = 0
              for i = 1, #latency do
                local value, count = latency(i)
                sum = sum + value * count
              end
              assert(sum == 5500)
            end"#,
    );
    workers.done().unwrap();
}

#[test]
fn that_fails_says_where() {
    let mut workers = WorkerThreads::start(
        0,
        "function done(summary)\n  return summary.nothing.more\nend",
    );
    let error = workers.done().unwrap_err().to_string();
    assert!(
        error.contains("mine.lua:2:") && error.contains("done"),
        "{error}"
    );
}
