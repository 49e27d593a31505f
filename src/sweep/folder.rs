//! The folder of a sweep. It holds the plan, which is written first, a folder for each step, the journal, and
//! tables over all steps.

use super::journal::{JournalEvent, JournalLine};
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
/// The folder for steps that were begun and not finished.
const ASIDE: &str = "aside";
const FORMAT: &str = "meshload.plan/1";

/// The reason for which a sweep cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A file or folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder holds the sweep of another plan.
    #[error(
        "{} holds the sweep of another plan:\n  {}\ngive another -o, or the plan that it was begun with",
        folder.display(),
        differences.join("\n  ")
    )]
    Differs {
        folder: PathBuf,
        /// The settings that differ, as [`SweepPlan::differences`] gives them.
        differences: Vec<String>,
    },
    /// The plan.json of the folder cannot be understood.
    #[error("{}: {reason}; restore it, or give another -o", path.display())]
    BadPlanFile { path: PathBuf, reason: String },
    /// Another process carries out the sweep of this folder.
    #[error("{} is in use by another meshload sweep; wait for it, or give another -o", .0.display())]
    InUse(PathBuf),
}

/// The folder of a sweep that this process carries out.
#[derive(Debug)]
pub struct SweepFolder {
    /// `None` for a sweep that is not written to the disk.
    place: Option<Place>,
    /// The wall clock when the sweep was begun for the first time, in nanoseconds since 1970.
    pub begun: Nanos,
}

/// The path of a sweep, and the lock that keeps other processes out while this one carries it out.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    _lock: store::Lock,
}

impl SweepFolder {
    /// The plan with which the sweep of a folder was begun, and the text of its script; `None` when the
    /// folder holds no sweep.
    ///
    /// # Errors
    /// [`SweepError`] when plan.json cannot be read or understood.
    pub fn plan_of(path: &Path) -> Result<Option<(SweepPlan, Option<String>)>, SweepError> {
        Ok(read_plan(path)?.map(|file| (file.plan, file.script)))
    }

    /// Opens the folder for this plan and the text of its script. The folder is new or empty, or holds the
    /// same sweep, which is then resumed. `now` is the wall clock in nanoseconds since 1970.
    ///
    /// # Errors
    /// [`SweepError`] when the folder is in use, holds something else, or cannot be read or written.
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
        // A process that was killed before it had written the plan leaves these files at most.
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

    /// A sweep that is not written to the disk.
    pub fn unsaved(now: Nanos) -> SweepFolder {
        SweepFolder {
            place: None,
            begun: now,
        }
    }

    /// Whether the sweep is written to the disk.
    pub fn is_saved(&self) -> bool {
        self.place.is_some()
    }

    /// The path of the sweep; `None` for a sweep that is not written to the disk.
    pub fn path(&self) -> Option<&Path> {
        self.place.as_ref().map(|place| place.path.as_path())
    }

    /// The path of a step's folder; `None` for a sweep that is not written to the disk.
    pub fn step_path(&self, name: &str) -> Option<PathBuf> {
        self.path().map(|path| path.join(STEPS).join(name))
    }

    /// Appends an event to the journal. `unix_ns` is the wall clock in nanoseconds since 1970.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the cure.
    pub fn note(&self, unix_ns: Nanos, event: JournalEvent) -> Result<(), StoreError> {
        let Some(path) = self.path() else {
            return Ok(());
        };
        let line = JournalLine { unix_ns, event };
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

    /// The step of a folder, if it was measured to its end and its arm is one of the plan's. Arm, rate and
    /// repetition identify a step. Its number, and so the name of its folder, may come from another order
    /// of the steps.
    pub fn finished_step(&self, plan: &SweepPlan, name: &str) -> Option<(StepKey, JudgedRun)> {
        let run = load(&self.step_path(name)?).ok()?;
        let key = run.result.spec.step_key()?;
        let is_planned = plan.arm(&key.arm).is_some() && run.is_whole();
        is_planned.then_some((key, run))
    }

    /// Moves the folder of a step that was not finished out of the way. Returns its new path within the
    /// sweep's folder, or `None` where there is no such folder.
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
