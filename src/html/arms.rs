//! Charts and tables of arms over rates: what a sweep, a folder of the study and a comparison have in
//! common.

use super::chart::{Axis, Chart, Content, Mark, Panel, Point, Series, Stroke};
use super::table::{Cell, Table};
use crate::compare::{
    ArmSteps, Capacity, Condition, Latency, Metric, Step, Steps, condition_text, costs,
};
use crate::measure::doubt_mark;
use crate::resources::Part;
use crate::statistics::{BLOCKS_FOR_AN_INTERVAL, Estimate, Spread, mean_over_blocks};
use crate::text::estimate_text;
use crate::units::{Rate, show_ns};
use crate::verdict::Stability;
use std::collections::{BTreeMap, BTreeSet};

/// A line of an arm over the rates. Steps whose measurement failed say nothing.
fn line(arm: &ArmSteps, of: &dyn Fn(&Step) -> Option<f64>) -> Vec<Point> {
    let steps = arm.set();
    let points = steps.rates().into_iter().map(|rate| {
        let values = steps.at(rate).valid().values(of);
        point(rate.as_f64(), mean_over_blocks(&values))
    });
    points.collect()
}

/// The highest rate that an arm held in every repetition, where one was not.
fn stability_mark(arm: &ArmSteps, hue: usize) -> Option<Mark> {
    let Capacity { held, not_held, .. } = arm.capacity();
    not_held?;
    Some(Mark {
        x: held?,
        label: format!("{} held to here", arm.name),
        hue,
    })
}

/// A point with what is known of its uncertainty.
pub(super) fn point(x: f64, estimate: Option<Estimate>) -> Point {
    let spread = estimate.filter(|estimate| estimate.spread != Spread::Unknown);
    Point {
        x,
        y: estimate.map(|estimate| estimate.value),
        spread: spread.map(|estimate| (estimate.low, estimate.high)),
    }
}

/// What the error bars of these arms are.
fn bars_are(arms: &[ArmSteps]) -> &'static str {
    let counts = arms.iter().flat_map(|arm| {
        let valid = arm.set().valid();
        let rates = valid.rates().into_iter();
        rates.map(move |rate| valid.at(rate).len())
    });
    let counts: Vec<usize> = counts.collect();
    let [least, most] = [counts.iter().min(), counts.iter().max()].map(|one| *one.unwrap_or(&0));
    match (least, most) {
        (_, 0 | 1) => "One repetition: nothing is known about the noise.",
        (_, most) if most < BLOCKS_FOR_AN_INTERVAL => {
            "Bars go from the smallest to the largest repetition."
        }
        (least, _) if least < BLOCKS_FOR_AN_INTERVAL => {
            "Bars are 95 % intervals by Student's t where there are six repetitions, and go from the smallest to the largest elsewhere."
        }
        _ => "Bars are 95 % intervals by Student's t over repetitions.",
    }
}

const RATE: &str = "requests per second offered";

/// What was finished of what was offered.
pub fn throughput_chart(arms: &[ArmSteps]) -> Chart {
    let steps: Steps<'_> = arms.iter().flat_map(|arm| &arm.steps).collect();
    let offered = steps.rates().into_iter().map(Rate::as_f64);
    let arm_line = |(hue, arm): (usize, &ArmSteps)| Series {
        name: arm.name.clone(),
        hue: hue_of(hue),
        stroke: Stroke::Solid,
        points: line(arm, &|step| Some(step.achieved)),
    };
    let mut series: Vec<Series> = arms.iter().enumerate().map(arm_line).collect();
    // Drawn last, over the lines that lie on it.
    series.push(Series {
        name: "offered".to_owned(),
        hue: 6,
        stroke: Stroke::Dotted,
        points: offered.map(|rate| Point::new(rate, Some(rate))).collect(),
    });
    Chart {
        name: "throughput".to_owned(),
        title: "Offered and achieved".to_owned(),
        caption: format!(
            "Where a line leaves the dotted one, the arm does not hold the rate. {}",
            bars_are(arms)
        ),
        x: Axis::linear(RATE),
        panels: vec![Panel::of_lines(Axis::linear("finished per second"), series)],
    }
}

/// The colour of an arm: the grey one is for what belongs to none.
pub(super) fn hue_of(arm: usize) -> usize {
    if arm < 6 { arm } else { arm + 1 }
}

const PERCENTILES: [(&str, Stroke); 3] = [
    ("p50", Stroke::Solid),
    ("p99", Stroke::Dashed),
    ("p99.9", Stroke::Dotted),
];

/// Latency percentiles against the rate.
pub fn latency_chart(arms: &[ArmSteps]) -> Chart {
    let series = arms.iter().enumerate().flat_map(|(hue, arm)| {
        PERCENTILES.map(|(name, stroke)| Series {
            name: format!("{} {name}{}", arm.name, few(&arm.set(), name)),
            hue: hue_of(hue),
            stroke,
            points: line(arm, &|step| Some(step.latency.get(name)?.ns / 1e6)),
        })
    });
    let mut panel = Panel::of_lines(Axis::log("latency (ms)"), series.collect());
    let marks = arms.iter().enumerate();
    panel.marks = marks
        .filter_map(|(hue, arm)| stability_mark(arm, hue_of(hue)))
        .collect();
    Chart {
        name: "latency".to_owned(),
        title: "Latency against the rate".to_owned(),
        caption: format!(
            "From the moment a request was due. Beyond the mark latencies say how long the step lasted. * has fewer than 10 samples beyond it, or is a lower bound, at some rate. {}",
            bars_are(arms)
        ),
        x: Axis::linear(RATE),
        panels: vec![panel],
    }
}

/// The mark of a percentile that few samples lie beyond, or that is known from below only, in one of
/// the steps.
fn few(steps: &Steps<'_>, name: &str) -> &'static str {
    let is_doubtful = |step: &&Step| step.latency.get(name).is_some_and(Latency::is_doubtful);
    doubt_mark(steps.iter().any(is_doubtful))
}

fn metric_panel(arms: &[ArmSteps], label: &str, of: &dyn Fn(&Step) -> Option<f64>) -> Panel {
    let series = arms.iter().enumerate().map(|(hue, arm)| Series {
        name: arm.name.clone(),
        hue: hue_of(hue),
        stroke: Stroke::Solid,
        points: line(arm, of),
    });
    Panel::of_lines(Axis::linear(label), series.collect())
}

/// CPU, memory and network of the application against the rate.
pub fn resources_chart(arms: &[ArmSteps]) -> Chart {
    const MIB: f64 = 1024.0 * 1024.0;
    let scaled =
        |metric: Metric, scale: f64| move |step: &Step| metric.of(step).map(|value| value / scale);
    let panels = [
        ("CPU (m)", Metric::Cpu(Part::Total), 1.0),
        ("memory (MiB)", Metric::Memory(Part::Total), MIB),
        ("received (MiB/s)", Metric::NetworkRx, MIB),
        ("sent (MiB/s)", Metric::NetworkTx, MIB),
    ];
    let panels =
        panels.map(|(label, metric, scale)| metric_panel(arms, label, &scaled(metric, scale)));
    Chart {
        name: "resources".to_owned(),
        title: "CPU, memory and network of the application".to_owned(),
        caption: format!("Sidecars included. {}", bars_are(arms)),
        x: Axis::linear(RATE),
        panels: panels
            .into_iter()
            .filter(|panel| !panel.is_empty())
            .collect(),
    }
}

/// What a request costs in CPU.
pub fn cpu_per_request_chart(arms: &[ArmSteps]) -> Chart {
    let of = |step: &Step| Metric::CpuPerRequest.of(step);
    Chart {
        name: "cpu_per_request".to_owned(),
        title: "CPU per request".to_owned(),
        caption: format!(
            "The application's CPU over requests finished, what it uses without any included. {}",
            bars_are(arms)
        ),
        x: Axis::linear(RATE),
        panels: vec![metric_panel(arms, "CPU per request (ms)", &of)],
    }
}

/// The sidecars' share of the application's CPU, of arms that have sidecars.
pub fn sidecar_chart(arms: &[ArmSteps]) -> Chart {
    let share = |step: &Step| {
        let total = Metric::Cpu(Part::Total)
            .of(step)
            .filter(|total| *total > 0.0)?;
        Some(Metric::Cpu(Part::Sidecar).of(step)? / total * 100.0)
    };
    let has_sidecars = |arm: &ArmSteps| {
        let mut steps = arm.steps.iter();
        steps.any(|step| {
            Metric::Cpu(Part::Sidecar)
                .of(step)
                .is_some_and(|cpu| cpu > 0.0)
        })
    };
    let mut panel = metric_panel(arms, "sidecars' share of CPU (%)", &share);
    if let Content::Lines(series) = &mut panel.content {
        series.retain(|one| {
            arms.iter()
                .any(|arm| arm.name == one.name && has_sidecars(arm))
        });
    }
    Chart {
        name: "sidecar_share".to_owned(),
        title: "The sidecars' share".to_owned(),
        caption: format!("Of the application's CPU. {}", bars_are(arms)),
        x: Axis::linear(RATE),
        panels: vec![panel],
    }
}

/// A row per arm and rate: what was held, and what was measured.
pub fn steps_table(arms: &[ArmSteps]) -> Table {
    let mut table = Table::new(
        "Steps",
        "Means over repetitions with their interval or range. Steps that are INVALID are in no mean. * has fewer than 10 samples beyond it, or is a lower bound, in some step.",
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
            let steps = arm.set().at(rate);
            let (valid, rate) = (steps.valid(), rate.as_f64());
            let over = |of: &dyn Fn(&Step) -> Option<f64>, show: &dyn Fn(f64) -> String| {
                let estimate = mean_over_blocks(&valid.values(of));
                let text = estimate.map(|estimate| estimate_text(&estimate, show));
                match (estimate, text) {
                    (Some(estimate), Some(text)) => Cell::number(estimate.value, text),
                    _ => Cell::from("-"),
                }
            };
            let latency = |name: &'static str| {
                let mut cell = over(&|step| Some(step.latency.get(name)?.ns), &show_ns);
                cell.text += few(&valid, name);
                cell
            };
            let held = steps.held().len();
            table.rows.push(vec![
                arm.name.as_str().into(),
                Cell::number(rate, rate.to_string()),
                Cell::number(steps.len() as f64, steps.len().to_string()),
                levels(&steps).into(),
                Cell::number(held as f64, format!("{held} of {}", steps.len())),
                over(&|step| Some(step.achieved), &|value| format!("{value:.1}")),
                latency("p50"),
                latency("p99"),
                latency("p99.9"),
                over(&|step| step.error_rate, &|value| {
                    format!("{:.3}%", value * 100.0)
                }),
                why_not(&steps).into(),
            ]);
        }
    }
    table
}

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

fn why_not(steps: &Steps<'_>) -> String {
    let why = steps.iter().find_map(|step| match &step.stability {
        Stability::Held => None,
        Stability::NotHeld { reasons } => {
            let reasons: Vec<&str> = reasons.iter().map(|one| one.message.as_str()).collect();
            Some(reasons.join("; "))
        }
        Stability::Unknown { reason } => Some(reason.clone()),
    });
    why.unwrap_or_default()
}

/// What each arm can carry.
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
        return "no CPU limit and no node is known, or fewer than two rates were held".to_owned();
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

/// What a request costs each service, from a line of CPU against requests finished.
pub fn costs_table(arms: &[ArmSteps]) -> Table {
    let mut table = Table::new(
        "What a request costs",
        "A straight line of CPU against requests finished per second, over steps that were held, one per repetition: its slope, and what is used without any request.",
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

/// Plan, environment, limits and images: a column per arm.
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
