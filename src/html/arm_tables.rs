//! Tables of arms over rates, on the pages of sweeps, of folders of the study and of comparisons.

use super::arm_charts::few;
use super::table::{Cell, Table};
use crate::compare::{ArmSteps, Capacity, Condition, Metric, Step, Steps, condition_text, costs};
use crate::statistics::{Estimate, mean_over_blocks};
use crate::text::estimate_text;
use crate::units::Rate;
use std::collections::{BTreeMap, BTreeSet};

/// A row per arm and rate, with verdicts, stability and the main figures.
pub fn steps_table(arms: &[ArmSteps]) -> Table {
    let mut table = Table::new(
        "Steps",
        "Means over repetitions with their interval or range. INVALID steps are in no mean. * has fewer than 10 samples beyond it, or is a lower bound, in some step.",
        &[
            "arm",
            "rate/s",
            "runs",
            "verdicts",
            "held",
            "achieved/s",
            "p50",
            "p99",
            "p99.9",
            "errors",
            "why not",
        ],
    );
    for arm in arms {
        for rate in arm.set().rates() {
            table.rows.push(step_row(arm, rate));
        }
    }
    table
}

fn step_row(arm: &ArmSteps, rate: Rate) -> Vec<Cell> {
    let all = arm.set();
    let steps = all.at(rate);
    let valid = steps.valid();
    let mean = |of: &dyn Fn(&Step) -> Option<f64>, show: &dyn Fn(f64) -> String| {
        let Some(estimate) = mean_over_blocks(&valid.values(of)) else {
            return Cell::from("-");
        };
        Cell::number(estimate.value, estimate_text(&estimate, show))
    };
    let metric = |metric: Metric| {
        let mut cell = mean(&|step| metric.of(step), &|value| metric.unit().show(value));
        cell.text += few(&valid, metric);
        cell
    };
    let count = |count: usize, text: String| Cell::number(count as f64, text);
    let held = steps.held().len();
    vec![
        arm.name.as_str().into(),
        Cell::number(rate.as_f64(), rate.to_string()),
        count(steps.len(), steps.len().to_string()),
        levels(&steps).into(),
        count(held, format!("{held} of {}", steps.len())),
        mean(&|step| Some(step.achieved), &|value| format!("{value:.1}")),
        metric(Metric::P50),
        metric(Metric::P99),
        metric(Metric::P99_9),
        metric(Metric::ErrorRate),
        steps.why_not_held().unwrap_or_default().into(),
    ]
}

/// The verdicts of steps with their counts, such as `2 VALID, 1 SUSPECT`.
fn levels(steps: &Steps<'_>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for level in steps.iter().filter_map(|step| step.level) {
        *counts.entry(level.name()).or_default() += 1;
    }
    if counts.is_empty() {
        return "-".to_owned();
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(level, count)| format!("{count} {level}"))
        .collect();
    counts.join(", ")
}

/// The capacity of each arm, measured and predicted from CPU limits.
pub fn capacity_table(arms: &[ArmSteps]) -> Table {
    let mut table = Table::new(
        "Capacity",
        "Knee: the rate with the largest power, requests finished per second over their mean latency (Kleinrock 1979). By limits: (limit - idle) / CPU per request of the part that reaches its limit first, from steps that were held.",
        &[
            "arm",
            "held to",
            "not held from",
            "finished when offered more",
            "knee",
            "by limits",
            "bottleneck",
        ],
    );
    let rate = |rate: Option<f64>| Cell::maybe(rate, |rate| format!("{rate}/s"));
    for arm in arms {
        let found = arm.capacity();
        let plateau = found.plateau.map(|plateau| {
            let text = estimate_text(&plateau, &|value| format!("{value:.1}/s"));
            Cell::number(plateau.value, text)
        });
        let knee = found.knee.map(|knee| {
            let or = match (knee.is_first, knee.is_last) {
                (true, _) => " or below",
                (_, true) => " or beyond",
                _ => "",
            };
            Cell::number(knee.rate, format!("{}/s{or}", knee.rate))
        });
        let predicted = found.predicted.as_ref();
        table.rows.push(vec![
            arm.name.as_str().into(),
            rate(found.held),
            rate(found.not_held),
            plateau.unwrap_or("-".into()),
            knee.unwrap_or("-".into()),
            Cell::maybe(predicted.map(|one| one.rate), |rate| format!("{rate:.0}/s")),
            bottleneck(&found).into(),
        ]);
    }
    table
}

fn bottleneck(capacity: &Capacity) -> String {
    let Some(predicted) = &capacity.predicted else {
        return "CPU limits and nodes are unknown, or fewer than two rates were held".to_owned();
    };
    let who = match &predicted.service {
        Some(service) => format!("{service} ({})", predicted.part.name()),
        None => "the nodes' cores".to_owned(),
    };
    let mut text = format!(
        "{who}: {:.0}m, {:.3}ms per request, {:.0}m idle",
        predicted.limit_m, predicted.per_request_ms, predicted.idle_m
    );
    if let Some(throttled) = predicted.throttled {
        text += &format!(
            "; throttled in up to {:.1}% of its periods",
            throttled * 100.0
        );
    }
    if let Some(plateau) = &capacity.plateau {
        text += &format!("; observed {:.0}/s", plateau.value);
    }
    text
}

/// The CPU cost of a request by service and part, with the idle use.
pub fn costs_table(arms: &[ArmSteps]) -> Table {
    let mut table = Table::new(
        "What a request costs",
        "A straight line of CPU against requests finished per second, over steps that were held, one per repetition: its slope, and its value without any request.",
        &[
            "arm",
            "namespace",
            "service",
            "part",
            "per request (ms)",
            "idle (m)",
        ],
    );
    for arm in arms {
        for one in costs(&arm.set()) {
            let cell = |estimate: &Estimate, digits: usize| {
                let text = estimate_text(estimate, &|value| format!("{value:.digits$}"));
                Cell::number(estimate.value, text)
            };
            table.rows.push(vec![
                arm.name.as_str().into(),
                one.namespace.into(),
                one.service.into(),
                one.part.name().into(),
                cell(&one.cost.per_request_ms, 3),
                cell(&one.cost.idle_m, 1),
            ]);
        }
    }
    table
}

/// The conditions of the measurements (plan, environment, limits, images), with a column per arm.
pub fn conditions_table(arms: &[ArmSteps]) -> Table {
    let mut columns = vec!["what"];
    columns.extend(arms.iter().map(|arm| arm.name.as_str()));
    let mut table = Table::new(
        "Circumstances",
        "As recorded with the steps; several values where they were not the same in all of them.",
        &columns,
    );
    let all: BTreeSet<&Condition> = arms.iter().flat_map(|arm| arm.conditions.keys()).collect();
    for condition in all {
        let mut row = vec![Cell::from(condition.name())];
        row.extend(arms.iter().map(|arm| {
            let values = arm.conditions.get(condition);
            Cell::from(values.map_or("-".to_owned(), condition_text))
        }));
        table.rows.push(row);
    }
    table
}
