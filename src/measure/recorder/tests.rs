//! Tests that give a recorder moments and look at the counts and histograms that it makes of them.

use super::*;
use crate::measure::Distribution;
use proptest::prelude::*;

fn window() -> Window {
    Window {
        start: Nanos::from_secs(1),
        end: Nanos::from_secs(3),
        stop: Nanos::from_secs(4),
    }
}

fn ms(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}

fn recorder() -> Recorder {
    Recorder::new(window(), Nanos::from_secs(2), true)
}

fn delivery(due: u64, free: u64, sent: u64, done: u64) -> Delivery {
    Delivery {
        sending: Sending {
            due: ms(due),
            free: ms(free),
            sent: ms(sent),
        },
        first_byte: ms(done),
        done: ms(done),
        status: 200,
        bytes: 10,
        route: 2,
        ends_batch: true,
        connection: 0,
    }
}

fn exchange(recorder: &mut Recorder, delivery: &Delivery) {
    recorder.sent(delivery.sending, 1);
    recorder.delivered(delivery);
}

#[test]
fn a_routes_errors_are_its_failures_and_its_bad_statuses() {
    let mut recorder = recorder();
    let route = recorder.route("GET /flaky");
    for (at, status) in [(1_000, 200), (1_010, 503), (1_020, 200)] {
        let answered = delivery(at, 0, at, at + 5);
        let answered = Delivery {
            status,
            route,
            ..answered
        };
        exchange(&mut recorder, &answered);
    }
    let sending = delivery(1_030, 0, 1_030, 1_030).sending;
    recorder.sent(sending, 1);
    recorder.failed(&Failure {
        sending,
        at: ms(1_040),
        kind: ErrorKind::Read,
        route,
        connection: 0,
    });
    recorder.sent(sending, 1);
    recorder.unfinished(sending, route, 0, ms(4_000));
    let (tally, _) = recorder.finish(ms(4_000));
    let flaky = &tally.routes["GET /flaky"];
    assert_eq!((flaky.requests, flaky.failed()), (5, 1));
    // Of the four that ended, one failed and one was answered with 503.
    assert_eq!(flaky.error_rate(), Some(0.5));
    assert_eq!(tally.error_rate(), Some(0.5));
}

#[test]
fn lag_is_late_while_a_connection_is_free_and_blocked_while_none_is() {
    let sending = Sending {
        due: ms(100),
        free: ms(130),
        sent: ms(137),
    };
    assert_eq!((sending.blocked(), sending.late()), (ms(30), ms(7)));
    let sending = Sending {
        due: ms(100),
        free: ms(50),
        sent: ms(104),
    };
    assert_eq!((sending.blocked(), sending.late()), (ms(0), ms(4)));
}

#[test]
fn a_request_belongs_to_the_window_by_its_due_time_and_to_the_rate_by_its_end() {
    let mut recorder = recorder();
    exchange(&mut recorder, &delivery(900, 0, 900, 1_100)); // warm-up, finishes inside
    exchange(&mut recorder, &delivery(2_000, 0, 2_000, 2_100)); // inside
    exchange(&mut recorder, &delivery(2_900, 0, 2_900, 3_300)); // due inside, finishes in the guard
    exchange(&mut recorder, &delivery(3_000, 0, 3_000, 3_400)); // guard
    let (tally, _) = recorder.finish(Nanos::from_secs(4));
    assert_eq!((tally.scheduled, tally.completed), (2, 2));
    assert_eq!(tally.finished_in_window, 2);
    assert_eq!(tally.sent, 4);
    assert_eq!(tally.latency.len(), 2);
}

#[test]
fn nothing_due_in_the_window_is_forgotten() {
    let mut recorder = recorder();
    exchange(&mut recorder, &delivery(1_500, 0, 1_500, 1_600));
    let lost = delivery(1_700, 0, 1_700, 0).sending;
    recorder.sent(lost, 1);
    recorder.failed(&Failure {
        sending: lost,
        at: ms(1_800),
        kind: ErrorKind::Read,
        route: 2,
        connection: 0,
    });
    recorder.sent(delivery(2_000, 0, 2_000, 0).sending, 1);
    recorder.unfinished(delivery(2_000, 0, 2_000, 0).sending, 2, 0, ms(4_000));
    recorder.unsent(ms(2_500), ms(4_000), false);
    recorder.unsent(ms(3_500), ms(4_000), false); // due in the guard
    let (tally, _) = recorder.finish(ms(4_000));
    assert_eq!(tally.scheduled, 4);
    assert_eq!((tally.completed, tally.failed, tally.unfinished), (1, 1, 2));
    assert_eq!(tally.errors.read, 1);
    assert_eq!(tally.latency_with_censored().len(), 3);
    assert_eq!(tally.routes["(unsent)"].requests, 1);
    let ages = Distribution::of(&tally.censored).expect("ages");
    assert!((ages.max as f64 / 2e9 - 1.0).abs() < 1e-3);
}

#[test]
fn a_slow_request_is_counted_once_and_is_not_a_failure() {
    let mut recorder = Recorder::new(window(), ms(50), true);
    exchange(&mut recorder, &delivery(1_000, 0, 1_000, 1_060));
    exchange(&mut recorder, &delivery(1_000, 1_500, 1_500, 1_540)); // waited, then quick
    let (tally, _) = recorder.finish(ms(4_000));
    assert_eq!((tally.errors.timeout, tally.failed), (1, 0));
}

#[test]
fn a_percentile_that_unfinished_requests_could_raise_is_a_lower_bound() {
    let mut recorder = recorder();
    for n in 0..97 {
        exchange(&mut recorder, &delivery(1_000 + n, 0, 1_000 + n, 1_010 + n));
    }
    for _ in 0..3 {
        recorder.unsent(ms(2_999), ms(3_000), false); // only 1 ms old, would take longer
    }
    let (tally, _) = recorder.finish(ms(4_000));
    let percentiles = tally.latency_percentiles();
    let of = |name| {
        percentiles
            .iter()
            .find(|p| p.name == name)
            .copied()
            .expect("given")
    };
    assert!(!of("p50").is_lower_bound);
    assert!(!of("p95").is_lower_bound);
    assert!(of("p99").is_lower_bound);
}

#[test]
fn a_closed_loop_has_service_times_and_nothing_else() {
    let mut recorder = Recorder::new(window(), Nanos::from_secs(2), false);
    exchange(&mut recorder, &delivery(1_000, 0, 1_000, 1_060));
    let (tally, slices) = recorder.finish(ms(4_000));
    assert_eq!(
        (tally.latency.len(), tally.late.len(), tally.service.len()),
        (0, 0, 1)
    );
    assert!(slices.iter().all(|slice| slice.latency.is_empty()));
}

#[test]
fn intervals_cover_the_run_without_gaps() {
    let mut recorder = recorder();
    exchange(&mut recorder, &delivery(100, 0, 100, 200));
    exchange(&mut recorder, &delivery(3_200, 0, 3_200, 3_300));
    let mut slices: Vec<_> = recorder.full_slices().collect();
    slices.extend(recorder.finish(ms(4_000)).1);
    let edges: Vec<_> = slices
        .iter()
        .map(|slice| (slice.start.0 / 1_000_000, slice.end.0 / 1_000_000))
        .collect();
    assert_eq!(
        edges,
        [(0, 1_000), (1_000, 2_000), (2_000, 3_000), (3_000, 4_000)]
    );
    assert_eq!(slices.iter().map(|slice| slice.completed).sum::<u64>(), 2);
}

#[test]
fn gaps_are_compared_only_between_requests_that_were_not_blocked() {
    let mut recorder = recorder();
    recorder.sent(
        Sending {
            due: ms(1_000),
            free: ms(0),
            sent: ms(1_001),
        },
        1,
    );
    recorder.sent(
        Sending {
            due: ms(1_010),
            free: ms(0),
            sent: ms(1_012),
        },
        1,
    );
    recorder.sent(
        Sending {
            due: ms(1_020),
            free: ms(1_500),
            sent: ms(1_500),
        },
        1,
    );
    recorder.sent(
        Sending {
            due: ms(1_600),
            free: ms(1_500),
            sent: ms(1_600),
        },
        1,
    );
    let (tally, _) = recorder.finish(ms(4_000));
    assert_eq!((tally.due_gaps.len(), tally.sent_gaps.len()), (1, 1));
}

proptest! {
    /// However requests are dealt to recorders, the merged tally is the same.
    #[test]
    fn merging_is_independent_of_the_dealing(
        requests in proptest::collection::vec((0u64..4_000, 0u64..50, 0u64..900, 0u8..4), 1..80),
        workers in 1usize..5,
    ) {
        let run = |workers: usize| {
            let mut recorders: Vec<_> = (0..workers).map(|_| recorder()).collect();
            let mut sorted = requests.clone();
            sorted.sort_unstable();
            for (index, (due, lag, service, fate)) in sorted.iter().enumerate() {
                let recorder = &mut recorders[index % workers];
                let one = delivery(*due, 0, due + lag, due + lag + service);
                match fate {
                    0 => recorder.unsent(ms(*due), ms(4_000), false),
                    1 => recorder.unfinished(one.sending, 3, 0, ms(4_000)),
                    2 => recorder.failed(&Failure {
                        sending: one.sending, at: one.done, kind: ErrorKind::Write, route: 2, connection: 0,
                    }),
                    _ => recorder.delivered(&one),
                }
            }
            let mut sum = Tally::default();
            for recorder in recorders {
                sum.merge(&recorder.finish(ms(4_000)).0);
            }
            sum
        };
        let (one, many) = (run(1), run(workers));
        prop_assert_eq!(one.scheduled, one.completed + one.failed + one.unfinished);
        prop_assert_eq!(
            (one.scheduled, one.completed, one.failed, one.unfinished, one.finished_in_window),
            (many.scheduled, many.completed, many.failed, many.unfinished, many.finished_in_window)
        );
        prop_assert_eq!(one.errors, many.errors);
        prop_assert!(one.latency == many.latency && one.censored == many.censored);
        prop_assert!(one.service == many.service && one.failures == many.failures);
        prop_assert_eq!(one.routes.len(), many.routes.len());
    }
}
