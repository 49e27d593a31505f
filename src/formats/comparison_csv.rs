//! Comparisons as tables: the study's own, a tidy one, and what a request costs.

use super::csv_rows::table;
use super::study_folder::{STUDY_SUMMED, StudySums};
use crate::judge::{Comparison, Cost, Estimate, Spread, StudyOverhead};

/// An arm's sums by rate, in millionths per second.
type Sums<'a> = Vec<(u64, &'a [Option<f64>; 4])>;

fn of_arm<'a>(sums: &'a StudySums, arm: &str) -> Sums<'a> {
    // The study's folders have no column of arms: all of it is one.
    let named = sums
        .iter()
        .filter(|((name, _), _)| name == arm || name.is_empty());
    named.map(|((_, rate), sums)| (*rate, sums)).collect()
}

/// The rates that both have, with the four metrics of the study without and with the mesh.
pub fn study_overheads(
    base: (&StudySums, &str),
    other: (&StudySums, &str),
) -> Vec<(f64, [StudyOverhead; 4])> {
    let others = of_arm(other.0, other.1);
    let both = of_arm(base.0, base.1)
        .into_iter()
        .filter_map(|(rate, without)| {
            let (_, with) = others.iter().find(|(at, _)| *at == rate)?;
            let overheads = std::array::from_fn(|at| StudyOverhead {
                without: without[at],
                with: with[at],
            });
            Some((rate as f64 / 1e6, overheads))
        });
    both.collect()
}

/// compare_overhead_summary.csv: the study's columns and its own arithmetic.
pub fn study_overhead_csv(overheads: &[(f64, [StudyOverhead; 4])]) -> Vec<u8> {
    let names = STUDY_SUMMED.iter().flat_map(|name| {
        ["NoIstio", "WithIstio", "Overhead%"].map(|kind| format!("{name}_{kind}"))
    });
    let columns: Vec<String> = std::iter::once("RPS".to_owned()).chain(names).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = overheads.iter().map(|(rate, overheads)| {
        // What was not measured is an empty cell.
        let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let cells = overheads
            .iter()
            .flat_map(|one| [one.without, one.with, one.percent()].map(cell));
        std::iter::once(rate.to_string()).chain(cells).collect()
    });
    table(&columns, rows)
}

const COLUMNS: [&str; 18] = [
    "base",
    "other",
    "rate",
    "metric",
    "unit",
    "blocks",
    "base_value",
    "other_value",
    "ratio",
    "ratio_low",
    "ratio_high",
    "difference",
    "difference_low",
    "difference_high",
    "spread",
    "noise",
    "resolved",
    "doubtful",
];

/// comparison.csv: a row per pair of arms, rate and metric. `low` and `high` are what `spread` says:
/// a 95 % `interval`, the `range` of the blocks, or nothing (`unknown`).
pub fn comparison_csv(comparisons: &[Comparison]) -> Vec<u8> {
    let rows = comparisons.iter().flat_map(|comparison| {
        comparison.rates.iter().flat_map(move |rate| {
            rate.metrics.iter().map(move |metric| {
                let ratio = metric.ratio.as_ref();
                let of =
                    |of: fn(&Estimate) -> f64| ratio.map_or(String::new(), |one| number(of(one)));
                vec![
                    comparison.base.clone(),
                    comparison.other.clone(),
                    rate.rate.to_string(),
                    metric.metric.name(),
                    metric.metric.unit().to_owned(),
                    metric.difference.blocks.to_string(),
                    number(metric.base.value),
                    number(metric.other.value),
                    of(|ratio| ratio.value),
                    of(|ratio| ratio.low),
                    of(|ratio| ratio.high),
                    number(metric.difference.value),
                    number(metric.difference.low),
                    number(metric.difference.high),
                    spread(metric.difference.spread).to_owned(),
                    metric.noise.map_or(String::new(), number),
                    metric
                        .is_resolved()
                        .map_or(String::new(), |resolved| resolved.to_string()),
                    metric.is_doubtful.to_string(),
                ]
            })
        })
    });
    table(&COLUMNS, rows)
}

const COST_COLUMNS: [&str; 13] = [
    "base",
    "other",
    "namespace",
    "service",
    "part",
    "quantity",
    "blocks",
    "base_value",
    "other_value",
    "difference",
    "difference_low",
    "difference_high",
    "spread",
];

/// cost.csv: CPU milliseconds per request and idle thousandths of a core, by service and part.
pub fn cost_csv(comparisons: &[Comparison]) -> Vec<u8> {
    let rows = comparisons.iter().flat_map(|comparison| {
        comparison.costs.iter().flat_map(move |cost| {
            let both = |cost: &Cost| [cost.per_request_ms, cost.idle_m];
            let [base, other, apart] = [&cost.base, &cost.other, &cost.difference].map(both);
            [(0, "per_request_ms"), (1, "idle_m")].map(|(at, name)| {
                vec![
                    comparison.base.clone(),
                    comparison.other.clone(),
                    cost.namespace.clone(),
                    cost.service.clone(),
                    cost.part.name().to_owned(),
                    name.to_owned(),
                    apart[at].blocks.to_string(),
                    number(base[at].value),
                    number(other[at].value),
                    number(apart[at].value),
                    number(apart[at].low),
                    number(apart[at].high),
                    spread(apart[at].spread).to_owned(),
                ]
            })
        })
    });
    table(&COST_COLUMNS, rows)
}

fn number(value: f64) -> String {
    format!("{value:.6}")
}

fn spread(spread: Spread) -> &'static str {
    match spread {
        Spread::Interval => "interval",
        Spread::Range => "range",
        Spread::Unknown => "unknown",
    }
}
