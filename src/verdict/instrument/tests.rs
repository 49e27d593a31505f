//! Results with one thing wrong each, just below and just above its limit.

use super::*;
use crate::measure::{Histogram, RunResult, Tally, fine, record, sample};

/// A valid run of 2000 requests, with something done to its tally.
fn with(change: impl FnOnce(&mut Tally)) -> Verdict {
    let mut result = sample::ordinary().result;
    change(&mut result.targets[0].tally);
    verdict(&result)
}

fn codes(verdict: &Verdict) -> Vec<&str> {
    verdict
        .reasons
        .iter()
        .map(|one| one.code.as_str())
        .collect()
}

#[track_caller]
fn assert_verdict(verdict: &Verdict, level: Level, expected: &[&str]) {
    assert_eq!(codes(verdict), expected, "{verdict:?}");
    assert_eq!(verdict.level, level, "{verdict:?}");
}

fn times(count: u64, time: Nanos) -> Histogram {
    let mut histogram = fine();
    for _ in 0..count {
        record(&mut histogram, time);
    }
    histogram
}

/// Turns this many of the completed into unfinished ones, old enough to change no percentile.
fn lose(tally: &mut Tally, count: u64) {
    tally.completed -= count;
    tally.unfinished += count;
}

#[test]
fn an_ordinary_run_is_valid() {
    assert_verdict(&with(|_| {}), Level::Valid, &[]);
}

#[test]
fn sending_a_millisecond_late_is_the_generators_failure() {
    let late = |micros| with(|tally| tally.late = times(2_000, Nanos::from_micros(micros)));
    assert_verdict(&late(990), Level::Valid, &[]);
    let above = late(1_010);
    assert_verdict(&above, Level::Invalid, &["generator_late"]);
    assert!(above.reasons[0].message.contains("-t"), "{above:?}");
}

#[test]
fn a_few_late_requests_below_the_99th_percentile_are_not() {
    let late = |count| {
        with(|tally| {
            tally.late = times(2_000 - count, Nanos::from_micros(10));
            let _ = tally.late.add(times(count, Nanos::from_millis(50)));
        })
    };
    assert_verdict(&late(19), Level::Valid, &[]);
    assert_verdict(&late(21), Level::Invalid, &["generator_late"]);
}

#[test]
fn lateness_may_be_a_tenth_of_a_long_latency() {
    let late = |tenths: u64| {
        with(|tally| {
            tally.latency = times(2_000, Nanos::from_millis(100));
            tally.late = times(2_000, Nanos(tenths * 100_000));
        })
    };
    assert_verdict(&late(99), Level::Valid, &[]);
    assert_verdict(&late(101), Level::Invalid, &["generator_late"]);
}

#[test]
fn a_hundredth_not_sent_while_connections_stood_idle_is_invalid() {
    // They are unfinished, too; that is only worth a look.
    let neglected = |count| {
        with(|tally| {
            lose(tally, count);
            tally.sendable_not_sent = count;
        })
    };
    assert_verdict(&neglected(20), Level::Valid, &[]);
    let above = neglected(21);
    assert_verdict(&above, Level::Invalid, &["not_sent", "incomplete"]);
}

#[test]
fn one_request_that_the_schedule_holds_and_nobody_accounts_for_is_invalid() {
    let mut result = sample::ordinary().result;
    for (ledger, expected) in [(1_999, false), (2_000, true), (2_001, false)] {
        result.targets[0].scheduled_by_ledger = Some(ledger);
        let judged = verdict(&result);
        match expected {
            true => assert_verdict(&judged, Level::Valid, &[]),
            false => assert_verdict(&judged, Level::Invalid, &["accounting"]),
        }
    }
    // A script that moves due times: there is no schedule to hold the tally against.
    result.targets[0].scheduled_by_ledger = None;
    assert_verdict(&verdict(&result), Level::Valid, &[]);
}

#[test]
fn two_targets_whose_errors_cancel_out_are_still_found() {
    let mut result = sample::two_targets().result;
    assert_verdict(&verdict(&result), Level::Valid, &[]);
    result.targets[0].scheduled_by_ledger = Some(1_999);
    result.targets[1].scheduled_by_ledger = Some(2_001);
    let judged = verdict(&result);
    assert_verdict(&judged, Level::Invalid, &["accounting", "accounting"]);
}

#[test]
fn a_request_that_vanished_is_invalid_in_a_closed_loop_too() {
    let unbalanced = with(|tally| tally.completed -= 1);
    assert_verdict(&unbalanced, Level::Invalid, &["accounting"]);
    let mut closed = sample::closed_loop().result;
    assert_verdict(&verdict(&closed), Level::Valid, &[]);
    closed.targets[0].tally.completed -= 1;
    assert_verdict(&verdict(&closed), Level::Invalid, &["accounting"]);
}

#[test]
fn more_than_a_hundredth_lost_deserves_a_look() {
    let failed = |count| {
        with(|tally| {
            tally.completed -= count;
            tally.failed += count;
        })
    };
    assert_verdict(&failed(20), Level::Valid, &[]);
    assert_verdict(&failed(21), Level::Suspect, &["incomplete"]);
    assert_verdict(
        &with(|tally| lose(tally, 21)),
        Level::Suspect,
        &["incomplete"],
    );
    let both = with(|tally| {
        lose(tally, 11);
        tally.completed -= 10;
        tally.failed += 10;
    });
    assert_verdict(&both, Level::Suspect, &["incomplete"]);
}

#[test]
fn requests_sent_in_bunches_are_not_the_process_that_was_asked_for() {
    // Of 2000 gaps of 1 ms, this many are sent with none in between.
    let bunched = |count| {
        with(|tally| {
            tally.due_gaps = times(2_000, Nanos::from_millis(1));
            tally.sent_gaps = times(2_000 - count, Nanos::from_millis(1));
            let _ = tally.sent_gaps.add(times(count, Nanos::from_micros(2)));
        })
    };
    assert_verdict(&bunched(95), Level::Valid, &[]);
    assert_verdict(&bunched(105), Level::Suspect, &["arrivals"]);
}

#[test]
fn gaps_may_be_shifted_by_a_tenth_of_their_mean() {
    let shifted = |micros| {
        with(|tally| {
            tally.due_gaps = times(2_000, Nanos::from_millis(1));
            tally.sent_gaps = times(2_000, Nanos::from_micros(micros));
        })
    };
    assert_verdict(&shifted(1_090), Level::Valid, &[]);
    assert_verdict(&shifted(1_120), Level::Suspect, &["arrivals"]);
}

#[test]
fn fewer_than_ten_samples_beyond_the_99th_percentile_are_few() {
    let requests = |count| {
        let mut result = sample::ordinary().result;
        result.targets[0].scheduled_by_ledger = Some(count);
        let tally = &mut result.targets[0].tally;
        (tally.scheduled, tally.completed) = (count, count);
        tally.latency = times(count, Nanos::from_millis(1));
        verdict(&result)
    };
    assert_verdict(&requests(1_000), Level::Valid, &[]);
    let below = requests(999);
    assert_verdict(&below, Level::Suspect, &["few_samples"]);
    assert!(below.reasons[0].message.contains("p99"), "{below:?}");
    let far_below = requests(15);
    assert!(
        far_below.reasons[0].message.contains("p50"),
        "{far_below:?}"
    );
}

/// The ordinary run lasts 4 s: 3.2 s of work are four fifths of it.
fn working(mut result: RunResult, cpu: f64, spin: f64) -> Verdict {
    let thread = &mut result.generator.threads[0];
    (thread.cpu_seconds, thread.spin_seconds) = (cpu, spin);
    verdict(&result)
}

#[test]
fn a_thread_that_works_four_fifths_of_the_time_may_be_the_bottleneck() {
    let ordinary = || sample::ordinary().result;
    assert_verdict(&working(ordinary(), 3.19, 0.0), Level::Valid, &[]);
    let above = working(ordinary(), 3.21, 0.0);
    assert_verdict(&above, Level::Suspect, &["generator_busy"]);
}

#[test]
fn a_busy_thread_with_requests_that_wait_may_itself_be_what_they_wait_for() {
    let mut result = sample::ordinary().result;
    let blocked = &mut result.targets[0].tally.blocked;
    for _ in 0..100 {
        crate::measure::record(blocked, Nanos::from_millis(400));
    }
    let idle = working(result.clone(), 1.0, 0.0);
    assert_verdict(&idle, Level::Valid, &[]);
    let busy = working(result, 3.21, 0.0);
    assert_verdict(&busy, Level::Invalid, &["generator_busy"]);
}

#[test]
fn spinning_is_not_work_and_in_a_closed_loop_work_is_the_point() {
    let spinning = working(sample::ordinary().result, 4.0, 0.9);
    assert_verdict(&spinning, Level::Valid, &[]);
    let closed = working(sample::closed_loop().result, 4.0, 0.0);
    assert_verdict(&closed, Level::Valid, &[]);
}

#[test]
fn one_busy_thread_among_idle_ones_is_found() {
    let mut result = sample::ordinary().result;
    let idle = result.generator.threads[0].clone();
    result.generator.threads.push(idle.clone());
    result.generator.threads.push(idle);
    result.generator.threads[1].cpu_seconds = 3.9;
    assert_verdict(&verdict(&result), Level::Suspect, &["generator_busy"]);
}

#[test]
fn bad_statuses_are_the_servers_answer_and_no_reason() {
    let bad = with(|tally| {
        tally.status = Default::default();
        tally.status.add(500, 2_000);
        tally.bad_status = tally.latency.clone();
    });
    assert_verdict(&bad, Level::Valid, &[]);
}

#[test]
fn a_saturated_server_does_not_invalidate_a_run() {
    // Every request waited a second for a connection; none was sent late once there was one.
    let blocked = with(|tally| {
        tally.blocked = times(2_000, Nanos::SECOND);
        tally.latency = times(2_000, Nanos(1_010_000_000));
        tally.due_gaps = fine();
        tally.sent_gaps = fine();
    });
    assert_verdict(&blocked, Level::Valid, &[]);
    // And when a third of them is still waiting at the end, that is worth a look and no more.
    let overrun = with(|tally| {
        tally.blocked = times(2_000, Nanos::SECOND);
        lose(tally, 600);
    });
    assert_verdict(&overrun, Level::Suspect, &["incomplete"]);
}

#[test]
fn the_level_is_the_worst_and_the_worst_reason_comes_first() {
    let both = with(|tally| {
        lose(tally, 100);
        tally.late = times(2_000, Nanos::from_millis(50));
    });
    assert_verdict(&both, Level::Invalid, &["generator_late", "incomplete"]);
    let two_looks = with(|tally| {
        lose(tally, 100);
        tally.due_gaps = times(100, Nanos::from_millis(1));
        tally.sent_gaps = times(100, Nanos::from_millis(3));
    });
    assert_verdict(&two_looks, Level::Suspect, &["arrivals", "incomplete"]);
    assert!(Level::Valid < Level::Suspect && Level::Suspect < Level::Invalid);
}

#[test]
fn a_run_in_which_nothing_happened_can_be_judged() {
    let judged = verdict(&sample::empty().result);
    assert_eq!(judged.level, Level::Suspect);
    assert_eq!(judged.reasons[0].code, "nothing_measured");
    let mut none = sample::empty().result;
    none.window.stop = Nanos::ZERO;
    verdict(&none);
}
