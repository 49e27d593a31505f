//! The baseline of a comparison. It is read and checked before the load begins, so that a baseline that
//! could detect no regression is refused in time.

use crate::cli::{Baseline, Repetition};
use crate::compare::{ArmSteps, Condition, Conditions, differing_conditions};
use crate::gate::{MaxRegression, Pairing, TooFewRuns, Trial, TrialBase, usable_baseline};
use crate::spec::{RunSpec, Target};
use crate::statistics::BLOCKS_FOR_AN_INTERVAL;
use crate::store::{folder_and_arm, load_steps, only_arm};
use std::path::Path;

/// A baseline that new runs can be compared with.
#[derive(Debug)]
pub struct LoadedBaseline {
    /// The baseline as it was typed; for earlier runs with their number.
    pub name: String,
    /// The earlier runs, or that the baseline is measured in turns with the new system.
    pub base: TrialBase,
    /// The other system, when the baseline is measured in turns.
    pub live: Option<Target>,
    conditions: Conditions,
}

impl LoadedBaseline {
    /// Reads the baseline of a run.
    ///
    /// # Errors
    /// Why the baseline cannot be used, and the cure.
    pub fn load(
        baseline: &Baseline,
        limits: &[MaxRegression],
        spec: &RunSpec,
    ) -> Result<LoadedBaseline, String> {
        let path = match baseline {
            Baseline::Kept(path) => path,
            Baseline::Live(target) => {
                return Ok(LoadedBaseline {
                    name: target.url.clone(),
                    base: TrialBase::InTurns,
                    live: Some(target.clone()),
                    conditions: Conditions::new(),
                });
            }
        };
        let shown = path.display();
        let arm = arm_of(path).map_err(|error| format!("--baseline: {error}"))?;
        let Some(rate) = spec.rate_of_all_targets() else {
            return Err(format!(
                "--baseline: {shown} has runs at a fixed rate; give -R a number"
            ));
        };
        let set = arm.set();
        let steps = usable_baseline(&set, rate, limits)
            .map_err(|reason| format!("--baseline: {shown} {reason}"))?;
        Ok(LoadedBaseline {
            name: format!("{shown} ({} runs)", steps.len()),
            base: TrialBase::Kept(steps.iter().copied().cloned().collect()),
            live: None,
            conditions: arm.conditions.clone(),
        })
    }

    /// The conditions that differ between the baseline and the new runs, as far as they are recorded.
    pub fn differing_conditions(&self, now: &Conditions) -> Vec<String> {
        let mut before = self.conditions.clone();
        // The seed differs between any two runs on purpose.
        before.remove(&Condition::seed());
        differing_conditions(&before, now)
    }
}

fn arm_of(typed: &Path) -> Result<ArmSteps, crate::store::StoreError> {
    let (folder, arm) = folder_and_arm(typed);
    let set = load_steps(&folder)?;
    for note in &set.notes {
        status!("note: {}: {note}", folder.display());
    }
    let arms = set.chosen(&folder, arm.as_deref())?;
    only_arm(&folder, arms)
}

/// The rule by which runs are repeated.
///
/// # Errors
/// The user wants fewer runs than could resolve a regression; such a check could never fail.
pub fn trial_of(
    repetition: &Repetition,
    baseline: Option<&LoadedBaseline>,
) -> Result<Trial, String> {
    let base = baseline.map_or(TrialBase::None, |baseline| baseline.base.clone());
    let trial = Trial::new(base, repetition.limits.clone(), repetition.most);
    trial.map_err(|few| {
        let TooFewRuns { asked, needed, .. } = few;
        let name = baseline.map_or("", |baseline| &baseline.name);
        let runs = BLOCKS_FOR_AN_INTERVAL;
        let cure = match few.pairing {
            Pairing::Apart => {
                format!("use --repeat {needed}, or a baseline of {runs} runs (--repeat {runs} -o DIR)")
            }
            Pairing::Blocks => format!("use --repeat {needed}"),
        };
        format!(
            "--repeat: {asked} runs against {name} cannot tell a regression from chance, so nothing could fail; {cure}"
        )
    })
}
