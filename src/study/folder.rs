//! Folders of the study as steps: its CSV files of both generations and wrk's texts are read. Figures
//! that a folder does not hold are missing in the steps, never 0.

use super::file_names::{LATENCIES_CSV, PODS_CSV};
use super::latencies;
use super::pod_services::services;
use super::step_id::StepId;
use super::sums::{OLD_CPU, SUMMED};
use crate::compare::{Condition, Conditions, Step, StepFigures};
use crate::files::{BadTable, CsvTable};
use crate::spec::StepKey;
use crate::units::Rate;
use crate::verdict::{Reason, Stability};
use std::collections::{BTreeMap, BTreeSet};

/// The contents of the files of a study's folder.
#[derive(Debug, Clone, Default)]
pub struct StudyFolder {
    /// The name that the steps get as their arm, such as `no_istio`.
    pub arm: String,
    /// latency_stats.csv
    pub latencies: Vec<u8>,
    /// k8s_full_metrics.csv
    pub pods: Option<Vec<u8>>,
    /// metadata.json
    pub metadata: Option<Vec<u8>>,
    /// wrk's text by file name, `wrk_<rate>rps_rep<n>.log`.
    pub logs: BTreeMap<String, String>,
}

/// The length of the study's runs in seconds, assumed where metadata.json does not give it.
const USUAL_SECONDS: f64 = 90.0;

/// Reads the steps of a folder, in the order of latency_stats.csv.
///
/// # Errors
/// [`BadTable`] for a table that is cut short, lacks a needed column or has a step twice.
pub fn steps(folder: &StudyFolder) -> Result<Vec<Step>, BadTable> {
    let seconds = folder.metadata.as_deref().and_then(seconds_of);
    let seconds = seconds.unwrap_or(USUAL_SECONDS);
    let mut services = match &folder.pods {
        Some(pods) => services(pods)?,
        None => BTreeMap::new(),
    };
    let mut seen: BTreeMap<StepId, u32> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    let table = CsvTable::read(LATENCIES_CSV, &folder.latencies)?;
    let mut steps = Vec::new();
    for row in table.rows() {
        let typed = row.need("Target_RPS")?;
        let rate: f64 = row.number("Target_RPS")?;
        let is_no_rate = || row.bad(format!("`{typed}` in the column Target_RPS is no rate"));
        let asked = Rate::per_second(rate).ok_or_else(is_no_rate)?;
        let achieved = row.number("Actual_RPS")?;
        let count = seen.entry(StepId::new(rate, 0)).or_default();
        *count += 1;
        let repetition = row.get("Repetition").and_then(|text| text.parse().ok());
        let repetition = repetition.unwrap_or(*count);
        let id = StepId::new(rate, repetition);
        // With two steps of one repetition, the pods' rows could belong to either.
        if !taken.insert(id) {
            return Err(row.bad(format!("repetition {repetition} of {typed} is there twice")));
        }
        let log = folder
            .logs
            .get(&format!("wrk_{typed}rps_rep{repetition}.log"));
        let step = StepKey {
            number: steps.len() as u32 + 1,
            arm: folder.arm.clone(),
            rate: asked,
            repetition,
        };
        let figures = StepFigures {
            achieved,
            level: None,
            stability: stability(rate, achieved, seconds),
            latency: latencies::latencies(&row, log.map(String::as_str)),
            // wrk2 counts waiting connections as timeouts, so the table's `Error_Rate(%)` is not the
            // share of requests that failed.
            error_rate: None,
            services: services.remove(&id).unwrap_or_default(),
            nodes_cpu_m: None,
        };
        steps.push(Step { key: step, figures });
    }
    Ok(steps)
}

/// Sentences about figures that the folder lacks: absent columns, steps without rows of pods, and the
/// length of a step. A reader could otherwise take the missing figures for a result.
///
/// # Errors
/// [`BadTable`] for a table that is cut short, lacks a needed column or has a step twice.
pub fn gaps(folder: &StudyFolder) -> Result<Vec<String>, BadTable> {
    let table = CsvTable::read(LATENCIES_CSV, &folder.latencies)?;
    let mut gaps = table.lacks(latencies::columns());
    if let Some(pods) = &folder.pods {
        gaps.extend(steps_without_pods(folder)?);
        let pods = CsvTable::read(PODS_CSV, pods)?;
        let is_old = pods.has_column(OLD_CPU);
        let needed = SUMMED.iter().copied();
        gaps.extend(pods.lacks(needed.filter(|name| !(is_old && *name == SUMMED[0]))));
    }
    if folder.pods.is_none() {
        gaps.push(format!(
            "there is no {PODS_CSV}: nothing is known of CPU, memory and network"
        ));
    }
    if folder.metadata.as_deref().and_then(seconds_of).is_none() {
        gaps.push(format!(
            "metadata.json does not say how long a step took: {USUAL_SECONDS} s are assumed"
        ));
    }
    Ok(gaps)
}

/// A sentence for each step for which the table of pods lacks the rows of a service of the application,
/// or has no row at all. The table was cut short between two rows, or the pods could not be read.
fn steps_without_pods(folder: &StudyFolder) -> Result<Vec<String>, BadTable> {
    let missing = |step: &Step| {
        let services = step.services.iter().filter(|one| one.has_no_figure());
        let names: Vec<&str> = services.map(|one| one.service.as_str()).collect();
        match (step.services.is_empty(), names.is_empty()) {
            (true, _) => Some("anything".to_owned()),
            (false, true) => None,
            (false, false) => Some(names.join(", ")),
        }
    };
    let steps = steps(folder)?;
    let gaps = steps.iter().filter_map(|step| {
        let StepKey {
            rate, repetition, ..
        } = &step.key;
        let what = missing(step)?;
        Some(format!(
            "{PODS_CSV} has no figures of {what} at {rate}/s, repetition {repetition}: the application has no sums there"
        ))
    });
    Ok(gaps.collect())
}

/// Keys of metadata.json that describe the load and the measurement. Two arms can be compared only
/// where these are the same.
const SHARED: [&str; 5] = [
    "duration",
    "warmup_time",
    "measure_duration",
    "warmup",
    "cache_flush",
];

/// The conditions under which the folder's steps were measured, as far as its files hold them.
///
/// # Errors
/// [`BadTable`] for a table of pods that is cut short or lacks a needed column.
pub fn conditions(folder: &StudyFolder) -> Result<Conditions, BadTable> {
    let mut conditions = Conditions::new();
    let metadata = folder.metadata.as_deref();
    let metadata = metadata.and_then(|bytes| serde_json::from_slice(bytes).ok());
    let metadata: serde_json::Value = metadata.unwrap_or_default();
    for name in SHARED {
        let value = match &metadata[name] {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let condition = Condition::of_load(name);
        conditions.entry(condition).or_default().insert(value);
    }
    for (service, count) in replicas(folder)? {
        let condition = Condition::replicas_of(&service);
        let counts = conditions.entry(condition).or_default();
        counts.insert(count.to_string());
    }
    Ok(conditions)
}

/// Each of the application's services with its number of pods, once for every step.
fn replicas(folder: &StudyFolder) -> Result<Vec<(String, usize)>, BadTable> {
    let Some(pods) = &folder.pods else {
        return Ok(Vec::new());
    };
    let mut counts: BTreeMap<[String; 3], usize> = BTreeMap::new();
    let table = CsvTable::read(PODS_CSV, pods)?;
    for row in table.rows() {
        if row.need("Category")? == "application" {
            let repetition = row.get("Repetition").unwrap_or_default();
            let key = [row.need("Service")?, row.need("RPS")?, repetition];
            *counts.entry(key.map(str::to_owned)).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    Ok(counts
        .map(|([service, ..], count)| (service, count))
        .collect())
}

/// The length of a step in seconds, from metadata.json.
fn seconds_of(metadata: &[u8]) -> Option<f64> {
    let metadata: serde_json::Value = serde_json::from_slice(metadata).ok()?;
    let length = crate::units::parse_duration(metadata["duration"].as_str()?).ok()?;
    Some(length.as_secs_f64()).filter(|seconds| *seconds > 0.0)
}

/// Whether a step held its rate. The study did not record its schedule, so the number of scheduled
/// requests is known only up to its noise: the standard deviation of a Poisson count of R x T arrivals
/// is sqrt(R x T). A shortfall counts when it exceeds 2.5 deviations, and at least 1 %.
fn stability(rate: f64, achieved: f64, seconds: f64) -> Stability {
    let allowed = (2.5 / (rate * seconds).max(1.0).sqrt()).max(0.01);
    if achieved >= rate * (1.0 - allowed) {
        return Stability::Held;
    }
    let message = format!(
        "{achieved} of {rate} requests per second were finished, {:.1} % (allowed for noise: {:.1} %)",
        achieved / rate * 100.0,
        (1.0 - allowed) * 100.0
    );
    Stability::NotHeld {
        reasons: vec![Reason {
            code: "shortfall".to_owned(),
            message,
        }],
    }
}

#[cfg(test)]
mod tests;
