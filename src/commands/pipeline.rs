//! What GitHub Actions shows of a run: annotations, and the job's summary.

use super::outputs::GateSource;
use crate::gate::Resolution;
use crate::store::append_line;
use std::env;
use std::path::Path;

/// Annotates the job and appends to its summary, when GitHub Actions runs this. An error of the summary
/// is printed and fails nothing, because the result is in other files too.
pub fn show(source: &GateSource) {
    if env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        annotate(source);
    }
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return;
    };
    if let Err(error) = append_line(Path::new(&path), source.markdown.as_bytes()) {
        status!("meshload: GITHUB_STEP_SUMMARY: {error}");
    }
}

fn annotate(source: &GateSource) {
    let gate = &source.gate;
    if !source.is_believed {
        status!(
            "::error title=meshload: INVALID::the generator was too slow, so the figures say nothing"
        );
    }
    for one in gate.thresholds.iter().filter(|one| one.fails) {
        let text = format!("{} is {}", one.threshold, one.in_words());
        status!("::error title=meshload: threshold::{}", escaped(&text));
    }
    for one in &gate.regressions {
        let kind = match one.resolution {
            Resolution::Regression => "error title=meshload: regression",
            Resolution::NotResolved => "warning title=meshload: not resolved",
            Resolution::NoRegression => continue,
        };
        let text = format!("{}: {}", one.metric, one.in_words());
        status!("::{kind}::{}", escaped(&text));
    }
}

/// The text with the characters replaced that end or split a workflow command of GitHub.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
