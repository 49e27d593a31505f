//! What runs are held against, read and looked at before the load begins: a baseline that can tell
//! nothing is found out in time.

use crate::cli::{Baseline, Repetition};
use crate::judge::{Condition, Conditions, Level, MaxRegression, Pairing, StepFigures, unlike};
use crate::spec::{Offered, RunSpec, Target};
use crate::store::{ArmSteps, folder_and_arm, load_steps, only_arm};
use std::path::Path;

/// As many runs as are made when the user does not say and fewer could not be called off earlier.
const RUNS: usize = 6;

/// A baseline that can be held against.
#[derive(Debug)]
pub struct Against {
    /// As it was typed, with the number of runs where they are kept.
    pub name: String,
    /// How runs of both sides belong together.
    pub pairing: Pairing,
    /// The runs of before; none yet of a system that is measured in turns.
    pub steps: Vec<StepFigures>,
    /// The system that is measured in turns.
    pub live: Option<Target>,
    conditions: Conditions,
}

impl Against {
    /// Reads the baseline of a run.
    ///
    /// # Errors
    /// What is wrong with it, and the cure.
    pub fn load(
        baseline: &Baseline,
        limits: &[MaxRegression],
        spec: &RunSpec,
    ) -> Result<Against, String> {
        let path = match baseline {
            Baseline::Kept(path) => path,
            Baseline::Live(target) => {
                return Ok(Against {
                    name: target.url.clone(),
                    pairing: Pairing::Blocks,
                    steps: Vec::new(),
                    live: Some(target.clone()),
                    conditions: Conditions::new(),
                });
            }
        };
        let arm = arm_of(path).map_err(|error| format!("--baseline: {error}"))?;
        let steps = usable(arm.steps, limits, spec)
            .map_err(|reason| format!("--baseline: {} {reason}", path.display()))?;
        Ok(Against {
            name: format!("{} ({} runs)", path.display(), steps.len()),
            pairing: Pairing::Apart,
            steps,
            live: None,
            conditions: arm.conditions,
        })
    }

    /// What was not the same when the baseline was measured, as far as it is known.
    pub fn unlike(&self, now: &Conditions) -> Vec<String> {
        let mut before = self.conditions.clone();
        // Every run has arrivals of its own.
        before.remove(&Condition::seed());
        unlike(&before, now)
    }
}

fn arm_of(typed: &Path) -> Result<ArmSteps, crate::store::StoreError> {
    let (folder, arm) = folder_and_arm(typed);
    let set = load_steps(&folder)?;
    for note in &set.notes {
        note!("note: {}: {note}", folder.display());
    }
    let arms = set.chosen(&folder, arm.as_deref())?;
    only_arm(&folder, arms)
}

/// The runs at the rate that is to be measured, if they can be held against.
fn usable(
    steps: Vec<StepFigures>,
    limits: &[MaxRegression],
    spec: &RunSpec,
) -> Result<Vec<StepFigures>, String> {
    let mut rates: Vec<f64> = steps.iter().map(|step| step.rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let Offered::Rate(rate) = spec.load.offered else {
        return Err("is of another load".to_owned());
    };
    // Each target gets the whole load.
    let rate = rate.as_f64() * spec.targets.len() as f64;
    let steps: Vec<StepFigures> = steps.into_iter().filter(|step| step.rate == rate).collect();
    if steps.is_empty() {
        let rates: Vec<String> = rates.iter().map(|rate| format!("{rate}/s")).collect();
        return Err(format!(
            "has no run at {rate}/s but at {}; give -R one of these, or another baseline",
            rates.join(", ")
        ));
    }
    let believed = steps.into_iter();
    let believed: Vec<StepFigures> = believed
        .filter(|step| step.level != Some(Level::Invalid))
        .collect();
    if believed.is_empty() {
        return Err("has only runs that are INVALID; make it again".to_owned());
    }
    let is_held = |step: &&StepFigures| step.stability.is_held() == Some(true);
    let held: Vec<&StepFigures> = believed.iter().filter(is_held).collect();
    if held.len() * 2 <= believed.len() {
        return Err(format!(
            "did not hold {rate}/s: its latencies say how long the run lasted, not what a request takes; measure both at a lower rate"
        ));
    }
    for limit in limits {
        if !held.iter().any(|step| limit.is_known(step)) {
            return Err(format!(
                "has no figure above 0 for {}; leave it out of --max-regression, or make the baseline with a collector",
                limit.metric
            ));
        }
    }
    Ok(believed)
}

/// From how many runs on something can be resolved, and how many are made at most.
///
/// # Errors
/// When the user wants fewer than could resolve anything: such a check could not fail.
pub fn how_many(
    repetition: &Repetition,
    against: Option<&Against>,
) -> Result<(usize, usize), String> {
    let Some(against) = against else {
        let most = repetition.most.unwrap_or(1);
        return Ok((most, most));
    };
    let is_held = |step: &&StepFigures| step.stability.is_held() == Some(true);
    let held = against.steps.iter().filter(is_held).count();
    let needed = against.pairing.runs_needed(held);
    let most = repetition.most.unwrap_or(RUNS.max(needed));
    if most >= needed {
        return Ok((needed, most));
    }
    let cure = match against.pairing {
        Pairing::Apart => {
            format!("use --repeat {needed}, or a baseline of {RUNS} runs (--repeat {RUNS} -o DIR)")
        }
        Pairing::Blocks => format!("use --repeat {needed}"),
    };
    Err(format!(
        "--repeat: {most} runs against {} cannot tell a regression from chance, so nothing could fail; {cure}",
        against.name
    ))
}
