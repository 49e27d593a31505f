//! JUnit's XML, which build servers show: a test case for the verdict, and one per threshold and limit.

use crate::gate::{Gate, Outcome, RegressionOutcome, Resolution};
use crate::verdict::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Writes the report of a run, or of repeated runs. Runs that cannot be believed, for the reasons of their
/// verdicts, are an error, because the measurement failed and not the system; a limit that is not resolved
/// counts as skipped.
pub fn junit_xml(urls: &[&str], is_believed: bool, verdicts: &[Verdict], gate: &Gate) -> Vec<u8> {
    let mut suite = TestSuite::new("meshload");
    suite.add_property(("targets", urls.join(", ").as_str()));
    let belief = match is_believed {
        true => TestCaseStatus::success(),
        false => not_believed(verdicts),
    };
    suite.add_test_case(case("the measurement can be believed", belief));
    for outcome in &gate.thresholds {
        suite.add_test_case(case(
            &format!("not {}", outcome.threshold),
            of_threshold(outcome),
        ));
    }
    for outcome in &gate.regressions {
        suite.add_test_case(case(
            &format!("no regression of {}", outcome.metric),
            of_regression(outcome),
        ));
    }
    let mut report = Report::new("meshload");
    report.add_test_suite(suite);
    // Cannot fail: the report is written to memory.
    report.to_string().unwrap_or_default().into_bytes()
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname("meshload");
    case
}

fn not_believed(verdicts: &[Verdict]) -> TestCaseStatus {
    let reasons = verdicts.iter().flat_map(|verdict| &verdict.reasons);
    let mut reasons: Vec<String> = reasons
        .map(|one| format!("{}: {}", one.code, one.message))
        .collect();
    reasons.dedup();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(format!("INVALID: {}", reasons.join("; ")));
    status
}

fn of_regression(outcome: &RegressionOutcome) -> TestCaseStatus {
    let mut status = match outcome.resolution {
        Resolution::NoRegression => return TestCaseStatus::success(),
        Resolution::Regression => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Resolution::NotResolved => TestCaseStatus::skipped(),
    };
    status.set_message(outcome.in_words());
    status
}

fn of_threshold(outcome: &Outcome) -> TestCaseStatus {
    if !outcome.fails {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(format!("{} is {}", outcome.threshold, outcome.in_words()));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::sample_gate;
    use crate::measure::sample;
    use crate::verdict::{Level, Reason};

    fn xml(level: Level) -> String {
        let reason = Reason {
            code: "generator_late".to_owned(),
            message: "99 % of 1 < 2".to_owned(),
        };
        let verdict = Verdict {
            level,
            reasons: vec![reason],
        };
        let urls = ["http://a/?b=1&c=2"];
        let xml = junit_xml(
            &urls,
            level != Level::Invalid,
            &[verdict],
            &sample_gate::gate(),
        );
        String::from_utf8(xml).expect("text")
    }

    #[test]
    fn the_xml_is_the_golden_one() {
        sample::assert_golden("junit.xml", &xml(Level::Valid));
    }

    #[test]
    fn runs_that_are_not_believed_are_an_error_whatever_their_verdicts_are_in_sum() {
        let verdicts = [Level::Invalid, Level::Valid, Level::Valid].map(|level| Verdict {
            level,
            reasons: Vec::new(),
        });
        for is_believed in [true, false] {
            let xml = junit_xml(&["http://a/"], is_believed, &verdicts, &Gate::default());
            let xml = String::from_utf8(xml).expect("text");
            assert_eq!(xml.contains("<error"), !is_believed, "{xml}");
        }
    }

    #[test]
    fn an_invalid_run_is_an_error_and_no_failure() {
        sample::assert_golden("junit_invalid.xml", &xml(Level::Invalid));
    }
}
