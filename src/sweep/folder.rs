//! The folder of a sweep: the plan first, a folder per step, the journal, and tables over all steps.

use super::journal::{Event, Line};
use super::plan::{Step, SweepPlan};
use crate::judge::Verdict;
use crate::measure::{Ending, RunResult};
use crate::store::{self, STEPS, StoreError, append_line, load, move_aside, write_file};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file that makes a folder a sweep's.
pub const PLAN_JSON: &str = "plan.json";
const JOURNAL: &str = "journal.jsonl";
const LOCK: &str = ".lock";
const FORMAT: &str = "meshload.plan/1";

/// Why a sweep cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A file or folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another plan lies there.
    #[error(
        "{} holds the sweep of another plan:\n  {}\ngive another -o, or the plan that it was begun with",
        folder.display(),
        differences.join("\n  ")
    )]
    Differs {
        /// The folder.
        folder: PathBuf,
        /// Setting by setting.
        differences: Vec<String>,
    },
    /// A plan.json that is none.
    #[error("{}: {reason}; restore it, or give another -o", path.display())]
    BadPlanFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Somebody else is at it.
    #[error("{} is in use by another meshload sweep; wait for it, or give another -o", .0.display())]
    InUse(PathBuf),
}

#[derive(Serialize, Deserialize)]
struct PlanFile {
    format: String,
    begun_unix_ns: Nanos,
    plan: SweepPlan,
    /// The text of its script: every step runs this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    script: Option<String>,
}

/// A step that was measured to its end.
#[derive(Debug)]
pub struct StepResult {
    /// Which.
    pub step: Step,
    /// What was measured.
    pub result: RunResult,
    /// The verdict on it.
    pub verdict: Verdict,
}

/// What the step folders of a sweep hold.
#[derive(Debug, Default)]
pub struct Contents {
    /// The steps that were measured to their end, by number.
    pub measured: Vec<StepResult>,
    /// The names of the folders that hold something else.
    pub half: Vec<String>,
}

/// A sweep's folder, held by this process.
#[derive(Debug)]
pub struct SweepFolder {
    path: PathBuf,
    /// When the sweep was begun for the first time; nanoseconds since 1970.
    pub begun: Nanos,
    _lock: store::Lock,
}

impl SweepFolder {
    /// The plan that a folder was begun with, and the text of its script; `None` when there is no
    /// sweep in it.
    ///
    /// # Errors
    /// [`SweepError`] for one that is not understood.
    pub fn plan_of(path: &Path) -> Result<Option<(SweepPlan, Option<String>)>, SweepError> {
        Ok(read_plan(path)?.map(|file| (file.plan, file.script)))
    }

    /// Opens the folder for this plan and the text of its script: a new one, or that of the same
    /// sweep.
    ///
    /// # Errors
    /// [`SweepError`] with the cure.
    pub fn open(
        path: &Path,
        plan: &SweepPlan,
        script: Option<&str>,
        now: Nanos,
    ) -> Result<SweepFolder, SweepError> {
        if let Some(there) = read_plan(path)? {
            let mut differences = there.plan.differences(plan);
            if there.script.as_deref() != script {
                differences.push("load.script: its text is another".to_owned());
            }
            if !differences.is_empty() {
                let folder = path.to_owned();
                return Err(SweepError::Differs {
                    folder,
                    differences,
                });
            }
            return Ok(SweepFolder {
                begun: there.begun_unix_ns,
                _lock: lock(path)?,
                path: path.to_owned(),
            });
        }
        store::make_folder(path)?;
        let lock = lock(path)?;
        // A process that was killed before it had written the plan leaves no more than these.
        let is_ours = |name: &String| name == LOCK || *name == format!("{PLAN_JSON}.partial");
        if !store::names_in(path)?.iter().all(is_ours) {
            return Err(StoreError::NotEmpty(path.to_owned()).into());
        }
        let file = PlanFile {
            format: FORMAT.to_owned(),
            begun_unix_ns: now,
            plan: plan.clone(),
            script: script.map(str::to_owned),
        };
        let json = serde_json::to_vec_pretty(&file).unwrap_or_default();
        write_file(&path.join(PLAN_JSON), &json)?;
        Ok(SweepFolder {
            path: path.to_owned(),
            begun: now,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a step's result goes.
    pub fn step_path(&self, name: &str) -> PathBuf {
        self.path.join(STEPS).join(name)
    }

    /// Writes down what happened.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn note(&self, unix_ns: Nanos, event: Event) -> Result<(), StoreError> {
        let line = Line { unix_ns, event };
        append_line(&self.path.join(JOURNAL), &line.to_json())
    }

    /// Writes a table whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write_file(&self.path.join(name), bytes)
    }

    /// What its step folders hold.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be read.
    pub fn contents(&self, plan: &SweepPlan) -> Result<Contents, StoreError> {
        let mut contents = Contents::default();
        for name in store::names_in(&self.path.join(STEPS))? {
            let loaded = load(&self.step_path(&name)).ok();
            let measured = loaded.and_then(|run| {
                let (result, verdict) = (run.result, run.verdict);
                let step = step_of(plan, &result).filter(|_| is_whole(&result))?;
                Some(StepResult {
                    step,
                    result,
                    verdict,
                })
            });
            match measured.filter(|one| one.step.folder(plan) == name) {
                Some(one) => contents.measured.push(one),
                None => contents.half.push(name),
            }
        }
        contents.measured.sort_by_key(|one| one.step.number);
        Ok(contents)
    }

    /// Moves a half step out of the way; says where to.
    ///
    /// # Errors
    /// [`StoreError`] naming the folder and the cure.
    pub fn set_aside(&self, name: &str) -> Result<String, StoreError> {
        let to = move_aside(&self.step_path(name), &self.path.join("aside"))?;
        let inside = to.strip_prefix(&self.path).unwrap_or(&to);
        Ok(inside.display().to_string())
    }
}

/// Whether a run went to its end and brought something home.
pub fn is_whole(result: &RunResult) -> bool {
    result.ending == Ending::Complete && result.overall().completed > 0
}

fn step_of(plan: &SweepPlan, result: &RunResult) -> Option<Step> {
    let label = result.spec.step.as_ref()?;
    let arm = plan.arms.iter().position(|arm| arm.name == label.arm)?;
    let crate::spec::Offered::Rate(rate) = result.spec.load.offered else {
        return None;
    };
    Some(Step {
        number: label.number,
        arm,
        rate,
        repetition: label.repetition,
    })
}

fn lock(path: &Path) -> Result<store::Lock, SweepError> {
    let lock = store::Lock::take(&path.join(LOCK))?;
    lock.ok_or_else(|| SweepError::InUse(path.to_owned()))
}

fn read_plan(path: &Path) -> Result<Option<PlanFile>, SweepError> {
    let path = path.join(PLAN_JSON);
    let Some(bytes) = store::read_if_there(&path)? else {
        return Ok(None);
    };
    let bad = |reason: String| SweepError::BadPlanFile {
        path: path.clone(),
        reason,
    };
    let file: PlanFile = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if file.format != FORMAT {
        return Err(bad(format!("its format is {}, not {FORMAT}", file.format)));
    }
    file.plan
        .validate()
        .map_err(|error| bad(error.to_string()))?;
    Ok(Some(file))
}
