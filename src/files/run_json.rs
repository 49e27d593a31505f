//! run.json: every figure of a run for other programs, and the whole histograms, from which a result is
//! rebuilt exactly.
//!
//! An absent field was not measured; 0 means zero. Later versions may add fields, but do not change the
//! meaning of these.

mod fields;
mod read;
mod write;

pub use self::read::run_from_json;
pub use self::write::run_to_json;

use self::fields::{Counters, Figures, Histograms};
use super::encoded;
use crate::measure::{
    Distribution, Ending, Environment, Errors, GeneratorUse, Histogram, Interval,
};
use crate::resources::Resources;
use crate::spec::RunSpec;
use crate::units::Nanos;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

const FORMAT: &str = "meshload.run/1";

/// Why bytes are not a run.json or a collect.json.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The file was cut short, or never held a result.
    #[error("this is not a whole result ({0}); was meshload interrupted while it wrote the file?")]
    Broken(String),
    /// The file has another format, from another version of meshload.
    #[error("its format is `{0}` and this program reads `{1}`; use the meshload that wrote it")]
    Version(String, &'static str),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document {
    format: String,
    #[serde(rename = "loop")]
    loop_kind: LoopKind,
    outcome: Ending,
    verdict: Verdict,
    notes: Vec<String>,
    /// The notes as codes and fields, in the same order; absent in results from before there were codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<crate::measure::Note>"))]
    note_data: Vec<Value>,
    seed: u64,
    window: WindowBlock,
    #[serde(flatten)]
    all: Block,
    generator: GeneratorUse,
    environment: Environment,
    spec: RunSpec,
    /// Per URL the same block, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Block>,
    /// Where a collector ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resources: Option<Resources>,
}

/// Whether requests had due times.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum LoopKind {
    Open,
    /// Latencies are not corrected, and there are none: only service times.
    Closed,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WindowBlock {
    start_unix_ns: Nanos,
    warmup_ns: Nanos,
    duration_ns: Nanos,
    guard_ns: Nanos,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Block {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default)]
    addresses: Vec<String>,
    requests: Requests,
    errors: Errors,
    status: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ns: Option<Latency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    success_ns: Option<Distribution>,
    #[serde(flatten, skip_deserializing)]
    figures: Figures,
    routes: BTreeMap<String, Route>,
    intervals: Vec<Interval>,
    thread_rates: Vec<f64>,
    histograms: Histograms,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Requests {
    #[serde(flatten)]
    counters: Counters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheduled_by_ledger: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_offered: Option<f64>,
    rate_achieved: f64,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Latency {
    #[serde(flatten)]
    figures: Distribution,
    /// Unfinished requests among them, at their age.
    censored: u64,
    /// Percentiles that the unfinished could still raise.
    lower_bound: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Route {
    requests: u64,
    status: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ns: Option<Distribution>,
    /// In place of latencies in a closed loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_ns: Option<Distribution>,
    histograms: RouteHistograms,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RouteHistograms {
    #[serde(with = "encoded")]
    #[cfg_attr(test, schemars(with = "String"))]
    latency: Histogram,
    #[serde(with = "encoded")]
    #[cfg_attr(test, schemars(with = "String"))]
    censored: Histogram,
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
