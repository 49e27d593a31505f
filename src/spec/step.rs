//! The keys of a sweep's steps: number, arm, rate and repetition.

use crate::units::Rate;
use serde::{Deserialize, Serialize};

/// The content of `spec.step` in run.json. The rate of the step is not repeated there, because the load has it.
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
/// Arm, rate and repetition identify the measurement. The number is its place in the order, and changes with
/// the order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepKey {
    /// Counted from 1. Steps that are added while a plan is carried out come after the planned ones.
    pub number: u32,
    /// The name of the variant of the system.
    pub arm: String,
    /// Requests per second that are offered: to each target in a plan and in a folder's name, to all targets
    /// together where steps are compared.
    pub rate: Rate,
    /// Counted from 1.
    pub repetition: u32,
}

impl StepKey {
    /// The label of the step in its run.json.
    pub fn label(&self) -> StepLabel {
        StepLabel {
            number: self.number,
            arm: self.arm.clone(),
            repetition: self.repetition,
        }
    }

    /// Whether both have the same arm, rate and repetition; numbers are not compared.
    pub fn is_same(&self, other: &StepKey) -> bool {
        self.is_at_point(&other.arm, other.rate) && self.repetition == other.repetition
    }

    /// Whether the step measures this arm at this rate.
    pub fn is_at_point(&self, arm: &str, rate: Rate) -> bool {
        self.arm == arm && self.rate == rate
    }

    /// Whether both belong to the same block, that is, have the same rate and repetition.
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
