//! What came of thresholds, in words.

use crate::judge::Outcome;

/// A line per threshold: whether it held, what was measured, and why it cannot be told.
pub fn thresholds_text(outcomes: &[Outcome]) -> String {
    let width = outcomes
        .iter()
        .map(|one| one.threshold.chars().count())
        .max();
    let width = width.unwrap_or_default();
    let lines = outcomes.iter().map(|one| {
        let word = if one.fails { "FAILS" } else { "holds" };
        let why = one
            .unknown
            .as_ref()
            .map_or(String::new(), |why| format!(" (cannot be told: {why})"));
        format!(
            "  {word}  {:<width$}  is {}{why}\n",
            one.threshold, one.shown
        )
    });
    let head = if outcomes.is_empty() {
        ""
    } else {
        "Fail if:\n"
    };
    head.to_owned() + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
