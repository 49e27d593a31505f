//! What a plan's thresholds say of the steps that were measured, today or before.

use super::account::{Account, StepRecord};
use crate::exit::Exit;
use crate::gate::Outcome;
use crate::sweep::SweepPlan;
use crate::text::thresholds_text;

/// What is known of a threshold after all steps, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// No step that it is about was measured.
    Unmeasured,
    /// Those that were are INVALID.
    Disbelieved,
    /// It was held against one at least.
    Judged,
}

/// Says what came of each threshold in each step that it is about. A step that is INVALID says nothing
/// of the system; a threshold of which nothing could be told fails.
pub fn judge(plan: &SweepPlan, account: &Account<'_>) -> Exit {
    let mut known = vec![Known::Unmeasured; plan.thresholds.len()];
    let mut fails = false;
    let mut records: Vec<&StepRecord> = account.records.iter().collect();
    records.sort_by_key(|record| record.key.number);
    records.retain(|record| !record.outcomes.is_empty());
    for record in records {
        let name = record.key.folder();
        let found = match record.is_valid() {
            true => Known::Judged,
            false => Known::Disbelieved,
        };
        for one in &record.outcomes {
            known[one.threshold] = known[one.threshold].max(found);
        }
        if !record.is_valid() {
            outln!("{name}: INVALID, so no threshold is looked at");
            continue;
        }
        let outcomes = record.outcomes.iter().map(|one| one.outcome.clone());
        let outcomes: Vec<Outcome> = outcomes.collect();
        outln!("{name}\n{}", thresholds_text(&outcomes).trim_end());
        fails |= outcomes.iter().any(|one| one.fails);
    }
    for (threshold, known) in plan.thresholds.iter().zip(&known) {
        let why = match known {
            Known::Unmeasured => "no step that it is about was measured",
            Known::Disbelieved => "every step that it is about is INVALID",
            Known::Judged => continue,
        };
        outln!("{}: cannot be told: {why}", threshold.fail_if);
    }
    exit_of(fails, &known)
}

fn exit_of(fails: bool, known: &[Known]) -> Exit {
    match known.iter().min() {
        _ if fails => Exit::Threshold,
        Some(Known::Unmeasured) => Exit::Threshold,
        Some(Known::Disbelieved) => Exit::NotTrustworthy,
        Some(Known::Judged) | None => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_no_pass() {
        let (unmeasured, disbelieved, judged) =
            (Known::Unmeasured, Known::Disbelieved, Known::Judged);
        assert_eq!(exit_of(false, &[]), Exit::Done);
        assert_eq!(exit_of(false, &[judged, judged]), Exit::Done);
        assert_eq!(exit_of(false, &[judged, disbelieved]), Exit::NotTrustworthy);
        assert_eq!(exit_of(false, &[disbelieved, unmeasured]), Exit::Threshold);
        assert_eq!(exit_of(true, &[judged, disbelieved]), Exit::Threshold);
    }
}
