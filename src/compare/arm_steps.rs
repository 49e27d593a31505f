//! The steps of one arm, with the conditions under which they were measured.

use super::{Capacity, Conditions, Step, Steps, capacity};
use crate::spec::StepKey;
use crate::units::Rate;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One variant of the system: its steps, and the conditions under which they were measured.
#[derive(Debug, Clone, Default)]
pub struct ArmSteps {
    pub name: String,
    /// The steps in the order in which they were read.
    pub steps: Vec<Step>,
    /// Every value that each condition had in some step.
    pub conditions: Conditions,
    /// The folders of the runs. Steps that come from the study's tables have no folder.
    folders: BTreeMap<StepKey, PathBuf>,
}

impl ArmSteps {
    /// An arm without steps.
    pub fn named(name: &str) -> ArmSteps {
        ArmSteps {
            name: name.to_owned(),
            ..ArmSteps::default()
        }
    }

    /// The steps as a set.
    pub fn set(&self) -> Steps<'_> {
        Steps::from(&self.steps)
    }

    /// How much load the arm can carry, by its steps.
    pub fn capacity(&self) -> Capacity {
        capacity(&self.set())
    }

    /// Adds a step whose run lies in this folder.
    pub fn add(&mut self, folder: &Path, step: Step) {
        self.folders.insert(step.key.clone(), folder.to_owned());
        self.steps.push(step);
    }

    /// An arm with this name, with other steps that were measured under the same conditions.
    pub fn part(&self, name: String, steps: Vec<Step>) -> ArmSteps {
        ArmSteps {
            name,
            steps,
            conditions: self.conditions.clone(),
            folders: BTreeMap::new(),
        }
    }

    /// Gives the arm and its steps another name.
    pub fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        for step in &mut self.steps {
            let folder = self.folders.remove(&step.key);
            name.clone_into(&mut step.key.arm);
            if let Some(folder) = folder {
                self.folders.insert(step.key.clone(), folder);
            }
        }
    }

    /// The folder of the run that stands for the arm at a rate.
    pub fn folder_at(&self, rate: Rate) -> Option<&Path> {
        let shown = self.set().shown_at(rate)?;
        self.folders.get(&shown.key).map(PathBuf::as_path)
    }
}

/// The rate at which arms are shown side by side: the highest that every arm held in every repetition,
/// else the lowest that all arms measured. `None` where they have no rate in common.
pub fn common_rate(arms: &[ArmSteps]) -> Option<Rate> {
    let sets: Vec<Steps<'_>> = arms.iter().map(ArmSteps::set).collect();
    let common = Steps::common_rates(&sets);
    let is_held = |rate: &&Rate| sets.iter().all(|steps| steps.at(**rate).are_held());
    let held = common.iter().rfind(is_held);
    held.or_else(|| common.first()).copied()
}
