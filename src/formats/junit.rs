//! JUnit's XML, which build servers show: a test per threshold and limit, and one for the verdict.

use crate::judge::{Gate, Outcome, RegressionOutcome, Resolution, Verdict, are_believed};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report of a run, or of several of one question. An INVALID run is an error of the measurement,
/// not a failure of what was measured; what is not resolved is skipped.
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
    // Cannot fail: it writes to memory.
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
