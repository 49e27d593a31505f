//! The steps of a folder, for comparisons and reports. The folder can be that of a sweep, of repeated runs, of
//! a single run, or of the study.

use super::entries::{names_in, read_if_there};
use super::error::StoreError;
use super::folder::{RUN_JSON, load, load_file};
use super::plan_file::{PLAN_JSON, arm_names, plan_text};
use crate::compare::{ArmSteps, Step, add_conditions};
use crate::measure::Ending;
use crate::study::{self, LATENCIES_CSV, METADATA_JSON, PODS_CSV, StudyFolder, StudySums};
use crate::verdict::JudgedRun;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder in which the folders of the steps lie.
pub const STEPS: &str = "steps";

/// The steps of a folder, by arm.
#[derive(Debug, Clone, Default)]
pub struct StepSet {
    /// The arms that have steps, in the order of the plan.
    pub arms: Vec<ArmSteps>,
    /// Sums as the study computed them, from k8s_full_metrics.csv; empty where there is no such file.
    pub sums: StudySums,
    /// The text of the plan, or of the study's metadata.
    pub plan: Option<String>,
    /// Steps and files that were left out, each with the reason.
    pub notes: Vec<String>,
}

impl StepSet {
    fn arm(&mut self, name: &str) -> &mut ArmSteps {
        let at = self.arms.iter().position(|arm| arm.name == name);
        let at = at.unwrap_or_else(|| {
            self.arms.push(ArmSteps::named(name));
            self.arms.len() - 1
        });
        &mut self.arms[at]
    }

    /// The arm of this name, or all arms without a name.
    ///
    /// # Errors
    /// [`StoreError::NoArm`] when no arm has the name.
    pub fn chosen(self, folder: &Path, arm: Option<&str>) -> Result<Vec<ArmSteps>, StoreError> {
        let Some(name) = arm else {
            return Ok(self.arms);
        };
        let (chosen, others): (Vec<_>, Vec<_>) =
            self.arms.into_iter().partition(|one| one.name == name);
        if chosen.is_empty() {
            return Err(StoreError::NoArm {
                folder: folder.to_owned(),
                arm: name.to_owned(),
                has: others.into_iter().map(|one| one.name).collect(),
            });
        }
        Ok(chosen)
    }
}

/// The arm of a folder that has only one.
///
/// # Errors
/// [`StoreError::SeveralArms`] when the folder has another number of arms.
pub fn only_arm(folder: &Path, arms: Vec<ArmSteps>) -> Result<ArmSteps, StoreError> {
    <[ArmSteps; 1]>::try_from(arms)
        .map(|[arm]| arm)
        .map_err(|arms| StoreError::SeveralArms {
            folder: folder.to_owned(),
            has: arms.into_iter().map(|one| one.name).collect(),
        })
}

/// Reads the steps of a folder, whether it is that of a sweep, of repeated runs, of one run or of the study. A
/// path to a file is read as a run.json.
///
/// # Errors
/// [`StoreError`] when there is no finished step, or a table that cannot be read.
pub fn load_steps(folder: &Path) -> Result<StepSet, StoreError> {
    if folder.is_file() {
        return load_steps_of_file(folder);
    }
    fs::read_dir(folder).map_err(StoreError::refused("read", folder))?;
    let mut set = StepSet::default();
    let steps = folder.join(STEPS);
    let plan = read_if_there(&folder.join(PLAN_JSON))?;
    if let Some(plan) = &plan {
        for name in arm_names(plan) {
            // Adding the arms here, before any step, fixes the order in which they are shown.
            set.arm(&name);
        }
        set.plan = plan_text(plan);
    }
    if plan.is_some() || steps.is_dir() {
        for name in names_in(&steps)? {
            add_run(&mut set, &steps.join(&name), &name);
        }
        if plan.is_some() && set.plan.is_none() {
            set.notes.push(format!(
                "{PLAN_JSON} cannot be read: the arms stand in the order of their steps"
            ));
        }
    } else if folder.join(RUN_JSON).exists() {
        add_single(&mut set, folder, load(folder)?)?;
    } else {
        add_study(&mut set, folder)?;
    }
    let pods = folder.join(PODS_CSV);
    if let Some(bytes) = read_if_there(&pods)? {
        set.sums = study::sums(&bytes).map_err(unreadable(&pods))?;
    }
    set.arms.retain(|arm| !arm.steps.is_empty());
    if set.arms.is_empty() {
        let folder = folder.to_owned();
        return Err(match plan {
            Some(_) => StoreError::NoFinishedStep {
                folder,
                notes: set.notes,
            },
            None => StoreError::NoSteps(folder),
        });
    }
    Ok(set)
}

/// Reads a file called run.json with its folder, and a result of another name alone.
fn load_steps_of_file(path: &Path) -> Result<StepSet, StoreError> {
    if let (Some(RUN_JSON), Some(folder)) =
        (path.file_name().and_then(OsStr::to_str), path.parent())
    {
        let here = Path::new(".");
        return load_steps(if folder == Path::new("") {
            here
        } else {
            folder
        });
    }
    let mut set = StepSet::default();
    add_single(&mut set, path, load_file(path)?)?;
    Ok(set)
}

/// Adds a run that is no step of a sweep. Without an arm's name it gets that of its folder or file.
fn add_single(set: &mut StepSet, place: &Path, run: JudgedRun) -> Result<(), StoreError> {
    if run.result.ending != Ending::Complete {
        return Err(StoreError::BrokenOff(place.to_owned()));
    }
    let mut step = Step::of(&run);
    if step.key.arm.is_empty() {
        step.key.arm = name_of(place);
    }
    let arm = set.arm(&step.key.arm);
    add_conditions(&mut arm.conditions, &run.result);
    arm.add(place, step);
    Ok(())
}

fn name_of(folder: &Path) -> String {
    let name = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    without_time(&name).to_owned()
}

/// The name without the time that the study put behind it: `no_istio` for `no_istio_20260101_024147`.
fn without_time(name: &str) -> &str {
    let is_time = |part: &str, digits: usize| {
        part.len() == digits && part.chars().all(|c| c.is_ascii_digit())
    };
    let mut parts = name.rsplitn(3, '_');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(time), Some(day), Some(name)) if is_time(time, 6) && is_time(day, 8) => name,
        _ => name,
    }
}

fn unreadable<E: ToString>(path: &Path) -> impl FnOnce(E) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::BadTable {
        path,
        reason: error.to_string(),
    }
}

/// Adds a step of a sweep or one of several repeated runs, or a note on why it is left out.
fn add_run(set: &mut StepSet, folder: &Path, name: &str) {
    let run = match load(folder) {
        Ok(run) if run.result.ending == Ending::Complete => run,
        Ok(_) => {
            let note = format!("{name} was broken off and is left out");
            return set.notes.push(note);
        }
        Err(error) => return set.notes.push(format!("{name} is left out: {error}")),
    };
    let mut step = Step::of(&run);
    let is_labelled = run.result.spec.step.is_some();
    if !is_labelled {
        step.key.arm = "run".to_owned();
    }
    let arm = set.arm(&step.key.arm);
    if !is_labelled {
        // Runs without labels count as repetitions in the order of their folders' names, because nothing
        // else is known of their order.
        step.key.repetition = arm.set().at(step.key.rate).len() as u32 + 1;
    }
    add_conditions(&mut arm.conditions, &run.result);
    arm.add(folder, step);
}

/// Adds the steps of a folder of the study, if it has the study's table of latencies.
fn add_study(set: &mut StepSet, folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(LATENCIES_CSV);
    let Some(latencies) = read_if_there(&path)? else {
        return Ok(());
    };
    let logs = folder.join("wrk_logs");
    let mut files = StudyFolder {
        arm: name_of(folder),
        latencies,
        pods: read_if_there(&folder.join(PODS_CSV))?,
        metadata: read_if_there(&folder.join(METADATA_JSON))?,
        ..StudyFolder::default()
    };
    for name in names_in(&logs)? {
        let log = read_if_there(&logs.join(&name))?.unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        files.logs.insert(name, log);
    }
    let steps = study::steps(&files).map_err(unreadable(folder))?;
    set.notes
        .extend(study::gaps(&files).map_err(unreadable(folder))?);
    let conditions = study::conditions(&files).map_err(unreadable(folder))?;
    let arm = set.arm(&files.arm);
    (arm.steps, arm.conditions) = (steps, conditions);
    let metadata = files.metadata.as_deref();
    set.plan = metadata.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Ok(())
}

/// Splits what a user typed as `DIR` or `DIR:ARM` into the folder and the name of the arm. If the whole text is
/// the path of a folder, its colon belongs to the folder's name.
pub fn folder_and_arm(typed: &Path) -> (PathBuf, Option<String>) {
    let text = typed.to_string_lossy();
    match text.rsplit_once(':') {
        Some((folder, arm)) if !typed.exists() => (PathBuf::from(folder), Some(arm.to_owned())),
        _ => (typed.to_owned(), None),
    }
}
