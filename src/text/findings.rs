//! The findings of `meshload check` as text.

use crate::findings::{Finding, State};
use std::fmt::Write;

/// A line per finding with its cure below it, and a conclusion.
pub fn findings_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut area = "";
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            let _ = writeln!(text, "{area}");
        }
        let mark = match finding.state {
            State::Good => "ok  ",
            State::Skipped => "-   ",
            State::Warn => "warn",
            State::Bad => "BAD ",
        };
        let _ = writeln!(text, "  {mark} {}: {}", finding.name, finding.message);
        if let (Some(cure), true) = (&finding.cure, finding.state >= State::Skipped) {
            let _ = writeln!(text, "         -> {cure}");
        }
    }
    let count = |state| {
        findings
            .iter()
            .filter(|finding| finding.state == state)
            .count()
    };
    let (bad, warnings) = (count(State::Bad), count(State::Warn));
    let _ = match bad {
        0 => writeln!(text, "A sweep can run; {warnings} things to keep in mind."),
        _ => writeln!(text, "A sweep cannot run: {bad} things stand in its way."),
    };
    text
}
