//! Known answers: an equal build passes as often as promised, a slower one is caught, under planted
//! noise from run to run.

use super::*;
use crate::compare::{Latency, Step, sample_steps};
use crate::verdict::{Level, Reason, Stability};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::BTreeMap;

fn step(repetition: u32, p99_ms: f64) -> Step {
    let latency = Latency {
        ns: p99_ms * 1e6,
        is_lower_bound: false,
        beyond: Some(100),
    };
    let mut step = sample_steps::step("", 100.0, repetition);
    step.figures.latency = BTreeMap::from([("p99".to_owned(), latency)]);
    step
}

fn not_held(repetition: u32) -> Step {
    let reason = Reason {
        code: "shortfall".to_owned(),
        message: "too slow".to_owned(),
    };
    let mut step = step(repetition, 900.0);
    step.figures.stability = Stability::NotHeld {
        reasons: vec![reason],
    };
    step
}

/// One run of a system with this p99, with noise of its own.
fn run(repetition: u32, p99_ms: f64, noise: f64, rng: &mut Xoshiro256PlusPlus) -> Step {
    let luck: f64 = rng.sample(StandardNormal);
    step(repetition, p99_ms * (noise * luck).exp())
}

/// What came of a limit on p99 between these runs.
fn held_against(base: &[Step], new: &[Step], pairing: Pairing) -> Vec<RegressionOutcome> {
    regressions(&p99(10), &Steps::from(base), &Steps::from(new), pairing)
}

fn p99(percent: u32) -> Vec<MaxRegression> {
    MaxRegression::parse_list(&format!("p99={percent}%")).expect("a limit")
}

fn p99_outcome(outcomes: &[RegressionOutcome]) -> &RegressionOutcome {
    let found = outcomes.iter().find(|one| one.metric == "p99");
    found.expect("an outcome")
}

/// The whole gate, as it is used: runs until the interval is narrow or there are `most`.
fn gate(
    truth: f64,
    noise: f64,
    base: usize,
    most: usize,
    pairing: Pairing,
    seed: u64,
) -> Resolution {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let limits = p99(10);
    let mut bases: Vec<Step> = match pairing {
        Pairing::Apart => (1..=base as u32)
            .map(|n| run(n, 20.0, noise, &mut rng))
            .collect(),
        Pairing::Blocks => Vec::new(),
    };
    let mut new = Vec::new();
    loop {
        let repetition = new.len() as u32 + 1;
        // Blocks share the night's drift.
        let drift = (0.2 * rng.sample::<f64, _>(StandardNormal)).exp();
        let drift = if pairing == Pairing::Blocks {
            drift
        } else {
            1.0
        };
        if pairing == Pairing::Blocks {
            bases.push(run(repetition, 20.0 * drift, noise, &mut rng));
        }
        new.push(run(repetition, truth * drift, noise, &mut rng));
        if new.len() < pairing.runs_needed(base) {
            continue;
        }
        let outcomes = regressions(&limits, &Steps::from(&bases), &Steps::from(&new), pairing);
        if are_narrow(&outcomes) || new.len() == most {
            return p99_outcome(&outcomes).resolution;
        }
    }
}

/// In how many of 1,000 that is the answer.
fn how_often(answer: Resolution, case: impl Fn(u64) -> Resolution) -> usize {
    (0..1_000).filter(|seed| case(*seed) == answer).count()
}

#[test]
fn an_equal_build_passes_and_one_that_is_30_percent_slower_is_caught() {
    // Cached baselines of six runs and of one, and blocks; noise from run to run as on shared machines.
    for (base, pairing) in [
        (6, Pairing::Apart),
        (1, Pairing::Apart),
        (0, Pairing::Blocks),
    ] {
        for noise in [0.01, 0.03, 0.05] {
            let equal = |seed| gate(20.0, noise, base, 8, pairing, seed);
            let failed = how_often(Resolution::Regression, equal);
            assert!(
                failed <= 5,
                "{base} {pairing:?} {noise}: {failed} of 1,000 equal builds fail"
            );
            let slower = |seed| gate(26.0, noise, base, 8, pairing, seed);
            let caught = how_often(Resolution::Regression, slower);
            // A single run in the baseline has its own luck in every comparison.
            let enough = if base == 1 && noise > 0.04 { 600 } else { 950 };
            assert!(
                caught >= enough,
                "{base} {pairing:?} {noise}: {caught} of 1,000 are caught"
            );
            let passed = how_often(Resolution::NoRegression, slower);
            assert!(
                passed <= 5,
                "{base} {pairing:?} {noise}: {passed} of 1,000 pass as no worse"
            );
        }
    }
}

#[test]
fn a_build_that_is_at_its_limit_fails_no_more_often_than_intervals_promise() {
    // Worse by what is allowed: 2.5 % are expected to fail, and stopping at a width adds little.
    for (base, pairing) in [(6, Pairing::Apart), (0, Pairing::Blocks)] {
        let at_limit = |seed| gate(22.0, 0.03, base, 8, pairing, seed);
        let failed = how_often(Resolution::Regression, at_limit);
        assert!(failed <= 45, "{pairing:?}: {failed} of 1,000");
    }
}

#[test]
fn what_is_not_resolved_is_not_called_no_regression() {
    let noisy = |seed| gate(20.0, 0.3, 6, 6, Pairing::Apart, seed);
    let unresolved = how_often(Resolution::NotResolved, noisy);
    assert!(unresolved >= 900, "{unresolved} of 1,000");
    // One run against one, however far they lie apart, has no interval.
    let outcomes = held_against(&[step(1, 20.0)], &[step(1, 90.0)], Pairing::Apart);
    let found = p99_outcome(&outcomes);
    assert_eq!(found.resolution, Resolution::NotResolved);
    assert_eq!(found.why, "too few runs for an interval");
    assert!(!are_narrow(&outcomes));
}

#[test]
fn so_many_runs_are_the_fewest_that_can_resolve() {
    let base = |count: u32| (1..=count).map(|n| step(n, 20.0)).collect::<Vec<_>>();
    for count in 1..=8 {
        let needed = Pairing::Apart.runs_needed(count as usize) as u32;
        let resolution = |runs: u32| {
            let new: Vec<Step> = (1..=runs).map(|n| step(n, 40.0)).collect();
            let outcomes = held_against(&base(count), &new, Pairing::Apart);
            p99_outcome(&outcomes).resolution
        };
        assert_eq!(resolution(needed), Resolution::Regression, "{count}");
        assert_eq!(resolution(needed - 1), Resolution::NotResolved, "{count}");
    }
}

#[test]
fn a_rate_that_is_no_longer_held_is_a_regression_of_its_own() {
    let base: Vec<Step> = (1..=6).map(|n| step(n, 20.0)).collect();
    let once = held_against(&base, &[not_held(1)], Pairing::Apart);
    assert_eq!(once[0].resolution, Resolution::NotResolved);
    let new = [not_held(1), not_held(2)];
    let lost = held_against(&base, &new, Pairing::Apart);
    assert_eq!(lost[0].metric, "rate");
    assert_eq!(lost[0].resolution, Resolution::Regression);
    assert_eq!(p99_outcome(&lost).resolution, Resolution::NotResolved);
    // One hiccup of three is none.
    let new = [step(1, 20.0), not_held(2), step(3, 20.0)];
    let kept = held_against(&base, &new, Pairing::Apart);
    assert_eq!(kept[0].resolution, Resolution::NoRegression);
    assert_eq!(
        kept[0].why,
        "held in 2 of 3 runs, in the baseline in 6 of 6"
    );
    // What is INVALID is no run at all.
    let mut invalid = not_held(2);
    invalid.figures.level = Some(Level::Invalid);
    let left_out = held_against(&base, &[step(1, 20.0), invalid], Pairing::Apart);
    assert_eq!(
        left_out[0].why,
        "held in 1 of 1 runs, in the baseline in 6 of 6"
    );
    let never: Vec<Step> = (1..=6).map(not_held).collect();
    let neither = held_against(&never, &never, Pairing::Blocks);
    assert_eq!(neither[0].resolution, Resolution::NotResolved);
}

#[test]
fn more_errors_are_a_regression_whatever_the_latencies() {
    let with_errors = |share: f64| {
        let step = |n| {
            let mut step = step(n, 20.0);
            step.figures.error_rate = Some(share);
            step
        };
        (1..=6).map(step).collect::<Vec<_>>()
    };
    for (base, new, wanted) in [
        (0.0, 0.0, Resolution::NoRegression),
        (0.0, 0.005, Resolution::NoRegression),
        (0.0, 0.2, Resolution::Regression),
        (0.2, 0.2, Resolution::NoRegression),
        (0.2, 0.0, Resolution::NoRegression),
    ] {
        let (base, new) = (with_errors(base), with_errors(new));
        let outcomes = held_against(&base, &new, Pairing::Apart);
        assert_eq!(outcomes[1].metric, "errors");
        assert_eq!(outcomes[1].resolution, wanted, "{outcomes:?}");
        // One run says as much, against six that agree.
        let outcomes = held_against(&base, &new[..1], Pairing::Apart);
        assert_eq!(outcomes[1].resolution, wanted, "{outcomes:?}");
    }
    let few = held_against(
        &with_errors(0.0)[..1],
        &with_errors(1.0)[..1],
        Pairing::Apart,
    );
    assert_eq!(few[1].resolution, Resolution::NotResolved);
}

#[test]
fn a_lower_bound_can_fail_and_cannot_pass() {
    let base: Vec<Step> = (1..=6).map(|n| step(n, 20.0)).collect();
    let bound = |p99_ms| {
        let mut step = step(1, p99_ms);
        if let Some(latency) = step.figures.latency.get_mut("p99") {
            latency.is_lower_bound = true;
        }
        step
    };
    let resolution = |base: &[Step], new: Step| {
        p99_outcome(&held_against(base, &[new], Pairing::Apart)).resolution
    };
    assert_eq!(resolution(&base, bound(20.0)), Resolution::NotResolved);
    assert_eq!(resolution(&base, bound(40.0)), Resolution::Regression);
    let bounds: Vec<Step> = (1..=6).map(|_| bound(20.0)).collect();
    assert_eq!(resolution(&bounds, step(1, 40.0)), Resolution::NotResolved);
    assert_eq!(resolution(&bounds, step(1, 20.0)), Resolution::NoRegression);
}

#[test]
fn limits_are_read_and_troubles_have_a_column() {
    let limits = MaxRegression::parse_list("p99=10%, cpu = 2.5 %").expect("two limits");
    assert_eq!(limits[0].limit, 0.1);
    assert_eq!((limits[1].metric.as_str(), limits[1].limit), ("cpu", 0.025));
    assert!(!limits[0].needs_collector() && limits[1].needs_collector());
    for (typed, column, word) in [
        ("", 1, "p99=10%"),
        ("p99", 1, "p99=10%"),
        ("p99=10%,", 9, "p99=10%"),
        ("q=1%", 1, "one of p50"),
        ("p99=10%, q=1%", 10, "one of p50"),
        ("p99=10", 5, "above 0"),
        ("p99= -1%", 6, "above 0"),
        ("p99=0%", 5, "above 0"),
        ("p99=inf%", 5, "above 0"),
        ("p99=10%,cpu=x", 13, "above 0"),
    ] {
        let bad = MaxRegression::parse_list(typed).expect_err(typed);
        assert_eq!(
            (bad.column, bad.reason.contains(word)),
            (column, true),
            "{bad}"
        );
    }
}

#[test]
fn so_many_runs_are_enough_as_their_pairing_needs() {
    let of = |arm: &str, repetitions: std::ops::RangeInclusive<u32>| -> Vec<Step> {
        repetitions
            .map(|one| sample_steps::step(arm, 1.0, one))
            .collect()
    };
    let (base, new) = (of("a", 1..=6), of("b", 4..=9));
    let (base, new) = (Steps::from(&base), Steps::from(&new));
    assert!(Pairing::Apart.are_enough(&base, &new));
    // Three of the new runs have a partner in the same block.
    assert!(!Pairing::Blocks.are_enough(&base, &new));
    assert!(Pairing::Blocks.are_enough(&base, &base));
    assert!(!Pairing::Apart.are_enough(&Steps::default(), &new));
}
