//! tidy.csv: one row per step and figure, whatever it is a figure of.

use super::super::csv_rows::table;
use super::SweepStep;
use crate::measure::Tally;
use crate::resources::{Figure, PodUse, Resources};
use crate::units::Nanos;

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

/// A row per step and figure: those of the load, then those of each pod and container.
pub fn tidy(steps: &[SweepStep<'_>]) -> Vec<u8> {
    table(&COLUMNS, steps.iter().flat_map(rows))
}

fn rows(step: &SweepStep<'_>) -> Vec<Vec<String>> {
    let start = step.result.start_unix + step.result.window.start;
    let label = step.result.spec.step.as_ref();
    let head = [
        label.map_or(String::new(), |label| label.number.to_string()),
        step.arm().to_owned(),
        step.rate().map_or(String::new(), |rate| rate.to_string()),
        label.map_or(String::new(), |label| label.repetition.to_string()),
        seconds(start),
        step.verdict.level.name().to_owned(),
        step.stability.name().to_owned(),
    ];
    let mut rows = Vec::new();
    let mut add = |names: [&str; 5], figure: [String; 5]| {
        let names = names.map(str::to_owned);
        rows.push(head.iter().cloned().chain(names).chain(figure).collect());
    };
    for figure in of_load(step) {
        add(["", "", "", "", "load"], figure);
    }
    if let Some(resources) = &step.result.resources {
        of_pods(resources, &mut add);
    }
    rows
}

fn seconds(at: Nanos) -> String {
    format!("{:.3}", at.as_secs_f64())
}

fn of_load(step: &SweepStep<'_>) -> Vec<[String; 5]> {
    let result = step.result;
    let tally = result.overall();
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
    let mut figures = vec![
        figure(
            "rate_achieved",
            format!("{:.3}", step.result.rate_achieved()),
            "1/s",
        ),
        figure("bad_status", tally.status.bad().to_string(), "count"),
        figure("timeouts", tally.errors.timeout.to_string(), "count"),
        figure("cpu", format!("{:.6}", result.generator.cpu_seconds), "s"),
    ];
    for (field, count) in Tally::COUNTERS.iter().zip(tally.counters()) {
        figures.push(figure(field.name, count.to_string(), field.unit));
    }
    let mean = step.latency();
    let mean = mean.map_or(String::new(), |latency| format!("{:.0}", latency.mean));
    figures.push(figure("latency_mean", mean, "ns"));
    for percentile in tally.latency_percentiles() {
        let mut row = figure(
            &format!("latency_{}", percentile.name),
            percentile.value.to_string(),
            "ns",
        );
        if percentile.is_lower_bound {
            row[4] = "lower_bound".to_owned();
        }
        figures.push(row);
    }
    figures
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

fn names<'a>(pod: &'a PodUse, container: &'a str, role: &'a str) -> [&'a str; 5] {
    [&pod.namespace, &pod.service, &pod.pod, container, role]
}

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
