//! What a plan's thresholds say of the steps that were measured, today or before.

use super::super::fail;
use crate::exit::Exit;
use crate::judge::{Level, Outcome};
use crate::measure::RunResult;
use crate::render::thresholds_text;
use crate::spec::Offered;
use crate::store::{STEPS, load, names_in};
use crate::sweep::SweepPlan;
use std::path::Path;

/// Tells what came of each threshold in each step that it is about. A step that is INVALID says
/// nothing of the system, and is told as such.
pub fn judge(plan: &SweepPlan, place: &Path) -> Exit {
    if plan.thresholds.is_empty() {
        return Exit::Done;
    }
    let steps = place.join(STEPS);
    let names = match names_in(&steps) {
        Ok(names) => names,
        Err(error) => return fail(Exit::Failed, &error),
    };
    let mut exit = Exit::Done;
    for name in names {
        let (result, verdict) = match load(&steps.join(&name)) {
            Ok(loaded) => loaded,
            Err(error) => return fail(Exit::Failed, &error),
        };
        let outcomes = outcomes(plan, &result);
        if outcomes.is_empty() {
            continue;
        }
        if verdict.level == Level::Invalid {
            tell!("{name}: INVALID, so no threshold is looked at");
            continue;
        }
        tell!("{name}\n{}", thresholds_text(&outcomes).trim_end());
        if outcomes.iter().any(|one| one.fails) {
            exit = Exit::Threshold;
        }
    }
    exit
}

fn outcomes(plan: &SweepPlan, result: &RunResult) -> Vec<Outcome> {
    let (Some(label), Offered::Rate(rate)) = (&result.spec.step, result.spec.load.offered) else {
        return Vec::new();
    };
    let about = plan
        .thresholds
        .iter()
        .filter(|one| one.is_about(&label.arm, rate));
    about.map(|one| one.fail_if.judge(result)).collect()
}
