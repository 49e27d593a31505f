//! The folder of a sweep: the plan first, a folder per step, the journal, and tables over all steps.

use super::journal::{Event, Line};
use super::plan::SweepPlan;
use crate::spec::StepKey;
use crate::store::{
    self, PLAN_JSON, PlanFile, STEPS, StoreError, append_line, load, move_aside, write_file,
};
use crate::units::Nanos;
use crate::verdict::JudgedRun;
use std::path::{Path, PathBuf};

const JOURNAL: &str = "journal.jsonl";
const LOCK: &str = ".lock";
/// Where steps lie that were begun and not finished.
const ASIDE: &str = "aside";
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

/// A sweep's folder, held by this process.
#[derive(Debug)]
pub struct SweepFolder {
    place: Option<Place>,
    /// When the sweep was begun for the first time; nanoseconds since 1970.
    pub begun: Nanos,
}

/// Where a sweep is kept. The lock goes with the process.
#[derive(Debug)]
struct Place {
    path: PathBuf,
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
                place: Some(Place {
                    _lock: lock(path)?,
                    path: path.to_owned(),
                }),
                begun: there.begun_unix_ns,
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
            place: Some(Place {
                path: path.to_owned(),
                _lock: lock,
            }),
            begun: now,
        })
    }

    /// A sweep of which nothing is kept on the disk.
    pub fn nowhere(now: Nanos) -> SweepFolder {
        SweepFolder {
            place: None,
            begun: now,
        }
    }

    /// Whether the sweep is kept on the disk.
    pub fn is_kept(&self) -> bool {
        self.place.is_some()
    }

    /// Where the sweep is kept; `None` where it is not.
    pub fn path(&self) -> Option<&Path> {
        self.place.as_ref().map(|place| place.path.as_path())
    }

    /// Where a step's result goes; `None` where the sweep is not kept.
    pub fn step_path(&self, name: &str) -> Option<PathBuf> {
        self.path().map(|path| path.join(STEPS).join(name))
    }

    /// Writes down what happened.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn note(&self, unix_ns: Nanos, event: Event) -> Result<(), StoreError> {
        let Some(path) = self.path() else {
            return Ok(());
        };
        let line = Line { unix_ns, event };
        append_line(&path.join(JOURNAL), &line.to_json())
    }

    /// Writes a table whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        match self.path() {
            Some(path) => write_file(&path.join(name), bytes),
            None => Ok(()),
        }
    }

    /// The names of the step folders, sorted.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be read.
    pub fn step_names(&self) -> Result<Vec<String>, StoreError> {
        match self.path() {
            Some(path) => store::names_in(&path.join(STEPS)),
            None => Ok(Vec::new()),
        }
    }

    /// The step that a folder holds, if it was measured to its end and its arm is one of the plan's.
    /// Arm, rate and repetition say which step it is; the number, and with it the folder's name, may
    /// be those of another order.
    pub fn finished_step(&self, plan: &SweepPlan, name: &str) -> Option<(StepKey, JudgedRun)> {
        let run = load(&self.step_path(name)?).ok()?;
        let key = run.result.spec.step_key()?;
        let is_planned = plan.arm(&key.arm).is_some() && run.is_whole();
        is_planned.then_some((key, run))
    }

    /// Moves a half step out of the way; says where to, or `None` where there is no such folder.
    ///
    /// # Errors
    /// [`StoreError`] naming the folder and the cure.
    pub fn set_aside(&self, name: &str) -> Result<Option<String>, StoreError> {
        let (Some(path), Some(step)) = (self.path(), self.step_path(name)) else {
            return Ok(None);
        };
        if !step.exists() {
            return Ok(None);
        }
        let to = move_aside(&step, &path.join(ASIDE))?;
        let inside = to.strip_prefix(path).unwrap_or(&to);
        Ok(Some(inside.display().to_string()))
    }
}

fn lock(path: &Path) -> Result<store::Lock, SweepError> {
    let lock = store::Lock::take(&path.join(LOCK))?;
    lock.ok_or_else(|| SweepError::InUse(path.to_owned()))
}

fn read_plan(path: &Path) -> Result<Option<PlanFile<SweepPlan>>, SweepError> {
    let path = path.join(PLAN_JSON);
    let Some(bytes) = store::read_if_there(&path)? else {
        return Ok(None);
    };
    let bad = |reason: String| SweepError::BadPlanFile {
        path: path.clone(),
        reason,
    };
    let file: PlanFile<SweepPlan> =
        serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if file.format != FORMAT {
        return Err(bad(format!("its format is {}, not {FORMAT}", file.format)));
    }
    file.plan
        .validate()
        .map_err(|error| bad(error.to_string()))?;
    Ok(Some(file))
}
