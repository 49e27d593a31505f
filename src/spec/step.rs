//! Which step of a sweep a run is.

use crate::units::Rate;
use serde::{Deserialize, Serialize};

/// What `spec.step` of a run.json says. The step's rate is not repeated there: it is the load's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepLabel {
    /// From 1, in the order of the plan.
    pub number: u32,
    /// The name of the variant of the system.
    pub arm: String,
    /// From 1. Steps of different arms with the same rate and repetition make a block, which is what
    /// arms are compared in.
    pub repetition: u32,
}

/// The key of a step in a set of steps.
///
/// Arm, rate and repetition say what is measured; the number only says when, and changes when the
/// order does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepKey {
    /// From 1. Steps that are added while a plan is carried out come after the planned ones.
    pub number: u32,
    /// The name of the variant of the system.
    pub arm: String,
    /// Requests per second that are offered.
    pub rate: Rate,
    /// From 1.
    pub repetition: u32,
}

impl StepKey {
    /// What the step's run.json says of it.
    pub fn label(&self) -> StepLabel {
        StepLabel {
            number: self.number,
            arm: self.arm.clone(),
            repetition: self.repetition,
        }
    }

    /// Whether both measure the same thing, whatever their numbers.
    pub fn is_same(&self, other: &StepKey) -> bool {
        self.is_at_point(&other.arm, other.rate) && self.repetition == other.repetition
    }

    /// Whether it measures this arm at this rate.
    pub fn is_at_point(&self, arm: &str, rate: Rate) -> bool {
        self.arm == arm && self.rate == rate
    }

    /// Whether both belong to one block: what arms are compared in.
    pub fn is_in_block_of(&self, other: &StepKey) -> bool {
        self.rate == other.rate && self.repetition == other.repetition
    }

    /// The name of the step's folder.
    pub fn folder(&self) -> String {
        let StepKey {
            number,
            arm,
            rate,
            repetition,
        } = self;
        format!("{number:04}-{arm}-{rate}-rep{repetition}")
    }
}
