//! JUnit's XML, which build servers show: a test case for the verdict, and one per threshold and limit.

use crate::gate::{Gate, Outcome, RegressionOutcome, Resolution, are_believed};
use crate::verdict::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Writes the report of a run, or of repeated runs. An INVALID run is an error, because the measurement
/// failed and not the system; a limit that is not resolved counts as skipped.
pub fn junit_xml(urls: &[&str], verdicts: &[Verdict], gate: &Gate) -> Vec<u8> {
    let mut suite = TestSuite::new("meshload");
    suite.add_property(("targets", urls.join(", ").as_str()));
    suite.add_test_case(case(
        "the measurement can be believed",
        of_verdicts(verdicts),
    ));
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

fn of_verdicts(verdicts: &[Verdict]) -> TestCaseStatus {
    if are_believed(verdicts) {
        return TestCaseStatus::success();
    }
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
    let why = outcome
        .unknown
        .as_ref()
        .map_or(String::new(), |why| format!(" (cannot be told: {why})"));
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(format!("{} is {}{why}", outcome.threshold, outcome.shown));
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
        let xml = junit_xml(&urls, &[verdict], &sample_gate::gate());
        String::from_utf8(xml).expect("text")
    }

    #[test]
    fn the_xml_is_the_golden_one() {
        sample::assert_golden("junit.xml", &xml(Level::Valid));
    }

    #[test]
    fn an_invalid_run_is_an_error_and_no_failure() {
        sample::assert_golden("junit_invalid.xml", &xml(Level::Invalid));
    }
}
