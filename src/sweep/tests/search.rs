//! The search for the capacity of an arm.

use super::*;

proptest! {
    #[test]
    fn a_search_ends_with_the_capacity_between_its_rates(capacity in 20.0..3_000.0f64, precision in 0.01..0.5f64) {
        let mut plan = plan(&["a"], &[100.0, 2_000.0], 1);
        plan.find_capacity = Some(CapacitySearch { slo: None, precision });
        let mut progress = Progress::default();
        while let Some(step) = next(&plan, &progress, None) {
            let is_good = Some(step.rate.as_f64() <= capacity);
            progress.measured.push(found(&step, is_good));
            prop_assert!(progress.measured.len() < 40, "it ends");
        }
        let numbers: BTreeSet<u32> = progress.measured.iter().map(|one| one.key.number).collect();
        prop_assert_eq!(numbers.len(), progress.measured.len());
        prop_assert!(is_settled(&plan, &progress, "a"));
        let Bracket { good, bad } = bracket(&progress, "a");
        prop_assert!(good.is_none_or(|good| good.as_f64() <= capacity));
        prop_assert!(bad.is_none_or(|bad| bad.as_f64() > capacity));
        match (good, bad) {
            (Some(good), Some(bad)) => prop_assert!(bad.as_f64() / good.as_f64() - 1.0 <= precision),
            (Some(good), None) => prop_assert_eq!(good.as_f64(), 2_000.0),
            (None, bad) => prop_assert_eq!(bad.map(Rate::as_f64), Some(100.0)),
        }
    }
}

#[test]
fn a_search_that_learns_nothing_ends() {
    let mut plan = plan(&["a", "b"], &[100.0, 200.0], 1);
    plan.find_capacity = Some(CapacitySearch {
        slo: None,
        precision: 0.1,
    });
    let mut progress = Progress::default();
    while let Some(step) = next(&plan, &progress, None) {
        progress.measured.push(found(&step, None));
        assert!(progress.measured.len() < 20, "it ends");
    }
    assert_eq!(bracket(&progress, "a"), Bracket::default());
    assert!(!is_settled(&plan, &progress, "a"));
    assert!(progress.measured.iter().any(|one| one.key.arm == "b"));
}
