//! Counters, levels and events over a window, from samples whose answer is known.

use super::*;
use proptest::prelude::*;

#[test]
fn time_that_goes_back_splits_the_window() {
    let values = [timed(0, 0), timed(10, 100), timed(5, 150), timed(20, 300)];
    let over = counter(&values, span(0, 20), span(0, 20)).expect("two pairs go on");
    assert_eq!(over.breaks, 1);
    assert!(over.covered <= span(0, 20).length());
}

#[test]
fn another_start_is_another_counter_even_when_it_has_grown_past_the_old_one() {
    let started = |at, value, epoch| TimedValue {
        epoch: Some(Nanos(epoch)),
        ..timed(at, value)
    };
    let values = [
        started(0, 100, 1),
        started(10, 200, 1),
        started(20, 5_000, 2),
        started(30, 5_100, 2),
    ];
    let over = counter(&values, span(0, 30), span(0, 30)).expect("two pairs go on");
    assert_eq!(over.breaks, 1);
    assert_eq!(over.increase, 200.0);
    assert_eq!(over.covered, 20 * SECOND);
}

#[test]
fn memory_is_weighted_by_time() {
    // The level is 100 for ten seconds, rises to 200 within ten and stays there for ten.
    let values = [
        timed(0, 100),
        timed(10, 100),
        timed(20, 200),
        timed(30, 200),
    ];
    let over = gauge(&values, span(0, 30), span(0, 30)).expect("samples");
    assert!((over.mean - 150.0).abs() < 1e-9);
    assert_eq!((over.max, over.last), (200, 200));
    // This window has the first half of the slope only.
    let over = gauge(&values, span(10, 15), span(0, 30)).expect("samples");
    assert!((over.mean - 125.0).abs() < 1e-9);
}

#[test]
fn a_single_sample_of_memory_is_a_value_without_coverage() {
    let over = gauge(&[timed(5, 70)], span(0, 30), span(0, 30)).expect("a sample");
    assert_eq!((over.mean, over.covered), (70.0, 0));
}

#[test]
fn restarts_are_counted_in_the_window_only() {
    let values = [timed(-5, 3), timed(10, 3), timed(20, 5), timed(40, 9)];
    assert_eq!(events(&values, span(0, 30)), Some(2));
    assert_eq!(events(&values[3..], span(0, 30)), None);
}

proptest! {
    /// Whatever the samples are, nothing covers more than the window and nothing is negative.
    #[test]
    fn figures_stay_in_their_bounds(
        points in prop::collection::vec((-100i64..200, 0u64..1_000_000, prop::option::of(0u64..3)), 0..30),
        start in 0i64..50,
        length in 1i64..100,
    ) {
        let values: Vec<TimedValue> = points
            .into_iter()
            .map(|(at, value, epoch)| TimedValue { epoch: epoch.map(Nanos), ..timed(at, value) })
            .collect();
        let window = span(start, start + length);
        let load = span(0, start + length + 20);
        if let Some(over) = counter(&values, window, load) {
            prop_assert!(over.increase >= 0.0);
            prop_assert!(over.covered > 0 && over.covered <= window.length());
        }
        if let Some(over) = gauge(&values, window, load) {
            prop_assert!(over.mean >= 0.0 && over.mean <= 1_000_000.0);
            prop_assert!(over.covered <= window.length());
        }
    }
}
