//! The interface between the runner, which knows the order of events in a sweep, and the code that knows the
//! cluster, the engine and the terminal.

use super::journal::JournalEvent;
use crate::spec::StepKey;
use crate::study::StudyMetadata;
use crate::units::Nanos;
use crate::verdict::JudgedRun;
use std::path::Path;

/// Changes the system under test from one variant to another.
pub trait ArmSetup {
    /// Restores what an earlier process changed and did not restore; returns whether there was something.
    ///
    /// # Errors
    /// The reason for which it could not be restored, with the cure.
    fn restore_leftovers(&mut self) -> Result<bool, String>;

    /// Sets up the arm of this name and verifies it; returns notes on what was done and found.
    ///
    /// # Errors
    /// The reason for which the arm cannot be measured, with the cure.
    fn set_up_arm(&mut self, arm: &str) -> Result<Vec<String>, String>;

    /// Restores the system as it was before the arm was set up, also when that failed half way.
    ///
    /// # Errors
    /// The reason for which it could not be restored, with the cure.
    fn tear_down_arm(&mut self, arm: &str) -> Result<(), String>;
}

/// The outcome of a measurement.
pub enum StepEnd {
    /// The run was complete.
    Measured(Box<JudgedRun>),
    /// A signal ended the run. What was measured until then was written.
    Interrupted,
    /// The run could not be made or gave no result, for this reason.
    Failed(String),
}

/// Measures the steps of the arm that is set up.
pub trait Measurer {
    /// Resets the state that a step must not inherit from the one before, such as caches; returns notes on
    /// what was done.
    ///
    /// # Errors
    /// The reason for which the step cannot be measured, with the cure.
    fn prepare(&mut self, step: &StepKey) -> Result<Vec<String>, String>;

    /// Measures a step and writes its result into the folder; `None` for a sweep without a folder.
    fn measure(&mut self, step: &StepKey, folder: Option<&Path>) -> StepEnd;

    /// Waits between two steps; returns a sentence on how long and why.
    fn cool_down(&mut self) -> String;
}

/// Gives the runner the time and signals, and is called when something has happened in the sweep.
pub trait Observer {
    /// The wall clock, in nanoseconds since 1970.
    fn now(&self) -> Nanos;

    /// Whether a signal asks the sweep to end.
    fn is_interrupted(&self) -> bool;

    /// Called for every event before it is written to the journal. `left` is the number of steps that are
    /// still to come.
    fn on_event(&mut self, event: &JournalEvent, left: usize);

    /// Called for each step that an earlier session has measured.
    fn on_step_found(&mut self, step: &StepKey, run: &JudgedRun);

    /// Called for each step that this session has measured.
    fn on_step_finished(&mut self, step: &StepKey, run: &JudgedRun);

    /// The entries of metadata.json that do not follow from the plan.
    fn metadata(&self) -> StudyMetadata;
}

/// Everything that the runner needs to carry out a sweep.
pub trait SweepDriver: ArmSetup + Measurer + Observer {}

impl<D: ArmSetup + Measurer + Observer> SweepDriver for D {}
