//! Findings, for programs.

use crate::findings::{Finding, State};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    can_run: bool,
    findings: &'a [Finding],
}

/// The text of `meshload check --json`.
pub fn findings_to_json(findings: &[Finding]) -> Vec<u8> {
    let document = Document {
        format: "meshload.check/1",
        can_run: findings.iter().all(|finding| finding.state != State::Bad),
        findings,
    };
    // Cannot fail: there are only texts in it.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
