//! The file that makes a folder a sweep's.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// The name of a sweep's plan in its folder.
pub const PLAN_JSON: &str = "plan.json";

/// What a plan.json holds. What is in the plan itself is said by who reads it: a sweep wants all of it,
/// a report the names of the arms.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile<P> {
    /// The format and its version.
    #[serde(default)]
    pub format: String,
    /// When the sweep was begun, by the wall clock.
    #[serde(default)]
    pub begun_unix_ns: Nanos,
    /// The plan.
    pub plan: P,
    /// The text of the plan's script: every step runs this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub script: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Arms {
    arm: Vec<Arm>,
}

#[derive(Deserialize)]
struct Arm {
    name: String,
}

/// The names of a plan's arms, in its order; none where the file cannot be read.
pub(super) fn arm_names(bytes: &[u8]) -> Vec<String> {
    let file: Option<PlanFile<Arms>> = serde_json::from_slice(bytes).ok();
    let arms = file.map(|file| file.plan.arm).unwrap_or_default();
    arms.into_iter().map(|arm| arm.name).collect()
}

/// The plan as text, without the script; `None` where the file cannot be read.
pub(super) fn plan_text(bytes: &[u8]) -> Option<String> {
    let file: PlanFile<serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    serde_json::to_string_pretty(&file.plan).ok()
}
