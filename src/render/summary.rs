//! A run in Markdown, as pipelines show it.

use crate::judge::{Outcome, Verdict};
use crate::measure::{Distribution, RunResult};
use crate::units::show_ns;

/// The verdict, the figures that people look for, and what came of the thresholds.
pub fn summary_markdown(result: &RunResult, verdict: &Verdict, outcomes: &[Outcome]) -> String {
    let level = format!("{:?}", verdict.level).to_uppercase();
    let urls: Vec<&str> = result
        .targets
        .iter()
        .map(|target| target.target.url.as_str())
        .collect();
    let mut text = format!("### meshload: {level}\n\n{}\n\n", escaped(&urls.join(", ")));
    for reason in &verdict.reasons {
        text += &format!("- {}: {}\n", reason.code, escaped(&reason.message));
    }
    if !verdict.reasons.is_empty() {
        text.push('\n');
    }
    text += "| | p50 | p90 | p99 | p99.9 | max |\n|---|---|---|---|---|---|\n";
    text += &figures(result);
    let tally = result.overall();
    text += &format!(
        "\n{} scheduled, {} completed, {} failed, {} unfinished; {:.1}/s finished.\n",
        tally.scheduled,
        tally.completed,
        tally.failed,
        tally.unfinished,
        result.rate_achieved()
    );
    text + &thresholds(outcomes)
}

fn figures(result: &RunResult) -> String {
    let tally = result.overall();
    let latency = result.is_open_loop().then(|| tally.latency_with_censored());
    let rows = [
        ("latency", latency.as_ref()),
        ("service", Some(&tally.service)),
        ("late", result.is_open_loop().then_some(&tally.late)),
    ];
    let rows = rows.into_iter().filter_map(|(name, histogram)| {
        let figures = Distribution::of(histogram?)?;
        let Distribution {
            p50,
            p90,
            p99,
            p99_9,
            max,
            ..
        } = figures;
        let cells = [p50, p90, p99, p99_9, max].map(|time| show_ns(time as f64));
        Some(format!("| {name} | {} |\n", cells.join(" | ")))
    });
    rows.collect()
}

fn thresholds(outcomes: &[Outcome]) -> String {
    if outcomes.is_empty() {
        return String::new();
    }
    let rows = outcomes.iter().map(|one| {
        let word = if one.fails { "**fails**" } else { "holds" };
        let why = one
            .unknown
            .as_ref()
            .map_or(String::new(), |why| format!(" ({why})"));
        format!(
            "| `{}` | {}{} | {word} |\n",
            one.threshold.replace('|', "\\|"),
            one.shown,
            escaped(&why)
        )
    });
    "\n| fail if | measured | |\n|---|---|---|\n".to_owned() + &rows.collect::<String>()
}

/// Text that means itself in a table of Markdown.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('\n', " ")
}
