//! When there are enough runs, and which steps can be a baseline.

use super::*;
use crate::compare::Latency;
use crate::compare::sample_steps::step;
use crate::verdict::{Level, Stability};

fn measured(arm: &str, repetition: u32, p99_ms: f64) -> Step {
    let latency = Latency {
        ns: p99_ms * 1e6,
        is_lower_bound: false,
        beyond: Some(100),
    };
    let mut step = step(arm, 100.0, repetition);
    step.figures.latency.insert("p99".to_owned(), latency);
    step
}

fn not_held(mut step: Step) -> Step {
    let reasons = Vec::new();
    step.figures.stability = Stability::NotHeld { reasons };
    step
}

fn invalid(mut step: Step) -> Step {
    let reason = String::new();
    step.figures.stability = Stability::Unknown { reason };
    step.figures.level = Some(Level::Invalid);
    step
}

fn limits() -> Vec<MaxRegression> {
    MaxRegression::parse_list("p99=10%").expect("a limit")
}

fn runs(count: u32) -> Vec<Step> {
    let luck = |n: u32| 20.0 + f64::from(n % 3) * 0.01;
    (1..=count).map(|n| measured(NEW_ARM, n, luck(n))).collect()
}

#[test]
fn without_a_baseline_as_many_believable_runs_are_made_as_were_asked_for() {
    let trial = Trial::new(TrialBase::None, Vec::new(), Some(2)).expect("a trial");
    let mut steps = runs(2);
    assert!(!trial.is_enough(&Steps::from(&steps[..1])));
    assert!(trial.is_enough(&Steps::from(&steps)));
    steps[0] = invalid(steps[0].clone());
    assert!(!trial.is_enough(&Steps::from(&steps)));
    // One of two may be INVALID, both may not.
    assert!(trial.is_believed(&Steps::from(&steps)));
    steps[1] = invalid(steps[1].clone());
    assert!(!trial.is_believed(&Steps::from(&steps)));
    assert_eq!(trial.last_repetition(), 4);
}

#[test]
fn fewer_runs_than_could_fail_are_refused() {
    let kept = |count| TrialBase::Kept(runs(count));
    let refused = Trial::new(kept(1), limits(), Some(2)).expect_err("too few");
    assert_eq!((refused.needed, refused.pairing), (6, Pairing::Apart));
    let trial = Trial::new(kept(6), limits(), None).expect("a trial");
    assert_eq!((trial.needed, trial.most), (1, 6));
    let trial = Trial::new(TrialBase::InTurns, limits(), None).expect("a trial");
    assert_eq!((trial.needed, trial.most), (6, 6));
}

#[test]
fn narrow_intervals_end_a_trial_early_and_rates_that_were_not_held_make_it_longer() {
    let trial = Trial::new(TrialBase::Kept(runs(6)), limits(), Some(12)).expect("a trial");
    let mut steps = runs(6);
    assert!(trial.is_enough(&Steps::from(&steps[..2])));
    steps = steps.into_iter().map(not_held).collect();
    // Nothing to compare, and not yet as many as were asked for.
    assert!(!trial.is_enough(&Steps::from(&steps)));
    let lost: Vec<Step> = runs(12).into_iter().map(not_held).collect();
    assert!(trial.is_enough(&Steps::from(&lost)));
}

#[test]
fn runs_are_believed_as_long_as_half_of_them_are() {
    let trial = Trial::new(TrialBase::None, Vec::new(), Some(2)).expect("a trial");
    for (good, bad, is_believed) in [(1, 0, true), (0, 1, false), (1, 1, true), (1, 2, false)] {
        let mut steps = runs(good + bad);
        for step in &mut steps[good as usize..] {
            *step = invalid(step.clone());
        }
        assert_eq!(
            trial.is_believed(&Steps::from(&steps)),
            is_believed,
            "{good} {bad}"
        );
    }
}

#[test]
fn a_side_whose_runs_are_all_invalid_makes_a_trial_unbelieved_however_good_the_other_is() {
    let trial = Trial::new(TrialBase::InTurns, limits(), None).expect("a trial");
    let base = (1..=6).map(|n| invalid(measured(BASELINE_ARM, n, 20.0)));
    let mut steps: Vec<Step> = base.collect();
    steps.extend(runs(6));
    assert!(!trial.is_believed(&Steps::from(&steps)));
}

#[test]
fn sides_in_turns_are_compared_over_repetitions_that_both_have_whole() {
    let trial = Trial::new(TrialBase::InTurns, limits(), None).expect("a trial");
    let both = |n| [measured(BASELINE_ARM, n, 20.0), measured(NEW_ARM, n, 30.0)];
    let mut steps: Vec<Step> = (1..=7).flat_map(both).collect();
    steps[0] = invalid(steps[0].clone());
    let outcomes = trial.regressions(&Steps::from(&steps));
    let p99 = outcomes.iter().find(|one| one.metric == "p99");
    let blocks = p99.and_then(|one| one.ratio).map(|ratio| ratio.blocks);
    assert_eq!(blocks, Some(6));
    assert!(trial.is_enough(&Steps::from(&steps)));
    assert!(!trial.is_enough(&Steps::from(&steps[..12])));
}

#[test]
fn a_baseline_that_can_tell_nothing_says_why() {
    let steps = runs(3);
    let steps = Steps::from(&steps);
    let rate = Rate::nearest(100.0);
    let usable = usable_baseline(&steps, rate, &limits()).expect("a baseline");
    assert_eq!(usable.len(), 3);
    let why = |steps: &[Step], rate: f64, limits: &[MaxRegression]| {
        let found = usable_baseline(&Steps::from(steps), Rate::nearest(rate), limits);
        found.expect_err("unusable").to_string()
    };
    let steps = runs(2);
    assert!(why(&steps, 70.0, &limits()).starts_with("has no run at 70/s but at 100/s;"));
    let cpu = MaxRegression::parse_list("cpu=5%").expect("a limit");
    assert!(why(&steps, 100.0, &cpu).starts_with("has no figure above 0 for cpu;"));
    let lost = steps.iter().cloned().map(not_held).collect::<Vec<_>>();
    assert!(why(&lost, 100.0, &limits()).starts_with("did not hold 100/s:"));
    let bad = steps.iter().cloned().map(invalid).collect::<Vec<_>>();
    assert!(why(&bad, 100.0, &limits()).starts_with("has only runs that are INVALID"));
}
