//! The study's tables hold the study's columns, and are read back as they were meant.

use super::*;
use crate::measure::{Distribution, RunResult, Tally, sample};
use crate::resources::{PodUse, Resources};
use crate::spec::{Offered, StepLabel};
use crate::units::{Rate, show_time_us};
use serde_json::json;
use std::collections::BTreeMap;

fn step(result: RunResult, arm: &str, rate: f64, repetition: u32, number: u32) -> JudgedRun {
    let mut result = result;
    result.spec.step = Some(StepLabel {
        number,
        arm: arm.to_owned(),
        repetition,
    });
    result.spec.load.offered = Offered::Rate(Rate::per_second(rate).expect("a rate"));
    JudgedRun::judge(result)
}

/// Two pods of one service and one of another, of which one figure is missing.
fn resources() -> Resources {
    let figure = |quantity: &str, unit: &str, value: Option<f64>| {
        let quality = match value {
            Some(_) => json!("good"),
            None => json!({ "missing": "no source" }),
        };
        json!({ "quantity": quantity, "unit": unit, "value": value, "coverage": 1.0, "quality": quality })
    };
    let pod = |name: &str, service: &str, cpu: Option<f64>| {
        json!({
            "uid": name, "node": "n", "namespace": "default", "pod": name, "service": service,
            "category": "application", "presence": 1.0, "figures": [figure("network_rx", "B/s", Some(2048.0))],
            "containers": [{ "name": "app", "role": "app", "figures": [figure("cpu", "m", cpu)] }],
        })
    };
    let none: [u8; 0] = [];
    let collector = json!({ "cpu_seconds": 0.0, "seconds": 1.0, "calls": 1, "failed": 0, "bytes": 1, "call_p50_ms": 1.0, "call_max_ms": 1.0 });
    let value = json!({
        "spans": { "load_start": 0, "window_start": 1_000_000_000u64, "window_end": 2_000_000_000u64, "load_end": 3_000_000_000u64 },
        "topology": { "scope": { "application": ["default"], "all_namespaces": false, "ambient": none }, "nodes": {}, "pods": {} },
        "clocks": none, "sources": {}, "categories": none, "gaps": none, "notes": none, "collector": collector,
        "pods": [pod("a", "search", Some(100.0)), pod("b", "search", Some(300.0)), pod("c", "geo", None)],
    });
    serde_json::from_value(value).expect("resources")
}

fn two_arms() -> Vec<JudgedRun> {
    let plain = || {
        let mut result = sample::ordinary().result;
        result.resources = Some(resources());
        result
    };
    vec![
        step(plain(), "baseline", 200.0, 1, 1),
        step(plain(), "istio", 200.0, 1, 2),
        step(plain(), "baseline", 200.0, 2, 3),
        step(sample::empty().result, "istio", 200.0, 2, 4),
    ]
}

fn tables(steps: &[JudgedRun]) -> BTreeMap<&'static str, String> {
    let mut tables = SweepTables::default();
    // In whatever order steps are found, the tables have the plan's.
    steps.iter().rev().for_each(|step| tables.add(step));
    tables
        .files(&StudyMetadata::default())
        .into_iter()
        .map(|(name, bytes)| (name, String::from_utf8(bytes).expect("text")))
        .collect()
}

fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

/// The lines of a table of means as pandas reads them: three of header, then index and cells.
fn grouped(table: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table.as_bytes());
    let records = reader.records().map(|record| record.expect("a row"));
    let mut lines: Vec<Vec<String>> = records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect();
    let body = lines.split_off(3);
    (lines, body)
}

#[test]
fn latencies_have_a_row_per_step_with_times_as_the_study_wrote_them() {
    let tables = tables(&two_arms());
    let rows = rows(&tables["latency_stats.csv"]);
    assert_eq!(rows.len(), 4);
    for (row, (arm, repetition)) in rows.iter().zip([
        ("baseline", "1"),
        ("istio", "1"),
        ("baseline", "2"),
        ("istio", "2"),
    ]) {
        assert_eq!(
            (row["Arm"].as_str(), row["Repetition"].as_str()),
            (arm, repetition)
        );
        assert_eq!(row["Target_RPS"], "200");
    }
    assert!(rows[0]["P99_Latency"].ends_with('s'));
    // Nothing was measured: no time, which is not a time of 0.
    assert_eq!(rows[3]["P99_Latency"], "N/A");
    assert_eq!(rows[3]["Stability"], "unknown");
    let ordinary = sample::ordinary().result;
    let p50 = Distribution::of(&ordinary.overall().response_times(true))
        .expect("figures")
        .p50;
    assert_eq!(rows[0]["P50_Latency"], show_time_us(p50 as f64 / 1e3));
}

#[test]
fn pods_have_a_row_per_step_with_arm_and_repetition() {
    let tables = tables(&two_arms());
    let rows = rows(&tables["k8s_full_metrics.csv"]);
    let pods = resources().pods.len();
    assert_eq!(rows.len(), 3 * pods);
    assert!(rows.iter().all(|row| row["RPS"] == "200"));
    let of = |arm: &str| rows.iter().filter(|row| row["Arm"] == arm).count();
    assert_eq!((of("baseline"), of("istio")), (2 * pods, pods));
}

#[test]
fn means_are_over_repetitions_and_one_value_has_no_deviation() {
    let tables = tables(&two_arms());
    let (header, body) = grouped(&tables["metrics_summary.csv"]);
    assert_eq!(header[0][2..4], ["CPU_Total(m)", "CPU_Total(m)"]);
    assert_eq!(header[1][2..4], ["mean", "std"]);
    assert_eq!(header[2][..2], ["RPS", "Service"]);
    let cells = |service: &str, arm: &str| {
        let mut body = body.iter();
        let row = body.find(|row| row[1] == service && row.last().is_some_and(|one| one == arm));
        let row = row.expect("a group");
        [row[2].parse::<f64>().ok(), row[3].parse::<f64>().ok()]
    };
    // 100, 300, 100, 300: their deviation as a sample is sqrt(40000 / 3).
    let [mean, deviation] = cells("search", "baseline");
    assert_eq!(mean, Some(200.0));
    assert!((deviation.expect("two repetitions") - 115.470_054).abs() < 1e-3);
    // What is missing is in no mean.
    assert_eq!(cells("geo", "baseline"), [None, None]);
    let (header, body) = grouped(&tables["latency_summary.csv"]);
    assert_eq!(header[2][0], "Target_RPS");
    assert_eq!(body.len(), 2);
    // The deviation is that of a sample: of two equal values 0, of one none.
    assert_eq!(body[0][4].parse::<f64>(), Ok(0.0));
    assert_eq!(body[1][4], "");
}

#[test]
fn the_tidy_table_has_every_figure_of_load_and_pods() {
    let steps = two_arms();
    let tables = tables(&steps);
    let rows = rows(&tables["tidy.csv"]);
    let value = |step: &str, quantity: &str| {
        let mut rows = rows.iter();
        let found = rows.find(|row| row["step"] == step && row["quantity"] == quantity);
        found.map(|row| row["value"].clone())
    };
    let tally = steps[0].result.overall();
    for (field, count) in Tally::COUNTERS.iter().zip(tally.counters()) {
        assert_eq!(value("1", field.name), Some(count.to_string()));
    }
    let percentiles = tally.latency_percentiles();
    let p99 = percentiles
        .iter()
        .find(|one| one.name == "p99")
        .expect("p99");
    assert_eq!(value("1", "latency_p99"), Some(p99.value.to_string()));
    // Missing is an empty cell with its reason, never 0.
    assert_eq!(value("4", "latency_mean"), Some(String::new()));
    let resources = resources();
    let figures = resources.pods.iter().flat_map(PodUse::all_figures).count();
    let of_pods = rows
        .iter()
        .filter(|row| row["step"] == "1" && !["load", "sum"].contains(&row["role"].as_str()));
    assert_eq!(of_pods.count(), figures);
}
