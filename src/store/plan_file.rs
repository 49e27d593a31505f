//! The file plan.json, which makes a folder that of a sweep.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// The name of a sweep's plan in its folder.
pub const PLAN_JSON: &str = "plan.json";

/// The content of plan.json. The type of the plan is that of the reader: a sweep reads all of it, and a
/// report only the names of the arms.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile<P> {
    /// The name of the format with its version.
    #[serde(default)]
    pub format: String,
    /// The wall clock when the sweep began, in nanoseconds since 1970.
    #[serde(default)]
    pub begun_unix_ns: Nanos,
    pub plan: P,
    /// The text of the plan's script. All steps run this text, even if the script's file changes.
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

/// The names of a plan's arms in the plan's order, from the bytes of plan.json; none where they cannot be read.
pub(super) fn arm_names(bytes: &[u8]) -> Vec<String> {
    let file: Option<PlanFile<Arms>> = serde_json::from_slice(bytes).ok();
    let arms = file.map(|file| file.plan.arm).unwrap_or_default();
    arms.into_iter().map(|arm| arm.name).collect()
}

/// The plan as indented JSON without the script, from the bytes of plan.json; `None` where they cannot be read.
pub(super) fn plan_text(bytes: &[u8]) -> Option<String> {
    let file: PlanFile<serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    serde_json::to_string_pretty(&file.plan).ok()
}
