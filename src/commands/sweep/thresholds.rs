//! What a plan's thresholds say of the steps that were measured, today or before.

use super::super::fail;
use crate::exit::Exit;
use crate::judge::{JudgedRun, Level, Outcome};
use crate::measure::RunResult;
use crate::render::thresholds_text;
use crate::spec::Offered;
use crate::store::{STEPS, load, names_in};
use crate::sweep::SweepPlan;
use std::path::Path;

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

/// Tells what came of each threshold in each step that it is about. A step that is INVALID says
/// nothing of the system, and is told as such; a threshold of which nothing could be told fails.
pub fn judge(plan: &SweepPlan, place: &Path) -> Exit {
    if plan.thresholds.is_empty() {
        return Exit::Done;
    }
    let steps = place.join(STEPS);
    let names = match names_in(&steps) {
        Ok(names) => names,
        Err(error) => return fail(Exit::Failed, &error),
    };
    let mut known = vec![Known::Unmeasured; plan.thresholds.len()];
    let mut fails = false;
    for name in names {
        let JudgedRun {
            result, verdict, ..
        } = match load(&steps.join(&name)) {
            Ok(loaded) => loaded,
            Err(error) => return fail(Exit::Failed, &error),
        };
        let outcomes = outcomes(plan, &result);
        if outcomes.is_empty() {
            continue;
        }
        let is_believed = verdict.level != Level::Invalid;
        for (at, _) in &outcomes {
            known[*at] = known[*at].max(match is_believed {
                true => Known::Judged,
                false => Known::Disbelieved,
            });
        }
        if !is_believed {
            tell!("{name}: INVALID, so no threshold is looked at");
            continue;
        }
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        tell!("{name}\n{}", thresholds_text(&outcomes).trim_end());
        fails |= outcomes.iter().any(|one| one.fails);
    }
    for (threshold, known) in plan.thresholds.iter().zip(&known) {
        let why = match known {
            Known::Unmeasured => "no step that it is about was measured",
            Known::Disbelieved => "every step that it is about is INVALID",
            Known::Judged => continue,
        };
        tell!("{}: cannot be told: {why}", threshold.fail_if);
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

/// What came of the thresholds that are about a step, with their places in the plan.
fn outcomes(plan: &SweepPlan, result: &RunResult) -> Vec<(usize, Outcome)> {
    let (Some(label), Offered::Rate(rate)) = (&result.spec.step, result.spec.load.offered) else {
        return Vec::new();
    };
    let thresholds = plan.thresholds.iter().enumerate();
    let about = thresholds.filter(|(_, one)| one.is_about(&label.arm, rate));
    about
        .map(|(at, one)| (at, one.fail_if.judge(result)))
        .collect()
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
