//! Judges the thresholds of a plan over all measured steps, those of earlier sessions too.

use super::account::{Account, StepRecord};
use crate::exit::Exit;
use crate::gate::Outcome;
use crate::sweep::SweepPlan;
use crate::text::thresholds_text;

/// How far a threshold could be judged over all steps; a lower one decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Coverage {
    /// No step of its arm and rate was measured.
    Unmeasured,
    /// All such steps are INVALID.
    Invalid,
    /// At least one such step is valid.
    Judged,
}

/// Prints the outcome of each threshold in each step that it applies to. An INVALID step does not describe
/// the system, so no threshold is judged there; a threshold that could be judged in no step fails.
pub fn judge(plan: &SweepPlan, account: &Account<'_>) -> Exit {
    let mut known = vec![Coverage::Unmeasured; plan.thresholds.len()];
    let mut fails = false;
    let mut records: Vec<&StepRecord> = account.records.iter().collect();
    records.sort_by_key(|record| record.key.number);
    records.retain(|record| !record.outcomes.is_empty());
    for record in records {
        let name = record.key.folder();
        let found = match record.is_valid() {
            true => Coverage::Judged,
            false => Coverage::Invalid,
        };
        for one in &record.outcomes {
            known[one.threshold] = known[one.threshold].max(found);
        }
        if !record.is_valid() {
            outln!("{name}: INVALID, so no threshold is judged");
            continue;
        }
        let outcomes = record.outcomes.iter().map(|one| one.outcome.clone());
        let outcomes: Vec<Outcome> = outcomes.collect();
        outln!("{name}\n{}", thresholds_text(&outcomes).trim_end());
        fails |= outcomes.iter().any(|one| one.fails);
    }
    for (threshold, known) in plan.thresholds.iter().zip(&known) {
        let why = match known {
            Coverage::Unmeasured => "no step that it applies to was measured",
            Coverage::Invalid => "every step that it applies to is INVALID",
            Coverage::Judged => continue,
        };
        outln!("{}: cannot be judged: {why}", threshold.fail_if);
    }
    exit_of(fails, &known)
}

fn exit_of(fails: bool, known: &[Coverage]) -> Exit {
    match known.iter().min() {
        _ if fails => Exit::Threshold,
        Some(Coverage::Unmeasured) => Exit::Threshold,
        Some(Coverage::Invalid) => Exit::NotTrustworthy,
        Some(Coverage::Judged) | None => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_without_a_valid_step_does_not_pass() {
        let (unmeasured, disbelieved, judged) =
            (Coverage::Unmeasured, Coverage::Invalid, Coverage::Judged);
        assert_eq!(exit_of(false, &[]), Exit::Done);
        assert_eq!(exit_of(false, &[judged, judged]), Exit::Done);
        assert_eq!(exit_of(false, &[judged, disbelieved]), Exit::NotTrustworthy);
        assert_eq!(exit_of(false, &[disbelieved, unmeasured]), Exit::Threshold);
        assert_eq!(exit_of(true, &[judged, disbelieved]), Exit::Threshold);
    }
}
