//! Folders of the study that came before: its CSV files of both generations and its wrk logs ->
//! figures of steps. What such a folder cannot say stays missing.

use super::file_names::{LATENCIES_CSV, PODS_CSV};
use crate::compare::{
    Condition, Conditions, Latency, Saturation, ServiceFigures, Step, StepFigures,
};
use crate::files::{BadTable, CsvRow, CsvTable, finite};
use crate::resources::{Category, NotKnown, Part, sum_of};
use crate::spec::StepKey;
use crate::units::Rate;
use crate::verdict::{Reason, Stability};
use std::collections::{BTreeMap, BTreeSet};

/// The texts of a study's folder.
#[derive(Debug, Clone, Default)]
pub struct StudyFolder {
    /// What its steps are called, such as `no_istio`.
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

/// The study's runs took so long where metadata.json does not say.
const USUAL_SECONDS: f64 = 90.0;

/// Its steps.
///
/// # Errors
/// [`BadTable`] for a table that is cut short, or lacks a column that is needed.
pub fn study_steps(folder: &StudyFolder) -> Result<Vec<Step>, BadTable> {
    let seconds = folder.metadata.as_deref().and_then(seconds_of);
    let seconds = seconds.unwrap_or(USUAL_SECONDS);
    let mut services = match &folder.pods {
        Some(pods) => services(pods)?,
        None => BTreeMap::new(),
    };
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    let table = CsvTable::read(LATENCIES_CSV, &folder.latencies)?;
    let mut steps = Vec::new();
    for row in table.rows() {
        let typed = row.need("Target_RPS")?;
        let rate: f64 = row.number("Target_RPS")?;
        let is_no_rate = || row.bad(format!("`{typed}` in the column Target_RPS is no rate"));
        let asked = Rate::per_second(rate).ok_or_else(is_no_rate)?;
        let achieved = row.number("Actual_RPS")?;
        let count = seen.entry(key(rate, 0).0).or_default();
        *count += 1;
        let repetition = row.get("Repetition").and_then(|text| text.parse().ok());
        let repetition = repetition.unwrap_or(*count);
        // Which of them the pods' rows, or another arm's step, belong to could not be told.
        if !taken.insert(key(rate, repetition)) {
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
            latency: latencies(&row, log.map(String::as_str)),
            // wrk2 counts connections that wait as timeouts, so the table's rate is not one of errors.
            error_rate: None,
            services: services.remove(&key(rate, repetition)).unwrap_or_default(),
            nodes_cpu_m: None,
        };
        steps.push(Step { key: step, figures });
    }
    Ok(steps)
}

fn key(rate: f64, repetition: u32) -> (u64, u32) {
    ((rate * 1e6).round() as u64, repetition)
}

/// What such a folder leaves open without a word: columns that are looked for and are not there, and
/// how long a step took.
///
/// # Errors
/// [`BadTable`]
pub fn study_gaps(folder: &StudyFolder) -> Result<Vec<String>, BadTable> {
    let latencies = CsvTable::read(LATENCIES_CSV, &folder.latencies)?;
    let mut gaps = latencies.lacks(LATENCIES.iter().map(|(_, column, _)| *column));
    if let Some(pods) = &folder.pods {
        gaps.extend(rows_missing(folder)?);
        let pods = CsvTable::read(PODS_CSV, pods)?;
        let is_old = pods.has_column(OLD_CPU);
        let needed = STUDY_SUMMED.iter().copied();
        gaps.extend(pods.lacks(needed.filter(|name| !(is_old && *name == STUDY_SUMMED[0]))));
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

/// Steps of which the table of pods has no row, or none of some of the application's services: it was
/// cut short between two rows, or the pods could not be looked at.
fn rows_missing(folder: &StudyFolder) -> Result<Vec<String>, BadTable> {
    let missing = |step: &Step| {
        let services = step.services.iter().filter(|one| one.has_no_figure());
        let names: Vec<&str> = services.map(|one| one.service.as_str()).collect();
        match (step.services.is_empty(), names.is_empty()) {
            (true, _) => Some("anything".to_owned()),
            (false, true) => None,
            (false, false) => Some(names.join(", ")),
        }
    };
    let steps = study_steps(folder)?;
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

/// What metadata.json says of the load and of how it was measured: two arms should have it in common.
const SHARED: [&str; 5] = [
    "duration",
    "warmup_time",
    "measure_duration",
    "warmup",
    "cache_flush",
];

/// The circumstances of such a folder's steps, as far as it tells them.
///
/// # Errors
/// [`BadTable`]
pub fn study_conditions(folder: &StudyFolder) -> Result<Conditions, BadTable> {
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

/// The application's services with their number of pods, step by step.
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

fn seconds_of(metadata: &[u8]) -> Option<f64> {
    let metadata: serde_json::Value = serde_json::from_slice(metadata).ok()?;
    let length = crate::units::parse_duration(metadata["duration"].as_str()?).ok()?;
    Some(length.as_secs_f64()).filter(|seconds| *seconds > 0.0)
}

/// The schedule was not recorded, so the arrivals' own noise is allowed for: that of a Poisson
/// process of R x T arrivals, two and a half deviations.
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

/// Columns and wrk's percentiles by the names that ours have. `Max_Latency` is left out: in these
/// folders it holds the 99th percentile.
const LATENCIES: [(&str, &str, &str); 6] = [
    ("mean", "Mean_Latency", ""),
    ("p50", "P50_Latency", "50.000%"),
    ("p75", "P75_Latency", "75.000%"),
    ("p90", "P90_Latency", "90.000%"),
    ("p99", "P99_Latency", "99.000%"),
    ("p99.9", "P99.9_Latency", "99.900%"),
];

fn latencies(row: &CsvRow<'_>, log: Option<&str>) -> BTreeMap<String, Latency> {
    let total = row.get("Total_Requests").and_then(finite);
    let found = LATENCIES.iter().filter_map(|(name, column, percent)| {
        let in_table = row.get(column).and_then(wrk_time);
        // The study's parser did not know minutes, so its worst steps are N/A; the log has them.
        let in_log = || log.and_then(|log| log_percentile(log, percent));
        let latency = Latency {
            ns: in_table.or_else(in_log)?,
            is_lower_bound: false,
            beyond: total.and_then(|total| beyond(total, percent)),
        };
        Some(((*name).to_owned(), latency))
    });
    found.collect()
}

/// How many of so many requests lie beyond a percentile.
fn beyond(total: f64, percent: &str) -> Option<u64> {
    let percent: f64 = percent.strip_suffix('%')?.parse().ok()?;
    let up_to = (total * percent / 100.0).ceil();
    Some((total - up_to).max(0.0) as u64)
}

fn log_percentile(log: &str, percent: &str) -> Option<f64> {
    if percent.is_empty() {
        return None;
    }
    let mut lines = log.lines().map(str::trim);
    let rest = lines.find_map(|line| line.strip_prefix(percent))?;
    wrk_time(rest.trim())
}

/// A number; not `NaN`, which pandas may write for a cell that is missing, nor `inf`.
/// A time as wrk writes it: `384.26ms`, `1.40s`, `2.50m`, `1.10h`; in nanoseconds.
fn wrk_time(typed: &str) -> Option<f64> {
    let letters = typed.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = typed.split_at(letters);
    let scale = match unit {
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    };
    Some(finite(number)? * scale).filter(|time| time.is_finite())
}

/// What the pods of each service used, by rate and repetition.
#[allow(clippy::type_complexity)] // a map of lists, made and taken apart in this file
fn services(bytes: &[u8]) -> Result<BTreeMap<(u64, u32), Vec<ServiceFigures>>, BadTable> {
    let table = CsvTable::read(PODS_CSV, bytes)?;
    let mut found: BTreeMap<(u64, u32), Vec<ServiceFigures>> = BTreeMap::new();
    for row in table.rows() {
        let repetition = row.get("Repetition").and_then(|text| text.parse().ok());
        let step = key(row.number("RPS")?, repetition.unwrap_or(1));
        let pod = pod(&row)?;
        let services = found.entry(step).or_default();
        let same = services.iter_mut().find(|one| {
            one.service == pod.service
                && one.namespace == pod.namespace
                && one.category == pod.category
        });
        match same {
            Some(service) => add(service, &pod),
            None => services.push(pod),
        }
    }
    leave_open(&mut found);
    Ok(found)
}

/// A service of the application that has no row in a step, and has some in others, was not measured
/// there: sums without it would be too small.
fn leave_open(steps: &mut BTreeMap<(u64, u32), Vec<ServiceFigures>>) {
    let ours = |one: &&ServiceFigures| one.category == Category::Application;
    let name = |one: &ServiceFigures| (one.namespace.clone(), one.service.clone());
    let all = steps.values().flatten().filter(ours).map(name);
    let all: BTreeSet<(String, String)> = all.collect();
    for services in steps.values_mut() {
        let here: BTreeSet<_> = services.iter().filter(ours).map(name).collect();
        let missing = all.difference(&here).cloned();
        services.extend(missing.map(|(namespace, service)| ServiceFigures {
            category: Category::Application,
            cpu_m: cpu_by_part(None, None, not_in_table(&service)),
            namespace,
            service,
            memory_bytes: None,
            network_rx_bytes_per_s: None,
            network_tx_bytes_per_s: None,
            has_own_network: true,
            saturation: Saturation::default(),
        }));
    }
}

fn not_in_table(service: &str) -> NotKnown {
    NotKnown::NotInTable {
        of: service.to_owned(),
    }
}

fn cpu_by_part(
    total: Option<f64>,
    sidecar: Option<f64>,
    why: NotKnown,
) -> BTreeMap<Part, Result<f64, NotKnown>> {
    let app = total.zip(sidecar).map(|(total, sidecar)| total - sidecar);
    let total = app.and(total);
    let parts = [
        (Part::App, app),
        (Part::Sidecar, sidecar),
        (Part::Total, total),
    ];
    parts
        .map(|(part, used)| (part, used.ok_or_else(|| why.clone())))
        .into()
}

fn pod(row: &CsvRow<'_>) -> Result<ServiceFigures, BadTable> {
    const KIB: f64 = 1024.0;
    let number = |name: &str| row.get(name).and_then(finite);
    let total = number("CPU_Total(m)").or_else(|| number(OLD_CPU));
    let sidecar = number("CPU_Sidecar(m)").or(total.map(|_| 0.0));
    let network = [number("Net_RX(KB/s)"), number("Net_TX(KB/s)")];
    // A command that failed was written as 0 both ways, which no pod that serves has.
    let network = match network {
        [Some(0.0), Some(0.0)] => [None, None],
        both => both,
    };
    let category = Category::from(row.need("Category")?.to_owned());
    let service = row.need("Service")?.to_owned();
    let why = not_in_table(&service);
    let cpu_m = match category {
        // The study counts a gateway's only container as a sidecar.
        Category::IstioControlPlane => {
            let part = Part::of_mesh_service(&service);
            let total = total.ok_or(why);
            BTreeMap::from([(part, total.clone()), (Part::Total, total)])
        }
        _ => cpu_by_part(total, sidecar, why),
    };
    Ok(ServiceFigures {
        category,
        namespace: row.need("Namespace")?.to_owned(),
        service,
        cpu_m,
        memory_bytes: number("Memory_WorkingSet(Mi)").map(|mib| mib * KIB * KIB),
        network_rx_bytes_per_s: network[0].map(|kib| kib * KIB),
        network_tx_bytes_per_s: network[1].map(|kib| kib * KIB),
        has_own_network: true,
        saturation: Saturation::default(),
    })
}

fn add(service: &mut ServiceFigures, pod: &ServiceFigures) {
    let sum = |one: &mut Option<f64>, other: Option<f64>| {
        *one = one.zip(other).map(|(one, other)| one + other);
    };
    for (part, used) in &mut service.cpu_m {
        let sum = sum_of([used.as_ref().copied(), pod.cpu(*part)]);
        *used = sum.map_err(NotKnown::clone);
    }
    sum(&mut service.memory_bytes, pod.memory_bytes);
    sum(
        &mut service.network_rx_bytes_per_s,
        pod.network_rx_bytes_per_s,
    );
    sum(
        &mut service.network_tx_bytes_per_s,
        pod.network_tx_bytes_per_s,
    );
}

/// The study's own sums: CPU_Total(m), Memory_WorkingSet(Mi), Net_RX(KB/s) and Net_TX(KB/s) of the
/// rows of the application, by arm and rate, the mean over repetitions. An empty cell adds nothing,
/// as in the study; a column that is not there, or has no number at all, has no sum.
pub type StudySums = BTreeMap<(String, u64), Sums>;

type Sums = [Option<f64>; 4];

/// The columns of [`StudySums`].
pub const STUDY_SUMMED: [&str; 4] = [
    "CPU_Total(m)",
    "Memory_WorkingSet(Mi)",
    "Net_RX(KB/s)",
    "Net_TX(KB/s)",
];

/// The first generation has one column of CPU.
const OLD_CPU: &str = "CPU(m)";

/// The sums of a k8s_full_metrics.csv; rates in millionths per second.
///
/// # Errors
/// [`BadTable`]
pub fn study_sums(bytes: &[u8]) -> Result<StudySums, BadTable> {
    let table = CsvTable::read(PODS_CSV, bytes)?;
    let mut sums: BTreeMap<(String, u64), BTreeMap<u32, Sums>> = BTreeMap::new();
    for row in table.rows() {
        if row.need("Category")? != "application" {
            continue;
        }
        let repetition = row.get("Repetition").and_then(|text| text.parse().ok());
        let (rate, repetition) = key(row.number("RPS")?, repetition.unwrap_or(1));
        let arm = row.get("Arm").unwrap_or_default().to_owned();
        let sums = sums.entry((arm, rate)).or_default();
        let sums = sums.entry(repetition).or_default();
        for (sum, name) in sums.iter_mut().zip(STUDY_SUMMED) {
            let old = if name == STUDY_SUMMED[0] {
                OLD_CPU
            } else {
                name
            };
            let cell = row.get(name).or_else(|| row.get(old));
            if let Some(number) = cell.and_then(finite) {
                *sum = Some(sum.unwrap_or_default() + number);
            }
        }
    }
    let mean = |by_repetition: BTreeMap<u32, Sums>| {
        std::array::from_fn(|at| {
            let sums: Vec<f64> = by_repetition.values().filter_map(|sums| sums[at]).collect();
            (!sums.is_empty()).then(|| sums.iter().sum::<f64>() / sums.len() as f64)
        })
    };
    Ok(sums
        .into_iter()
        .map(|(at, sums)| (at, mean(sums)))
        .collect())
}

#[cfg(test)]
mod tests;
