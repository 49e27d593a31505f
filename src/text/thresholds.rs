//! The outcomes of thresholds and of limits against a baseline, as text.

use crate::gate::{Outcome, RegressionOutcome, Resolution};

/// A line per threshold, with its outcome, the measured value, and the reason where it is unknown.
pub fn thresholds_text(outcomes: &[Outcome]) -> String {
    let width = outcomes
        .iter()
        .map(|one| one.threshold.chars().count())
        .max();
    let width = width.unwrap_or_default();
    let lines = outcomes.iter().map(|one| {
        let word = if one.fails { "FAILS" } else { "holds" };
        let (threshold, words) = (&one.threshold, one.in_words());
        format!("  {word}  {threshold:<width$}  is {words}\n")
    });
    let head = if outcomes.is_empty() {
        ""
    } else {
        "Fail if:\n"
    };
    head.to_owned() + &lines.collect::<String>()
}

/// A line per limit, with its outcome and the estimate behind it.
pub fn regressions_text(baseline: &str, outcomes: &[RegressionOutcome]) -> String {
    let width = outcomes.iter().map(|one| one.metric.chars().count()).max();
    let width = width.unwrap_or_default();
    let lines = outcomes.iter().map(|one| {
        format!(
            "  {:<13}  {:<width$}  {}\n",
            resolution_word(one.resolution),
            one.metric,
            one.in_words()
        )
    });
    format!("Against {baseline}:\n{}", lines.collect::<String>())
}

/// The outcome of a limit in one or two words.
pub(super) fn resolution_word(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Regression => "REGRESSION",
        Resolution::NoRegression => "no regression",
        Resolution::NotResolved => "not resolved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Estimate, Spread};

    #[test]
    fn every_threshold_is_listed_with_its_value() {
        let outcome = |threshold: &str, shown: &str, fails, unknown: Option<&str>| Outcome {
            threshold: threshold.to_owned(),
            value: None,
            shown: shown.to_owned(),
            fails,
            unknown: unknown.map(str::to_owned),
        };
        let outcomes = [
            outcome("p99 > 50ms", "12.00ms", false, None),
            outcome("cpu.sidecar > 1", "-", true, Some("no collector ran")),
        ];
        let text = thresholds_text(&outcomes);
        let wanted = "Fail if:\n  holds  p99 > 50ms       is 12.00ms\n  FAILS  cpu.sidecar > 1  is - (cannot be told: no collector ran)\n";
        assert_eq!(text, wanted);
        assert_eq!(thresholds_text(&[]), "");
    }
    #[test]
    fn every_limit_is_listed_with_its_interval() {
        let ratio = Estimate {
            value: 1.3,
            low: 1.25,
            high: 1.35,
            spread: Spread::Interval,
            blocks: 7,
        };
        let outcome = |metric: &str, limit, ratio, resolution, why: &str| RegressionOutcome {
            metric: metric.to_owned(),
            limit,
            ratio,
            resolution,
            why: why.to_owned(),
        };
        let outcomes = [
            outcome(
                "rate",
                None,
                None,
                Resolution::NoRegression,
                "held in 1 of 1 runs",
            ),
            outcome("p99", Some(0.1), Some(ratio), Resolution::Regression, ""),
            outcome(
                "cpu",
                Some(0.025),
                None,
                Resolution::NotResolved,
                "nobody looked",
            ),
        ];
        let wanted = "Against main:\n  no regression  rate  held in 1 of 1 runs\n  \
                      REGRESSION     p99   +30.0 % (+25.0 % to +35.0 %), allowed 10 %\n  \
                      not resolved   cpu   allowed 2.5 %, nobody looked\n";
        assert_eq!(regressions_text("main", &outcomes), wanted);
    }
}
