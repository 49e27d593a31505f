//! The findings of `meshload check` as JSON.

use crate::findings::{Finding, State};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    can_run: bool,
    findings: &'a [Finding],
}

/// Writes the output of `meshload check --json`.
pub fn findings_to_json(findings: &[Finding]) -> Vec<u8> {
    let document = Document {
        format: "meshload.check/1",
        can_run: findings.iter().all(|finding| finding.state != State::Bad),
        findings,
    };
    // Cannot fail: the document has no map.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
