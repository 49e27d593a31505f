//! What a sweep is carried out with: the runner knows the order of things, and neither cluster, engine
//! nor terminal.

use super::journal::Event;
use crate::spec::StepKey;
use crate::study::StudyMetadata;
use crate::units::Nanos;
use crate::verdict::JudgedRun;
use std::path::Path;

/// Changes the system under test from one variant to another.
pub trait ArmSetup {
    /// Restores what an earlier process has left changed; whether there was something.
    ///
    /// # Errors
    /// Why it could not be restored, with the cure.
    fn restore_leftovers(&mut self) -> Result<bool, String>;

    /// Sets the arm of this name up and verifies it; returns notes on what was done and found.
    ///
    /// # Errors
    /// Why the arm cannot be measured, with the cure.
    fn set_up_arm(&mut self, arm: &str) -> Result<Vec<String>, String>;

    /// Restores the system as it was before the arm was set up.
    ///
    /// # Errors
    /// Why it could not be restored, with the cure.
    fn tear_down_arm(&mut self, arm: &str) -> Result<(), String>;
}

/// What became of a measurement.
pub enum StepEnd {
    /// The run went to its end.
    Measured(Box<JudgedRun>),
    /// A signal came; what was measured until then has been written.
    Interrupted,
    /// The run could not be made, or gave no result.
    Failed(String),
}

/// Measures the steps of the arm that is set up.
pub trait Measurer {
    /// Resets what a step must not inherit from the one before; returns notes on what was done.
    ///
    /// # Errors
    /// Why the step cannot be measured, with the cure.
    fn prepare(&mut self, step: &StepKey) -> Result<Vec<String>, String>;

    /// Measures a step and leaves the result in the folder, where the sweep has one.
    fn measure(&mut self, step: &StepKey, folder: Option<&Path>) -> StepEnd;

    /// Rests between two steps; says for how long and why.
    fn cool_down(&mut self) -> String;
}

/// Tells the runner what goes on around it, and is told what the runner does.
pub trait Observer {
    /// Wall clock, nanoseconds since 1970.
    fn now(&self) -> Nanos;

    /// Whether a signal has come.
    fn is_interrupted(&self) -> bool;

    /// Is told of an event as it goes into the journal; `left` steps are still to come.
    fn on_event(&mut self, event: &Event, left: usize);

    /// Is told of a step that an earlier session has measured.
    fn on_step_found(&mut self, step: &StepKey, run: &JudgedRun);

    /// Is told of a step that was measured now.
    fn on_step_finished(&mut self, step: &StepKey, run: &JudgedRun);

    /// What metadata.json says besides the plan.
    fn metadata(&self) -> StudyMetadata;
}

/// Everything that a sweep is carried out with.
pub trait SweepDriver: ArmSetup + Measurer + Observer {}

impl<D: ArmSetup + Measurer + Observer> SweepDriver for D {}
