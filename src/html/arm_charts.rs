//! Charts of arms over rates, on the pages of sweeps, of folders of the study and of comparisons.

use super::chart::{Axis, Chart, Content, Mark, Panel, Point, Series, Stroke};
use crate::compare::{ArmSteps, Capacity, Latency, Metric, Step, Steps};
use crate::measure::doubt_mark;
use crate::resources::Part;
use crate::statistics::{BLOCKS_FOR_AN_INTERVAL, Estimate, Spread, mean_over_blocks};
use crate::units::Rate;

/// A figure of an arm over the rates, as the mean over repetitions. INVALID steps are left out: they
/// measured the generator.
fn line(arm: &ArmSteps, of: &dyn Fn(&Step) -> Option<f64>) -> Vec<Point> {
    let steps = arm.set();
    let points = steps.rates().into_iter().map(|rate| {
        let values = steps.at(rate).valid().values(of);
        point(rate.as_f64(), mean_over_blocks(&values))
    });
    points.collect()
}

/// Marks the highest rate that an arm held in every repetition; `None` when it held all of them.
fn stability_mark(arm: &ArmSteps, hue: usize) -> Option<Mark> {
    let Capacity { held, not_held, .. } = arm.capacity();
    not_held?;
    Some(Mark {
        x: held?,
        label: format!("{} held to here", arm.name),
        hue,
    })
}

/// A point with the spread of its estimate, where that is known.
pub(super) fn point(x: f64, estimate: Option<Estimate>) -> Point {
    let spread = estimate.filter(|estimate| estimate.spread != Spread::Unknown);
    Point {
        x,
        y: estimate.map(|estimate| estimate.value),
        spread: spread.map(|estimate| (estimate.low, estimate.high)),
    }
}

/// A sentence on the meaning of the error bars, which depends on the number of repetitions.
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

/// Draws the achieved rate over the offered one.
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
    // The dotted line comes last, so that it stays visible on lines that it coincides with.
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

/// The colour of an arm by its number. Colour 6, which is grey, is left to lines that belong to no arm.
pub(super) fn hue_of(arm: usize) -> usize {
    if arm < 6 { arm } else { arm + 1 }
}

const PERCENTILES: [(Metric, &str, Stroke); 3] = [
    (Metric::P50, "p50", Stroke::Solid),
    (Metric::P99, "p99", Stroke::Dashed),
    (Metric::P99_9, "p99.9", Stroke::Dotted),
];

/// Draws latency percentiles over the rate.
pub fn latency_chart(arms: &[ArmSteps]) -> Chart {
    let series = arms.iter().enumerate().flat_map(|(hue, arm)| {
        PERCENTILES.map(|(metric, name, stroke)| Series {
            name: format!("{} {name}{}", arm.name, few(&arm.set(), metric)),
            hue: hue_of(hue),
            stroke,
            points: line(arm, &|step| Some(metric.of(step)? / 1e6)),
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

/// The mark `*` for a percentile that, in some step, has few samples beyond it or is a lower bound.
pub(super) fn few(steps: &Steps<'_>, metric: Metric) -> &'static str {
    let is_doubtful = |step: &&Step| metric.latency_of(step).is_some_and(Latency::is_doubtful);
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

/// Draws CPU, memory and network of the application over the rate.
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

/// Draws the application's CPU per finished request over the rate.
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

/// Draws the sidecars' share of the application's CPU, for arms that have sidecars.
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
