//! What happened in a sweep, one line of JSON per event, in the order in which it happened.

use super::next::Bracket;
use crate::gate::Slo;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// A line of journal.jsonl.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Wall clock, nanoseconds since 1970.
    pub unix_ns: Nanos,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The sweep began, or went on with this many steps already measured.
    Began {
        /// Version of meshload.
        meshload: String,
        /// Steps that were measured before.
        measured: usize,
    },
    /// A half step was moved out of the way, to be done again.
    SetAside {
        /// The step's folder.
        folder: String,
        /// Where it is now.
        to: String,
    },
    /// A variant of the system was made and verified.
    ArmEntered {
        /// Which.
        arm: String,
        /// What was done and found.
        notes: Vec<String>,
    },
    /// It could not be made, or is not what it should be.
    ArmFailed {
        /// Which.
        arm: String,
        /// Why, with the cure.
        reason: String,
    },
    /// It was unmade: the system is as it was.
    ArmLeft {
        /// Which.
        arm: String,
    },
    /// What an earlier process had left changed was put back.
    PutBack,
    /// The system could not be put back.
    RestoreFailed {
        /// Why, with the cure.
        reason: String,
    },
    /// A step began.
    StepBegan {
        /// Its number.
        number: u32,
        /// Its folder.
        folder: String,
    },
    /// Its caches were emptied and its reset commands run.
    Prepared {
        /// Its number.
        number: u32,
        /// What was done, pod by pod.
        notes: Vec<String>,
    },
    /// A step was measured.
    StepFinished {
        /// Its number.
        number: u32,
        /// Its folder.
        folder: String,
        /// Requests per second finished.
        achieved: f64,
        /// Median and 99th percentile of the latency in nanoseconds.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        p50_ns: Option<u64>,
        /// Likewise.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        p99_ns: Option<u64>,
        /// The verdict's level.
        verdict: String,
        /// `held`, `not_held` or `unknown`.
        stability: String,
    },
    /// A step could not be measured; it will be tried again when the sweep is resumed.
    StepFailed {
        /// Its number.
        number: u32,
        /// Its folder.
        folder: String,
        /// Why.
        reason: String,
    },
    /// The rest after a step.
    CooledDown {
        /// After which step.
        number: u32,
        /// How long, and how it went.
        note: String,
    },
    /// Planned steps that were not made, above rates that were not held.
    LeftOut {
        /// Their folders' names.
        steps: Vec<String>,
    },
    /// What is known of an arm's capacity.
    Capacity {
        /// Which.
        arm: String,
        /// What had to be met besides holding the rate.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        slo: Option<Slo>,
        /// The highest rate that was good, and the lowest that was not.
        bracket: Bracket,
        /// Whether the search went to its end; else it was broken off, or its steps told nothing.
        is_settled: bool,
    },
    /// A signal came.
    Interrupted {
        /// In which step, if in one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        number: Option<u32>,
    },
    /// The sweep ended.
    Ended {
        /// Steps measured, in this and in earlier sessions.
        measured: usize,
        /// Steps that failed in this one.
        failed: usize,
        /// `done`, `interrupted`, `failures`, `arm_failed`.
        how: String,
    },
}

impl Line {
    /// As it stands in the file, with its line end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a journal. A line that is torn or of a later version is passed over.
    pub fn read_all(journal: &[u8]) -> Vec<Line> {
        let lines = journal.split(|byte| *byte == b'\n');
        lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }
}
