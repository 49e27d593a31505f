//! The gate: all thresholds and limits of a build together.

use super::{Outcome, RegressionOutcome, Resolution};
use serde::Serialize;

/// The outcomes of all thresholds and limits; the content of gate.json.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Gate {
    pub thresholds: Vec<Outcome>,
    /// The outcomes of the comparison with a baseline; empty without one.
    pub regressions: Vec<RegressionOutcome>,
}

impl Gate {
    /// Whether the build fails. An outcome that is not resolved does not fail it.
    pub fn fails(&self) -> bool {
        let is_worse = |one: &RegressionOutcome| one.resolution == Resolution::Regression;
        self.thresholds.iter().any(|one| one.fails) || self.regressions.iter().any(is_worse)
    }
}

/// A gate with every kind of outcome, for tests.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::statistics::{Estimate, Spread};

    pub fn gate() -> Gate {
        let threshold = |threshold: &str, shown: &str, fails, unknown: Option<&str>| Outcome {
            threshold: threshold.to_owned(),
            value: None,
            shown: shown.to_owned(),
            fails,
            unknown: unknown.map(str::to_owned),
        };
        let regression = |metric: &str, ratio, resolution, why: &str| RegressionOutcome {
            metric: metric.to_owned(),
            limit: (metric != "rate").then_some(0.1),
            ratio,
            resolution,
            why: why.to_owned(),
        };
        let ratio = |value: f64| Estimate {
            value,
            low: value * 0.96,
            high: value * 1.04,
            spread: Spread::Interval,
            blocks: 12,
        };
        Gate {
            thresholds: vec![
                threshold("p99 > 50ms", "12.00ms", false, None),
                threshold("route(\"GET /a|b\").p99 > 1ms", "2.00ms", true, None),
                threshold("cpu.app > 1", "-", true, Some("no <figure> for it")),
            ],
            regressions: vec![
                regression(
                    "rate",
                    None,
                    Resolution::NoRegression,
                    "held in 6 of 6 runs",
                ),
                regression("p50", Some(ratio(1.01)), Resolution::NoRegression, ""),
                regression("p99", Some(ratio(1.3)), Resolution::Regression, ""),
                regression(
                    "cpu",
                    Some(ratio(1.1)),
                    Resolution::NotResolved,
                    "the limit is inside",
                ),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_that_cannot_be_evaluated_says_why_beside_its_value() {
        let words = sample::gate().thresholds.into_iter();
        let words: Vec<String> = words.map(|one| one.in_words()).collect();
        assert_eq!(
            words,
            [
                "12.00ms",
                "2.00ms",
                "- (cannot be told: no <figure> for it)"
            ]
        );
    }

    #[test]
    fn a_build_fails_by_what_is_known_and_not_by_what_is_not() {
        let sample = sample::gate();
        let regression = |resolution| RegressionOutcome {
            resolution,
            ..sample.regressions[0].clone()
        };
        let threshold = |fails| Outcome {
            fails,
            ..sample.thresholds[0].clone()
        };
        for (fails, resolution, wanted) in [
            (false, Resolution::NoRegression, false),
            (false, Resolution::NotResolved, false),
            (false, Resolution::Regression, true),
            (true, Resolution::NoRegression, true),
        ] {
            let gate = Gate {
                thresholds: vec![threshold(fails)],
                regressions: vec![regression(resolution)],
            };
            assert_eq!(gate.fails(), wanted, "{gate:?}");
        }
        assert!(!Gate::default().fails());
    }
}
