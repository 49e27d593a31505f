//! The journal of a sweep, journal.jsonl: one line of JSON for each event, in the order of the events. Nothing
//! is decided by it.

use super::next::Bracket;
use crate::gate::Slo;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// A line of journal.jsonl.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalLine {
    /// The wall clock, in nanoseconds since 1970.
    pub unix_ns: Nanos,
    #[serde(flatten)]
    pub event: JournalEvent,
}

/// An event of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JournalEvent {
    /// The sweep began or was resumed.
    Began {
        /// The version of meshload.
        meshload: String,
        /// The number of steps that earlier sessions have measured.
        measured: usize,
    },
    /// The folder of a step that was not finished was moved out of the way. The step will be measured again.
    SetAside {
        /// The name of the step's folder.
        folder: String,
        /// The new path, within the sweep's folder.
        to: String,
    },
    /// An arm was set up and verified.
    ArmEntered {
        arm: String,
        /// What was done and found.
        notes: Vec<String>,
    },
    /// An arm could not be set up, or failed its verification.
    ArmFailed {
        arm: String,
        /// The cause, with the cure.
        reason: String,
    },
    /// An arm was torn down, so that the system is as it was before.
    ArmLeft { arm: String },
    /// The system was restored that an earlier process had changed.
    PutBack,
    /// The system could not be restored.
    RestoreFailed {
        /// The cause, with the cure.
        reason: String,
    },
    /// A step began.
    StepBegan { number: u32, folder: String },
    /// The caches were emptied and the reset commands run before a step.
    Prepared {
        number: u32,
        /// What was done, pod by pod.
        notes: Vec<String>,
    },
    /// A step was measured.
    StepFinished {
        number: u32,
        folder: String,
        /// Replies per second that were finished in the window.
        achieved: f64,
        /// The median of the latency in nanoseconds; absent without a reply.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        p50_ns: Option<u64>,
        /// The 99th percentile of the latency in nanoseconds; absent without a reply.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        p99_ns: Option<u64>,
        /// The level of the verdict.
        verdict: String,
        /// `held`, `not_held` or `unknown`.
        stability: String,
    },
    /// A step could not be measured. It is tried again when the sweep is resumed.
    StepFailed {
        number: u32,
        folder: String,
        reason: String,
    },
    /// The rest after a step is over.
    CooledDown {
        number: u32,
        /// A sentence on how long the rest was and why.
        note: String,
    },
    /// Planned steps were not made, because a lower rate was not held.
    LeftOut {
        /// The names of the steps' folders.
        steps: Vec<String>,
    },
    /// The result of the search for an arm's capacity.
    Capacity {
        arm: String,
        /// The objective that had to be met besides holding the rate.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        slo: Option<Slo>,
        bracket: Bracket,
        /// Whether the search is finished. If not, it was interrupted, or it could not be told whether its
        /// rates were held.
        is_settled: bool,
    },
    /// A signal ended the sweep.
    Interrupted {
        /// The number of the step that was interrupted; absent between two steps.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        number: Option<u32>,
    },
    /// The sweep ended.
    Ended {
        /// The number of steps that were measured, in this session and earlier ones.
        measured: usize,
        /// The number of steps that failed in this session.
        failed: usize,
        /// `done`, `interrupted`, `failures` or `arm_failed`.
        how: String,
    },
}

impl JournalLine {
    /// The line as JSON, with its line end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
