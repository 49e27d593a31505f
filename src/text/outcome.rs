//! meshload's own account of a run, printed after wrk's text: rates, times, routes, resources, notes and
//! the verdict.
//!
//! No line here looks like one of wrk's (`NN%`), because parsers of wrk's text read to the end.

use super::resources::resources_text;
use crate::measure::{
    Distribution, FEW_BEYOND, Histogram, Percentile, RouteTally, RunResult, Tally, are_few,
    doubt_mark, sum,
};
use crate::spec::Offered;
use crate::units::show_ns;
use crate::verdict::JudgedRun;

const SHOWN: [&str; 4] = ["p50", "p90", "p99", "p99.9"];

/// Writes the account of a run.
pub fn outcome_text(run: &JudgedRun) -> String {
    let JudgedRun {
        result, verdict, ..
    } = run;
    let tally = result.overall();
    let mut text = String::from("\n");
    text.push_str(&rates(result, tally));
    text.push_str(&times(result, tally));
    text.push_str(&routes(tally));
    if let Some(resources) = &result.resources {
        text.push_str(&resources_text(resources));
    }
    for note in &result.notes {
        text.push_str(&format!("Note: {note}\n"));
    }
    text.push_str(&format!("Verdict: {}\n", verdict.level.name()));
    for reason in &verdict.reasons {
        text.push_str(&format!("  {}: {}\n", reason.code, reason.message));
    }
    text
}

fn rates(result: &RunResult, tally: &Tally) -> String {
    let achieved = result.rate_achieved();
    let offered = match result.spec.load.offered {
        Offered::Max => "as fast as replies came (closed loop)".to_owned(),
        _ => format!("{:.2}/s", result.per_second(tally.scheduled)),
    };
    format!(
        "Offered {offered}, achieved {achieved:.2}/s, {} arrivals, seed {}\n\
         Scheduled {} = completed {} + failed {} + unfinished {}\n",
        result.spec.load.process.name(),
        result.spec.load.seed,
        tally.scheduled,
        tally.completed,
        tally.failed,
        tally.unfinished
    )
}

fn show(nanos: u64) -> String {
    show_ns(nanos as f64)
}

fn times(result: &RunResult, tally: &Tally) -> String {
    let mut text = format!("\n  {:<10}", "");
    for name in SHOWN.iter().chain(&["max"]) {
        text.push_str(&format!("{name:>12}"));
    }
    text.push('\n');
    let mut has_few = false;
    if result.is_open_loop() {
        let percentiles = tally.latency_percentiles();
        let shown: Vec<_> = percentiles
            .iter()
            .filter(|p| SHOWN.contains(&p.name))
            .collect();
        has_few = shown.iter().any(|percentile| are_few(percentile.beyond));
        let cells = shown.iter().map(|percentile| cell(percentile));
        let max = show(tally.latency_with_censored().max());
        text.push_str(&row("latency", cells.chain([max])));
    }
    for (name, histogram) in [
        ("service", &tally.service),
        ("late", &tally.late),
        ("blocked", &tally.blocked),
    ] {
        if let Some(figures) = Distribution::of(histogram) {
            let percentiles = SHOWN.map(|name| marked(&figures, name));
            has_few |= percentiles.iter().any(|cell| cell.ends_with('*'));
            let cells = percentiles.into_iter().chain([show(figures.max)]);
            text.push_str(&row(name, cells));
        }
    }
    if has_few {
        text.push_str(&format!(
            "  * fewer than {FEW_BEYOND} samples lie beyond it\n"
        ));
    }
    text
}

fn cell(percentile: &Percentile) -> String {
    let bound = if percentile.is_lower_bound { ">=" } else { "" };
    let mark = doubt_mark(are_few(percentile.beyond));
    format!("{bound}{}{mark}", show(percentile.value))
}

/// The percentile of this name, marked when few samples lie beyond it.
fn marked(figures: &Distribution, name: &str) -> String {
    let mut known = Distribution::PERCENTILES.iter().zip(figures.percentiles());
    let found = known.find(|((known, _), _)| *known == name);
    found.map_or(String::new(), |((_, share), time)| {
        let mark = doubt_mark(figures.has_few_beyond(*share));
        format!("{}{mark}", show(time))
    })
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    let mut text = format!("  {name:<10}");
    for cell in cells {
        text.push_str(&format!("{cell:>12}"));
    }
    text.push('\n');
    text
}

/// A table of the routes, the busiest first; empty for a run with one route.
fn routes(tally: &Tally) -> String {
    if tally.routes.len() < 2 {
        return String::new();
    }
    let mut routes: Vec<(&String, &RouteTally)> = tally.routes.iter().collect();
    routes.sort_by_key(|(name, route)| (std::cmp::Reverse(route.requests), *name));
    let width = routes
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    let mut text = format!(
        "\n  {:<width$}{:>10}{:>8}{:>12}{:>12}{:>12}\n",
        "route", "requests", "bad", "p50", "p99", "max"
    );
    for (name, route) in routes {
        let latency: Histogram = sum(&route.latency, &route.censored);
        let cells = match Distribution::of(&latency) {
            Some(figures) => [
                marked(&figures, "p50"),
                marked(&figures, "p99"),
                show(figures.max),
            ],
            None => ["-", "-", "-"].map(str::to_owned),
        };
        let [p50, p99, max] = cells;
        text.push_str(&format!(
            "  {name:<width$}{:>10}{:>8}{p50:>12}{p99:>12}{max:>12}\n",
            route.requests,
            route.status.bad()
        ));
    }
    text.push('\n');
    text
}
