//! JUnit's XML, which build servers show: a test per threshold, and one for the verdict.

use crate::judge::{Level, Outcome, Verdict};
use crate::measure::RunResult;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report of a run. An INVALID run is an error of the measurement, not a failure of what was
/// measured.
pub fn junit_xml(result: &RunResult, verdict: &Verdict, outcomes: &[Outcome]) -> Vec<u8> {
    let urls: Vec<&str> = result
        .targets
        .iter()
        .map(|target| target.target.url.as_str())
        .collect();
    let mut suite = TestSuite::new("meshload");
    suite.add_property(("targets", urls.join(", ").as_str()));
    suite.add_test_case(case("the measurement can be believed", of_verdict(verdict)));
    for outcome in outcomes {
        suite.add_test_case(case(
            &format!("not {}", outcome.threshold),
            of_threshold(outcome),
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

fn of_verdict(verdict: &Verdict) -> TestCaseStatus {
    if verdict.level != Level::Invalid {
        return TestCaseStatus::success();
    }
    let reasons: Vec<String> = verdict
        .reasons
        .iter()
        .map(|one| format!("{}: {}", one.code, one.message))
        .collect();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(format!("INVALID: {}", reasons.join("; ")));
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
