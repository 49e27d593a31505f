//! The next step of a sweep that is resumed, that leaves rates out, or that is a trial.

use super::*;

proptest! {
    #[test]
    fn whatever_was_measured_before_the_rest_is_measured_once(plan in plans(), done in prop::collection::vec(any::<bool>(), 48)) {
        let steps = plan.steps();
        let mut progress = Progress::default();
        let before = steps.iter().zip(&done).filter(|(_, done)| **done);
        progress.measured.extend(before.map(|(step, _)| found(step, Some(true))));
        let before = progress.measured.len();
        while let Some(step) = next(&plan, &progress, None) {
            prop_assert!(progress.measured.iter().all(|one| one.key != step));
            progress.measured.push(found(&step, Some(true)));
        }
        prop_assert_eq!(progress.measured.len(), steps.len());
        prop_assert!(progress.measured[before..].is_sorted_by_key(|one| one.key.number));
    }

    #[test]
    fn a_step_is_known_by_what_it_measures_and_not_by_its_number(plan in plans(), shift in 1..1_000u32) {
        let mut progress = Progress::default();
        for step in plan.steps() {
            let number = step.number + shift;
            progress.measured.push(found(&StepKey { number, ..step }, Some(true)));
        }
        prop_assert_eq!(next(&plan, &progress, None), None);
    }
}

fn measured(plan: &SweepPlan, outcomes: &[(f64, bool)]) -> Progress {
    let mut progress = Progress::default();
    for (rate, is_good) in outcomes {
        let step = next(plan, &progress, None).expect("a step");
        assert_eq!(step.rate.as_f64(), *rate);
        progress.measured.push(found(&step, Some(*is_good)));
    }
    progress
}

#[test]
fn a_rate_that_is_not_held_is_measured_again_and_the_higher_ones_left_out() {
    let mut plan = plan(&["a"], &[100.0, 200.0, 300.0, 400.0], 1);
    plan.stop_when = Some(StopWhen::Unstable);
    let next_rate = |progress: &Progress| {
        let step = next(&plan, progress, None);
        step.map(|step| step.rate.as_f64())
    };
    let progress = measured(&plan, &[(100.0, true), (200.0, false), (200.0, false)]);
    assert_eq!(progress.measured[2].key.repetition, 2);
    assert_eq!(progress.measured[2].key.number, 5);
    assert_eq!(next_rate(&progress), None);
    // One hiccup is no verdict.
    let progress = measured(
        &plan,
        &[(100.0, true), (200.0, false), (200.0, true), (300.0, true)],
    );
    assert_eq!(next_rate(&progress), Some(400.0));
    // Not held once, and then it cannot be told: that ends, too.
    let mut doubtful = measured(&plan, &[(100.0, true), (200.0, false)]);
    while let Some(step) = next(&plan, &doubtful, None) {
        doubtful.measured.push(found(&step, None));
        assert!(doubtful.measured.len() < 12, "it ends");
    }
    // It cannot be told because the generator failed, and the sweep goes on.
    let mut unknown = measured(&plan, &[(100.0, true)]);
    unknown.measured[0] = found(&unknown.measured[0].key, None);
    assert_eq!(next_rate(&unknown), Some(200.0));
}

#[test]
fn repetitions_are_made_until_enough_can_be_believed() {
    let mut plan = plan(&["new"], &[100.0], 2);
    plan.order = Order::Interleaved;
    let trial = Trial::new(TrialBase::None, Vec::new(), Some(2)).expect("a trial");
    let mut progress = Progress::default();
    let mut repetitions = Vec::new();
    while let Some(step) = next(&plan, &progress, Some(&trial)) {
        let mut one = found(&step, Some(true));
        if step.repetition == 1 {
            one.figures.level = Some(Level::Invalid);
        }
        repetitions.push(step.repetition);
        progress.measured.push(one);
    }
    // The first is INVALID, so a third is made in its place.
    assert_eq!(repetitions, [1, 2, 3]);
}

#[test]
fn a_trial_goes_on_in_the_middle_of_a_block_and_with_seeds_in_a_row() {
    let mut plan = plan(&["baseline", "new"], &[100.0], 6);
    plan.order = Order::Interleaved;
    plan.seed = 7;
    let trial = Trial::new(TrialBase::InTurns, Vec::new(), None).expect("a trial");
    plan.until = Some(Until::of(&trial, Some("http://other"), &load_not_pinned()));
    let steps = plan.steps();
    let seeds = steps[..4].iter().map(|step| plan.seed_of(step));
    assert_eq!(seeds.collect::<Vec<_>>(), [7, 7, 8, 8]);
    let mut progress = Progress::default();
    let before = steps[..3].iter().map(|step| found(step, Some(true)));
    progress.measured.extend(before);
    // The second block begins with the other arm.
    let step = next(&plan, &progress, Some(&trial)).expect("a step");
    assert_eq!((step.arm.as_str(), step.repetition), ("baseline", 2));
    assert_eq!(step, steps[3]);
}
