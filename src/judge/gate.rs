//! What a build passes or fails by, together.

use super::{Level, Outcome, RegressionOutcome, Resolution, Verdict};
use serde::Serialize;

/// What came of all that was asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Gate {
    /// Of thresholds.
    pub thresholds: Vec<Outcome>,
    /// Of what was held against a baseline.
    pub regressions: Vec<RegressionOutcome>,
}

impl Gate {
    /// Whether the build fails. What is not resolved fails nothing.
    pub fn fails(&self) -> bool {
        let is_worse = |one: &RegressionOutcome| one.resolution == Resolution::Regression;
        self.thresholds.iter().any(|one| one.fails) || self.regressions.iter().any(is_worse)
    }
}

/// Whether the runs say something of the system: at most half of them are INVALID.
pub fn are_believed(verdicts: &[Verdict]) -> bool {
    let invalid = verdicts.iter().filter(|one| one.level == Level::Invalid);
    invalid.count() * 2 <= verdicts.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_fails_by_what_is_known_and_not_by_what_is_not() {
        let regression = |resolution| RegressionOutcome {
            metric: "p99".to_owned(),
            limit: Some(0.1),
            ratio: None,
            resolution,
            why: String::new(),
        };
        let threshold = |fails| Outcome {
            threshold: "p99 > 1s".to_owned(),
            value: None,
            shown: String::new(),
            fails,
            unknown: None,
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

    #[test]
    fn runs_are_believed_as_long_as_half_of_them_are() {
        let verdict = |level| Verdict {
            level,
            reasons: Vec::new(),
        };
        let [good, bad] = [Level::Suspect, Level::Invalid].map(verdict);
        assert!(are_believed(&[good.clone()]) && !are_believed(&[bad.clone()]));
        assert!(are_believed(&[good.clone(), bad.clone()]));
        assert!(!are_believed(&[good, bad.clone(), bad]));
    }
}
