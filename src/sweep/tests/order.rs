//! The order of the steps, and their seeds.

use super::*;

proptest! {
    #[test]
    fn every_step_is_there_once_in_an_order_that_its_plan_fixes(plan in plans()) {
        let steps = plan.steps();
        let all: BTreeSet<_> = steps.iter().map(|step| (&step.arm, step.rate, step.repetition)).collect();
        prop_assert_eq!(all.len(), plan.arms.len() * plan.rates.len() * plan.repetitions as usize);
        prop_assert_eq!(all.len(), steps.len());
        prop_assert!(steps.iter().enumerate().all(|(at, step)| step.number as usize == at + 1));
        prop_assert_eq!(&steps, &plan.steps());
        // Nobody is measured twice before everybody was measured once.
        if plan.order != Order::Sequential {
            prop_assert!(steps.is_sorted_by_key(|step| step.repetition));
        }
        // All arms of a block are given the same arrivals.
        for step in &steps {
            let same = steps.iter().filter(|one| (one.rate, one.repetition) == (step.rate, step.repetition));
            prop_assert!(same.clone().all(|one| plan.seed_of(one) == plan.seed_of(step)));
        }
    }
}

fn order_of(plan: &SweepPlan) -> String {
    let steps = plan.steps();
    let names = steps
        .iter()
        .map(|step| format!("{}{}", step.arm, step.rate));
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn arms_take_turns_forwards_and_backwards() {
    let mut plan = plan(&["a", "b"], &[1.0, 2.0], 2);
    assert_eq!(order_of(&plan), "a1 a2 a1 a2 b1 b2 b1 b2");
    assert!(plan.warnings()[0].contains("interleaved"));
    plan.order = Order::Interleaved;
    assert_eq!(order_of(&plan), "a1 b1 b2 a2 a1 b1 b2 a2");
    assert!(plan.warnings().is_empty());
    // Changing the arm costs minutes: it is done once in a pass.
    plan.arms[1].before = vec!["make".to_owned()];
    assert_eq!(order_of(&plan), "a1 a2 b1 b2 b1 b2 a1 a2");
    plan.block = Some(BlockUnit::Rate);
    assert_eq!(order_of(&plan), "a1 b1 b2 a2 a1 b1 b2 a2");
}

#[test]
fn a_seed_fixes_a_random_order_and_another_gives_another() {
    let mut plan = plan(&["a", "b"], &[1.0, 2.0, 3.0, 4.0], 3);
    plan.order = Order::Random;
    let orders: BTreeSet<String> = (0..20)
        .map(|seed| {
            plan.seed = seed;
            order_of(&plan)
        })
        .collect();
    assert!(orders.len() > 15, "{orders:?}");
}
