//! tidy.csv: one row per step and figure of the load, of a part, of a pod or of a container.

use super::csv_table::table;
use crate::measure::{Distribution, RunResult, Tally};
use crate::resources::{Figure, Part, PodUse, Quantity, Resources};
use crate::units::Nanos;
use crate::verdict::JudgedRun;
use std::collections::BTreeMap;

const COLUMNS: [&str; 17] = [
    "step",
    "arm",
    "rate",
    "repetition",
    "window_start_unix_s",
    "verdict",
    "stability",
    "namespace",
    "service",
    "pod",
    "container",
    "role",
    "quantity",
    "value",
    "unit",
    "source",
    "quality",
];

/// The table over all steps of a sweep. Only the rows of a step are kept, because a run with its
/// histograms takes megabytes.
#[derive(Debug, Default)]
pub struct TidyTable {
    /// The rows of each step as CSV, by the step's number.
    steps: BTreeMap<u32, Vec<u8>>,
}

impl TidyTable {
    /// Adds a step. The run's spec holds its number, arm and repetition.
    pub fn add(&mut self, run: &JudgedRun) {
        let label = run.result.spec.step.as_ref();
        let number = label.map_or(0, |label| label.number);
        let rows = table(&[], rows(run).into_iter());
        self.steps.insert(number, rows);
    }

    /// The table of all steps that were added.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = table(&COLUMNS, std::iter::empty());
        self.steps.values().for_each(|rows| bytes.extend(rows));
        bytes
    }
}

/// The rows of a step: figures of the load (role `load`), the CPU of each part (role `sum`), and figures
/// of each pod and container.
fn rows(run: &JudgedRun) -> Vec<Vec<String>> {
    let result = &run.result;
    let start = result.start_unix + result.window.start;
    let label = result.spec.step.as_ref();
    let rate = result.spec.fixed_rate();
    let head = [
        label.map_or(String::new(), |label| label.number.to_string()),
        label.map_or(String::new(), |label| label.arm.clone()),
        rate.map_or(String::new(), |rate| rate.to_string()),
        label.map_or(String::new(), |label| label.repetition.to_string()),
        seconds(start),
        run.verdict.level.name().to_owned(),
        run.stability.name().to_owned(),
    ];
    let mut rows = Vec::new();
    let mut add = |names: [&str; 5], figure: [String; 5]| {
        let names = names.map(str::to_owned);
        rows.push(head.iter().cloned().chain(names).chain(figure).collect());
    };
    for figure in of_load(result) {
        add(["", "", "", "", "load"], figure);
    }
    if let Some(resources) = &result.resources {
        for part in Part::ALL {
            add(["", "", "", "", "sum"], of_part(resources, part));
        }
        of_pods(resources, &mut add);
    }
    rows
}

fn seconds(at: Nanos) -> String {
    format!("{:.3}", at.as_secs_f64())
}

/// Quantity, value, unit, source and quality of each figure of the load.
fn of_load(result: &RunResult) -> Vec<[String; 5]> {
    let tally = result.overall();
    let latency = Distribution::of(&tally.response_times(result.is_open_loop()));
    let figure = |name: &str, value: String, unit: &str| {
        let quality = if value.is_empty() { "missing" } else { "good" };
        [
            name.to_owned(),
            value,
            unit.to_owned(),
            "generator".to_owned(),
            quality.to_owned(),
        ]
    };
    let mut rows = vec![
        figure(
            "rate_achieved",
            format!("{:.3}", result.rate_achieved()),
            "1/s",
        ),
        figure("bad_status", tally.status.bad().to_string(), "count"),
        figure("timeouts", tally.errors.timeout.to_string(), "count"),
        figure("cpu", format!("{:.6}", result.generator.cpu_seconds), "s"),
    ];
    for (field, count) in Tally::COUNTERS.iter().zip(tally.counters()) {
        rows.push(figure(field.name, count.to_string(), field.unit));
    }
    let mean = latency.as_ref();
    let mean = mean.map_or(String::new(), |latency| format!("{:.0}", latency.mean));
    rows.push(figure("latency_mean", mean, "ns"));
    for percentile in tally.latency_percentiles() {
        let mut row = figure(
            &format!("latency_{}", percentile.name),
            percentile.value.to_string(),
            "ns",
        );
        if percentile.is_lower_bound {
            row[4] = "lower_bound".to_owned();
        }
        rows.push(row);
    }
    rows
}

/// The CPU of a part over all pods, in millicores; the reason stands in the quality where it is missing.
fn of_part(resources: &Resources, part: Part) -> [String; 5] {
    let used = resources.used(part, None, Quantity::Cpu);
    let quality = match &used {
        Ok(_) => "good".to_owned(),
        Err(why) => format!("missing: {why}"),
    };
    [
        format!("cpu_{}", part.name()),
        used.map_or(String::new(), |value| format!("{value:.6}")),
        Quantity::Cpu.unit().name().to_owned(),
        String::new(),
        quality,
    ]
}

fn of_pods(resources: &Resources, add: &mut impl FnMut([&str; 5], [String; 5])) {
    for pod in &resources.pods {
        for container in &pod.containers {
            let role = container.role.name();
            for figure in &container.figures {
                add(names(pod, &container.name, role), cells(figure));
            }
        }
        for figure in &pod.figures {
            add(names(pod, "", ""), cells(figure));
        }
    }
}

/// Namespace, service, pod, container and role of a row.
fn names<'a>(pod: &'a PodUse, container: &'a str, role: &'a str) -> [&'a str; 5] {
    [&pod.namespace, &pod.service, &pod.pod, container, role]
}

/// Quantity, value, unit, source and quality of a figure.
fn cells(figure: &Figure) -> [String; 5] {
    let value = figure.value;
    [
        figure.quantity.name().to_owned(),
        value.map_or(String::new(), |value| format!("{value:.6}")),
        figure.unit.name().to_owned(),
        figure
            .source
            .map_or(String::new(), |source| source.name().to_owned()),
        figure.quality.text(),
    ]
}
