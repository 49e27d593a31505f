//! A comparison of two arms as text. Certainty and differing conditions come first, because without them
//! the figures mislead.

use crate::compare::{
    Comparison, Cost, LeftOutReason, MetricComparison, MetricUnit, RateComparison, by_difference,
};
use crate::resources::Part;
use crate::statistics::{BLOCKS_FOR_AN_INTERVAL, Estimate, Spread};

/// The layout of a comparison's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Aligned columns for a terminal.
    Text,
    Markdown,
}

/// Writes a comparison. `differing` are sentences on conditions that should be the same in both arms and
/// are not.
pub fn comparison_text(comparison: &Comparison, differing: &[String], layout: Layout) -> String {
    let Comparison { base, other, .. } = comparison;
    let mut text = match layout {
        Layout::Text => format!("{other} against {base}: {}\n", certainty(comparison)),
        Layout::Markdown => format!("## {other} against {base}\n\n{}\n\n", certainty(comparison)),
    };
    for one in differing {
        text += &format!("{}not the same in both: {one}\n", bullet(layout));
    }
    for note in saturated(comparison) {
        text += &format!("{}{note}\n", bullet(layout));
    }
    for rate in &comparison.rates {
        text += &rate_text(comparison, rate, layout);
    }
    text += &costs_text(comparison, layout);
    text + &capacity_text(comparison, layout)
}

fn bullet(layout: Layout) -> &'static str {
    match layout {
        Layout::Text => "  note: ",
        Layout::Markdown => "- ",
    }
}

/// A sentence on how certain the differences are, which depends on the number of blocks.
pub fn certainty(comparison: &Comparison) -> String {
    let blocks = comparison.rates.iter().map(|rate| rate.blocks);
    let blocks = blocks.filter(|blocks| *blocks > 0);
    let least = blocks.clone().min().unwrap_or_default();
    let most = blocks.max().unwrap_or_default();
    let blocks_text = if least == most {
        format!("{most} blocks")
    } else {
        format!("{least} to {most} blocks")
    };
    match most {
        0 => "no rate was held in both arms of a block, so no cost can be given".to_owned(),
        1 => "ONE REPETITION: nothing is known about the noise, so any of this may be chance"
            .to_owned(),
        few if few < BLOCKS_FOR_AN_INTERVAL => format!(
            "{blocks_text}: the ranges of the blocks, which say nothing about significance (that takes {BLOCKS_FOR_AN_INTERVAL})"
        ),
        _ if least < BLOCKS_FOR_AN_INTERVAL => format!(
            "{blocks_text}: 95 % intervals by Student's t where there are {BLOCKS_FOR_AN_INTERVAL}, elsewhere the range of the blocks, which says nothing about significance"
        ),
        _ => format!("{blocks_text}: 95 % intervals by Student's t over blocks"),
    }
}

/// Sentences on the rates at which one or both arms were saturated.
pub fn saturated(comparison: &Comparison) -> Vec<String> {
    let is_saturated = |rate: &RateComparison, is_base: bool| {
        let mut steps = rate.left_out.iter().filter(|step| step.is_base == is_base);
        steps.any(|step| matches!(step.reason, LeftOutReason::Saturated(_)))
    };
    let rates = |wanted: (bool, bool)| {
        let rates = comparison
            .rates
            .iter()
            .filter(|rate| (is_saturated(rate, true), is_saturated(rate, false)) == wanted);
        let rates: Vec<String> = rates.map(|rate| format!("{}/s", rate.rate)).collect();
        rates.join(", ")
    };
    let cases = [
        ((true, true), "both arms".to_owned()),
        ((true, false), comparison.base.clone()),
        ((false, true), comparison.other.clone()),
    ];
    let found = cases.into_iter().map(|(wanted, who)| (rates(wanted), who));
    let found = found.filter(|(rates, _)| !rates.is_empty());
    found
        .map(|(rates, who)| format!("saturated in {who}: {rates}; these count for capacity alone"))
        .collect()
}

fn rate_text(comparison: &Comparison, rate: &RateComparison, layout: Layout) -> String {
    let mut text = String::new();
    if rate.metrics.is_empty() {
        text += &match layout {
            Layout::Text => format!("  {}/s: left out\n", rate.rate),
            Layout::Markdown => format!("\n### {}/s: left out\n\n", rate.rate),
        };
    } else {
        let Comparison { base, other, .. } = comparison;
        text += &match layout {
            Layout::Text => format!(
                "  {:<20} {:>12} {:>12}   {:<26} difference\n",
                format!("{}/s ({} blocks)", rate.rate, rate.blocks),
                shortened(base),
                shortened(other),
                "ratio",
            ),
            Layout::Markdown => format!(
                "\n### {}/s ({} blocks)\n\n| metric | {base} | {other} | ratio | difference | |\n|---|---|---|---|---|---|\n",
                rate.rate, rate.blocks
            ),
        };
    }
    for metric in &rate.metrics {
        text += &metric_text(metric, layout);
    }
    for why in &rate.left_out {
        text += &match layout {
            Layout::Text => format!("    left out: {why}\n"),
            Layout::Markdown => format!("- left out: {why}\n"),
        };
    }
    text
}

fn shortened(name: &str) -> String {
    name.chars().take(12).collect()
}

fn metric_text(metric: &MetricComparison, layout: Layout) -> String {
    let unit = metric.metric.unit();
    let show = |value: f64| unit.show(value);
    let ratio = metric.ratio.as_ref();
    let ratio = ratio.map_or(String::new(), |ratio| {
        estimate_text(ratio, &|value| format!("{value:.3}"))
    });
    let signed = |value: f64| show_difference(unit, value);
    let difference = estimate_text(&metric.difference, &signed);
    let resolved = match (metric.is_resolved(), metric.noise) {
        (Some(false), Some(noise)) => format!("not resolved (noise {})", show(noise)),
        (Some(false), None) => "not resolved".to_owned(),
        (Some(true) | None, _) => String::new(),
    };
    let mark = if metric.is_doubtful { "*" } else { "" };
    let name = format!("{}{mark}", metric.metric.name());
    let (base, other) = (show(metric.base.value), show(metric.other.value));
    match layout {
        Layout::Text => {
            let line = format!(
                "    {name:<18} {base:>12} {other:>12}   {ratio:<26} {difference}  {resolved}"
            );
            format!("{}\n", line.trim_end())
        }
        Layout::Markdown => {
            format!("| {name} | {base} | {other} | {ratio} | {difference} | {resolved} |\n")
        }
    }
}

/// An estimate as text: `value [low, high]` for an interval, `value (low to high)` for a range.
pub fn estimate_text(estimate: &Estimate, show: &dyn Fn(f64) -> String) -> String {
    let value = show(estimate.value);
    match estimate.spread {
        Spread::Unknown => value,
        Spread::Range => format!(
            "{value} ({} to {})",
            show(estimate.low),
            show(estimate.high)
        ),
        Spread::Interval => format!("{value} [{}, {}]", show(estimate.low), show(estimate.high)),
    }
}

/// A difference in a metric's unit, as text with its sign.
pub fn show_difference(unit: MetricUnit, value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    format!("{sign}{}", unit.show(value.abs()))
}

/// The number of services that are listed; those whose cost changed most come first.
const SHOWN: usize = 12;

fn costs_text(comparison: &Comparison, layout: Layout) -> String {
    let mut costs = by_difference(&comparison.costs);
    costs.retain(|cost| cost.part == Part::Total);
    if costs.is_empty() {
        return String::new();
    }
    let mut text = match layout {
        Layout::Text => "  CPU by service, app and sidecar: milliseconds per request, and millicores without requests\n".to_owned(),
        Layout::Markdown => "\n### CPU by service, app and sidecar\n\n| service | per request | difference | idle | difference |\n|---|---|---|---|---|\n".to_owned(),
    };
    for cost in costs.iter().take(SHOWN) {
        let two = |of: fn(&Cost) -> f64, unit: &str| {
            format!("{:.3} to {:.3}{unit}", of(&cost.base), of(&cost.other))
        };
        let slope = two(|cost| cost.per_request_ms.value, "ms");
        let idle = two(|cost| cost.idle_m.value, "m");
        let [slope_apart, idle_apart] = [cost.difference.per_request_ms, cost.difference.idle_m]
            .map(|estimate| estimate_text(&estimate, &|value| format!("{value:+.3}")));
        text += &match layout {
            Layout::Text => format!(
                "    {:<20} {slope:<22} {slope_apart:<26} {idle:<22} {idle_apart}\n",
                cost.service
            ),
            Layout::Markdown => format!(
                "| {} | {slope} | {slope_apart} | {idle} | {idle_apart} |\n",
                cost.service
            ),
        };
    }
    text
}

fn capacity_text(comparison: &Comparison, layout: Layout) -> String {
    let capacity = &comparison.capacity;
    if capacity.base.is_none() && capacity.other.is_none() {
        return String::new();
    }
    let show = |estimate: &Option<Estimate>| {
        estimate.as_ref().map_or("not reached".to_owned(), |one| {
            estimate_text(one, &|value| format!("{value:.1}/s"))
        })
    };
    let ratio = capacity.ratio.as_ref().map_or(String::new(), |ratio| {
        format!(
            ", ratio {}",
            estimate_text(ratio, &|value| format!("{value:.3}"))
        )
    });
    let lead = match layout {
        Layout::Text => "  finished per second when offered more than is held: ",
        Layout::Markdown => "\nFinished per second when offered more than is held: ",
    };
    format!(
        "{lead}{} {}, {} {}{ratio}\n",
        comparison.base,
        show(&capacity.base),
        comparison.other,
        show(&capacity.other)
    )
}
