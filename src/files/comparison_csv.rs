//! Comparisons as tables: the metrics, and the cost of a request by service.

use super::csv_table::table;
use crate::compare::{Comparison, Cost};
use crate::statistics::Estimate;

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

/// Writes comparison.csv: a row per pair of arms, rate and metric, in the metric's unit. The columns
/// `_low` and `_high` are the ends of a 95 % confidence interval where `spread` is `interval`, and the
/// smallest and largest block where it is `range`. A metric that an arm does not know has no row; the
/// page and the text give the reason.
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
                    metric.metric.unit().name().to_owned(),
                    metric.difference.blocks.to_string(),
                    number(metric.base.value),
                    number(metric.other.value),
                    of(|ratio| ratio.value),
                    of(|ratio| ratio.low),
                    of(|ratio| ratio.high),
                    number(metric.difference.value),
                    number(metric.difference.low),
                    number(metric.difference.high),
                    metric.difference.spread.name().to_owned(),
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

/// Writes cost.csv: the cost of a request (CPU milliseconds) and the idle use (millicores), by service
/// and part.
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
                    apart[at].spread.name().to_owned(),
                ]
            })
        })
    });
    table(&COST_COLUMNS, rows)
}

fn number(value: f64) -> String {
    format!("{value:.6}")
}
