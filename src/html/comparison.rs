//! Charts and tables of comparisons.

use super::arm_charts::{hue_of, point};
use super::chart::{Axis, Chart, Content, Panel, Point, Series, Stroke};
use super::table::{Cell, Table};
use crate::compare::{Comparison, Cost, Metric, MetricComparison, by_difference};
use crate::measure::doubt_mark;
use crate::resources::Part;
use crate::statistics::Estimate;
use crate::text::{estimate_text, show_difference};

/// The metrics whose ratios are drawn, with their name in the legend.
const DRAWN: [(Metric, &str, Stroke); 4] = [
    (Metric::P50, "p50", Stroke::Solid),
    (Metric::P99, "p99", Stroke::Dashed),
    (Metric::Cpu(Part::Total), "CPU", Stroke::Solid),
    (Metric::Memory(Part::Total), "memory", Stroke::Dashed),
];

/// Draws the ratio of each arm to the base over the rate, with a panel for latency and one for
/// resources.
pub fn ratio_chart(comparisons: &[Comparison]) -> Chart {
    let panel = |label: &str, metrics: &[(Metric, &str, Stroke)]| {
        let series = comparisons
            .iter()
            .enumerate()
            .flat_map(|(number, comparison)| {
                metrics.iter().map(move |(metric, name, stroke)| Series {
                    name: format!("{} {name}", comparison.other),
                    hue: hue_of(number + 1),
                    stroke: *stroke,
                    points: ratios(comparison, *metric),
                })
            });
        let series = [even(comparisons)].into_iter().chain(series);
        Panel::of_lines(Axis::free(label), series.collect())
    };
    let base = comparisons
        .first()
        .map_or("", |comparison| comparison.base.as_str());
    let panels = [
        panel("latency", &DRAWN[..2]),
        panel("CPU and memory", &DRAWN[2..]),
    ];
    Chart {
        name: "ratios".to_owned(),
        title: format!("How many times as much as {base}"),
        caption: "Only rates that both arms held. Bars are 95 % intervals over six blocks or more, and the range of the blocks below that.".to_owned(),
        x: Axis::linear("requests per second offered"),
        panels: panels.into_iter().filter(has_ratios).collect(),
    }
}

/// The line of the ratio 1.
fn even(comparisons: &[Comparison]) -> Series {
    let rates = comparisons.iter().flat_map(|comparison| &comparison.rates);
    let compared = rates
        .filter(|rate| !rate.metrics.is_empty())
        .map(|rate| rate.rate);
    let low = compared.clone().min_by(f64::total_cmp);
    let high = compared.max_by(f64::total_cmp);
    let ends = low.into_iter().chain(high);
    Series {
        name: ALIKE.to_owned(),
        hue: 6,
        stroke: Stroke::Dotted,
        points: ends.map(|rate| Point::new(rate, Some(1.0))).collect(),
    }
}

const ALIKE: &str = "alike";

fn has_ratios(panel: &Panel) -> bool {
    let Content::Lines(series) = &panel.content else {
        return false;
    };
    let mut points = series
        .iter()
        .filter(|one| one.name != ALIKE)
        .flat_map(|one| &one.points);
    points.any(|point| point.y.is_some())
}

fn ratios(comparison: &Comparison, metric: Metric) -> Vec<Point> {
    let rates = comparison.rates.iter();
    rates
        .map(|rate| {
            let found = rate.metrics.iter().find(|one| one.metric == metric);
            point(rate.rate, found.and_then(|one| one.ratio))
        })
        .collect()
}

/// A row per rate and metric.
pub fn metrics_table(comparison: &Comparison) -> Table {
    let Comparison { base, other, .. } = comparison;
    let mut table = Table::new(
        "By rate",
        "Only blocks that both arms held. [interval] is 95 % by Student's t over blocks, (range) the smallest and largest block. Noise: how far two halves of one arm lie apart; a difference below it, or within its own interval, is not resolved. * has few samples beyond it, or is a lower bound.",
        &[
            "rate/s",
            "metric",
            base,
            other,
            "ratio",
            "difference",
            "noise",
            "blocks",
            "",
        ],
    );
    for rate in &comparison.rates {
        for metric in &rate.metrics {
            table.rows.push(metric_row(rate.rate, metric));
        }
    }
    table
}

fn metric_row(rate: f64, one: &MetricComparison) -> Vec<Cell> {
    let unit = one.metric.unit();
    let show = |value: f64| unit.show(value);
    let plain = |estimate: &Estimate| Cell::number(estimate.value, show(estimate.value));
    let ratio = one.ratio.as_ref().map(|ratio| {
        Cell::number(
            ratio.value,
            estimate_text(ratio, &|value| format!("{value:.3}")),
        )
    });
    let difference = estimate_text(&one.difference, &|value| show_difference(unit, value));
    let mark = doubt_mark(one.is_doubtful);
    let resolved = match one.is_resolved() {
        Some(false) => "not resolved",
        Some(true) => "resolved",
        None => "",
    };
    vec![
        Cell::number(rate, rate.to_string()),
        Cell::from(format!("{}{mark}", one.metric.name())),
        plain(&one.base),
        plain(&one.other),
        ratio.unwrap_or("-".into()),
        Cell::number(one.difference.value, difference),
        Cell::maybe(one.noise, show),
        Cell::number(
            one.difference.blocks as f64,
            one.difference.blocks.to_string(),
        ),
        Cell::from(resolved),
    ]
}

/// Steps that are left out and figures that are unknown, with the reasons.
pub fn left_out_table(comparison: &Comparison) -> Table {
    let mut table = Table::new(
        "Left out",
        "Steps that cannot tell what a request costs, and unknown figures of the other steps.",
        &["rate/s", "why"],
    );
    for rate in &comparison.rates {
        for why in &rate.left_out {
            table.rows.push(vec![
                Cell::number(rate.rate, rate.rate.to_string()),
                Cell::from(why.to_string()),
            ]);
        }
    }
    table
}

/// The CPU cost of a request by service and part, in both arms.
pub fn cost_table(comparison: &Comparison) -> Table {
    let Comparison { base, other, .. } = comparison;
    let columns = [
        "service".to_owned(),
        "part".to_owned(),
        format!("{base}: ms per request"),
        format!("{other}: ms per request"),
        "difference (ms)".to_owned(),
        format!("{base}: idle (m)"),
        format!("{other}: idle (m)"),
        "difference (m)".to_owned(),
    ];
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(
        "What a request costs",
        "A line of CPU against requests finished over held steps, one per block and arm; the difference is that of the lines of a block.",
        &columns,
    );
    for cost in by_difference(&comparison.costs) {
        let cell = |estimate: &Estimate, digits: usize| {
            Cell::number(estimate.value, format!("{:.digits$}", estimate.value))
        };
        let apart = |estimate: &Estimate, digits: usize| {
            Cell::number(
                estimate.value,
                estimate_text(estimate, &|value| format!("{value:+.digits$}")),
            )
        };
        let pick = |of: fn(&Cost) -> &Estimate, digits: usize| {
            [
                cell(of(&cost.base), digits),
                cell(of(&cost.other), digits),
                apart(of(&cost.difference), digits),
            ]
        };
        let mut row = vec![
            Cell::from(cost.service.as_str()),
            Cell::from(cost.part.name()),
        ];
        row.extend(pick(|cost| &cost.per_request_ms, 3));
        row.extend(pick(|cost| &cost.idle_m, 1));
        table.rows.push(row);
    }
    table
}
