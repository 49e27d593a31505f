//! Mean and standard deviation by group, in the layout of pandas: two header lines, and a third with the
//! names of the index columns. The deviation is that of a sample, so a single value has none.

use super::super::pods_csv::POD_COLUMNS;
use super::{LoadFigures, StepRows};
use crate::files::table;
use crate::measure::{Distribution, RunResult};
use std::collections::BTreeMap;

/// The columns of k8s_full_metrics.csv that are averaged.
const AVERAGED: [&str; 8] = [
    "CPU_Total(m)",
    "Memory_WorkingSet(Mi)",
    "Net_RX(KB/s)",
    "Net_TX(KB/s)",
    "Disk_Read(KB/s)",
    "Disk_Write(KB/s)",
    "System_Mem_BW",
    "System_LLC_Metric",
];

/// A rate in millionths of a request per second, as a key of a map: floats have no total order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Millionths(u64);

fn key(rate: f64) -> Millionths {
    Millionths((rate * 1e6).round() as u64)
}

fn shown(rate: &Millionths) -> String {
    (rate.0 as f64 / 1e6).to_string()
}

/// The columns [`AVERAGED`] of each row of a step's pods, with the pod's service.
pub fn pod_means(rows: &[Vec<String>]) -> Vec<(String, Vec<Option<f64>>)> {
    let place = |name: &str| POD_COLUMNS.iter().position(|column| *column == name);
    let columns: Vec<usize> = AVERAGED.iter().filter_map(|name| place(name)).collect();
    let service = place("Service").unwrap_or_default();
    let rows = rows.iter().map(|row| {
        let values = columns.iter().map(|at| row[*at].parse().ok());
        (row[service].clone(), values.collect())
    });
    rows.collect()
}

/// Writes metrics_summary.csv: groups by rate, service and arm, over pods and repetitions.
pub fn metrics_summary(steps: &[StepRows]) -> Vec<u8> {
    let mut groups: BTreeMap<_, Vec<Vec<Option<f64>>>> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.is_valid) {
        for (service, values) in &step.pod_means {
            let group = (key(step.rate), service.clone(), step.arm.clone());
            groups.entry(group).or_default().push(values.clone());
        }
    }
    let rows = groups.into_iter().map(|((rate, service, arm), rows)| {
        let index = vec![shown(&rate), service];
        (index, statistics(&rows, AVERAGED.len()), arm)
    });
    written(&["RPS", "Service"], &AVERAGED, rows)
}

const LATENCIES: [&str; 9] = [
    "Actual_RPS",
    "Mean_Latency(ms)",
    "P50_Latency(ms)",
    "P75_Latency(ms)",
    "P90_Latency(ms)",
    "P99_Latency(ms)",
    "P99.9_Latency(ms)",
    "Max_Latency(ms)",
    "Error_Rate(%)",
];

/// A step's values of the columns [`LATENCIES`]: times in milliseconds, the error rate in percent.
pub fn latency_means(result: &RunResult, figures: &LoadFigures<'_>) -> Vec<Option<f64>> {
    let latency = figures.latency.as_ref();
    let ms = |of: fn(&Distribution) -> f64| latency.map(|latency| of(latency) / 1e6);
    vec![
        Some(result.rate_achieved()),
        ms(|l| l.mean),
        ms(|l| l.p50 as f64),
        ms(|l| l.p75 as f64),
        ms(|l| l.p90 as f64),
        ms(|l| l.p99 as f64),
        ms(|l| l.p99_9 as f64),
        ms(|l| l.max as f64),
        figures.error_percent(),
    ]
}

/// Writes latency_summary.csv: groups by rate and arm, over repetitions.
pub fn latency_summary(steps: &[StepRows]) -> Vec<u8> {
    let mut groups: BTreeMap<_, Vec<Vec<Option<f64>>>> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.is_valid) {
        let group = (key(step.rate), step.arm.clone());
        let values = step.latency_means.clone();
        groups.entry(group).or_default().push(values);
    }
    let rows = groups.into_iter().map(|((rate, arm), rows)| {
        let index = vec![shown(&rate)];
        (index, statistics(&rows, LATENCIES.len()), arm)
    });
    written(&["Target_RPS"], &LATENCIES, rows)
}

/// The cells of a group: mean and deviation of each column, over the rows that have a value.
fn statistics(rows: &[Vec<Option<f64>>], columns: usize) -> Vec<String> {
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.6}"));
    (0..columns)
        .flat_map(|column| {
            let values: Vec<f64> = rows.iter().filter_map(|row| row[column]).collect();
            let count = values.len() as f64;
            let mean = (count > 0.0).then(|| values.iter().sum::<f64>() / count);
            let squares = mean.map(|mean| {
                let squares = values.iter().map(|value| (value - mean).powi(2));
                squares.sum::<f64>()
            });
            let deviation = squares.filter(|_| count > 1.0);
            [
                cell(mean),
                cell(deviation.map(|sum| (sum / (count - 1.0)).sqrt())),
            ]
        })
        .collect()
}

fn written(
    index: &[&str],
    columns: &[&str],
    rows: impl Iterator<Item = (Vec<String>, Vec<String>, String)>,
) -> Vec<u8> {
    let line = |index: Vec<&str>, cells: Vec<&str>, last: &str| {
        let cells = index.into_iter().chain(cells).chain([last]);
        cells.map(str::to_owned).collect::<Vec<String>>()
    };
    let blank = vec![""; index.len()];
    let twice = columns.iter().flat_map(|column| [*column, *column]);
    let kinds = columns.iter().flat_map(|_| ["mean", "std"]);
    let header = [
        line(blank.clone(), twice.collect(), "Arm"),
        line(blank, kinds.collect(), ""),
        line(index.to_vec(), vec![""; columns.len() * 2], ""),
    ];
    let rows = rows.map(|(mut row, cells, arm)| {
        row.extend(cells);
        row.push(arm);
        row
    });
    table(&[], header.into_iter().chain(rows))
}
