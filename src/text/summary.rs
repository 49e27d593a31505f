//! Summaries of one or several runs in Markdown, which build servers show.

use super::thresholds::resolution_word;
use crate::compare::Steps;
use crate::gate::{Gate, Outcome, RegressionOutcome, Resolution};
use crate::measure::{Distribution, RunResult};
use crate::units::show_ns;
use crate::verdict::{JudgedRun, Level};

/// Writes the summary of a run: verdict, times, counts, and the outcomes of thresholds.
pub fn summary_markdown(run: &JudgedRun, gate: &Gate) -> String {
    let JudgedRun {
        result, verdict, ..
    } = run;
    let level = verdict.level.name();
    let urls = result.urls().join(", ");
    let mut text = format!("### meshload: {level}\n\n{}\n\n", escaped(&urls));
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
    text + &thresholds(&gate.thresholds)
}

/// Writes the summary of repeated runs: a row per run, and the outcomes of thresholds and limits.
/// `baseline` is the name of the baseline.
pub fn series_markdown(
    urls: &[&str],
    runs: &Steps<'_>,
    baseline: Option<&str>,
    gate: &Gate,
) -> String {
    let is_open = |one: &RegressionOutcome| one.resolution == Resolution::NotResolved;
    let open = gate.regressions.iter().filter(|one| is_open(one)).count();
    let word = match (gate.fails(), open) {
        (true, _) => "FAILS".to_owned(),
        (false, 0) => "passes".to_owned(),
        (false, open) => format!("passes, {open} not resolved"),
    };
    let mut text = format!(
        "### meshload: {} runs, {word}\n\n{}\n\n",
        runs.len(),
        escaped(&urls.join(", "))
    );
    text += "| | finished/s | p50 | p99 | held | verdict |\n|---|---|---|---|---|---|\n";
    for step in runs.iter() {
        let time = |name: &str| {
            let latency = step.latency.get(name);
            latency.map_or("-".to_owned(), |latency| show_ns(latency.ns))
        };
        text += &format!(
            "| {} {} | {:.1} | {} | {} | {} | {} |\n",
            escaped(&step.key.arm),
            step.key.repetition,
            step.achieved,
            time("p50"),
            time("p99"),
            step.stability.name().replace('_', " "),
            step.level.map_or("-", Level::name)
        );
    }
    text += &thresholds(&gate.thresholds);
    match baseline {
        Some(baseline) => text + &regressions(baseline, &gate.regressions),
        None => text,
    }
}

fn regressions(baseline: &str, outcomes: &[RegressionOutcome]) -> String {
    let rows = outcomes.iter().map(|one| {
        let word = resolution_word(one.resolution);
        let word = match one.resolution {
            Resolution::Regression => format!("**{word}**"),
            Resolution::NoRegression | Resolution::NotResolved => word.to_owned(),
        };
        format!(
            "| {} | {} | {word} |\n",
            one.metric,
            escaped(&one.in_words())
        )
    });
    format!(
        "\n| against {} | | |\n|---|---|---|\n{}",
        escaped(baseline),
        rows.collect::<String>()
    )
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
        format!(
            "| `{}` | {} | {word} |\n",
            one.threshold.replace('|', "\\|"),
            escaped(&one.in_words())
        )
    });
    "\n| fail if | measured | |\n|---|---|---|\n".to_owned() + &rows.collect::<String>()
}

/// Escapes text for a table of Markdown.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Step;
    use crate::gate::sample_gate;
    use crate::measure::sample;
    use crate::verdict::{Verdict, verdict};

    #[test]
    fn the_markdown_of_a_run_is_the_golden_one() {
        let run = JudgedRun::judge(sample::troubled().result);
        let text = summary_markdown(&run, &sample_gate::gate());
        sample::assert_golden("summary.md", &text);
    }

    #[test]
    fn the_markdown_of_several_runs_is_the_golden_one() {
        let result = sample::ordinary().result;
        let judged = verdict(&result);
        let invalid = Verdict {
            level: Level::Invalid,
            ..judged.clone()
        };
        let mut runs = Vec::new();
        for (repetition, judged) in [(1, judged), (2, invalid)] {
            let mut step = Step::of(&JudgedRun::with_verdict(result.clone(), judged));
            (step.key.arm, step.key.repetition) = ("new".to_owned(), repetition);
            runs.push(step);
        }
        let gate = sample_gate::gate();
        let text = series_markdown(
            &["http://a/|b"],
            &Steps::from(&runs),
            Some("main (6 runs)"),
            &gate,
        );
        sample::assert_golden("series.md", &text);
    }
}
