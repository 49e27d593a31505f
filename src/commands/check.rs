//! `meshload check`: says before a measurement what of target, script and cluster will work.

use super::environment::environment;
use super::failure::CommandError;
use super::signals::Signals;
use crate::cli::CheckRequest;
use crate::collect::preflight;
use crate::engine::{Job, launch};
use crate::exit::Exit;
use crate::files::findings_to_json;
use crate::findings::{Check, Finding, State};
use crate::measure::{Note, RunResult};
use crate::spec::{CollectFrom, Offered, RunSpec};
use crate::text::findings_text;
use crate::units::{Nanos, Rate};
use std::io::Write;
use std::path::Path;

/// Checks target, script and cluster, and shows what was found.
pub fn check(request: &CheckRequest) -> Result<Exit, CommandError> {
    let signals = Signals::listen()?;
    let mut findings = target(request, &signals);
    findings.extend(preflight(&request.cluster));
    let text = if request.json {
        findings_to_json(&findings)
    } else {
        findings_text(&findings).into_bytes()
    };
    // A reader that has closed the pipe, as `head` does, is not an error.
    let _ = std::io::stdout().write_all(&text);
    let is_bad = findings.iter().any(|finding| finding.state == State::Bad);
    Ok(if is_bad { Exit::Failed } else { Exit::Done })
}

fn target(request: &CheckRequest, signals: &Signals) -> Vec<Finding> {
    let Some(run) = &request.run else {
        let cure = "give the URL, and with -s the script";
        return vec![Finding::skipped(
            Check::Target,
            "target",
            "not checked",
            cure,
        )];
    };
    let script = run
        .script
        .as_ref()
        .map(|script| std::fs::read(&script.path));
    match script.transpose() {
        Ok(script) => try_target(run.clone(), script, signals),
        Err(error) => {
            let error = format!("-s: the script cannot be read: {error}");
            vec![Finding::bad(
                Check::Target,
                &run.targets[0].url,
                error,
                CURE,
            )]
        }
    }
}

const CURE: &str = "check the URL and the script, and that the service is up";

/// Sends half a second of a run's load at 20/s over one connection, whatever its load and length are: enough
/// requests for an answer, and too few to disturb the target. That exercises everything the run
/// needs: the script with its arguments, the headers, the target.
pub fn try_target(mut spec: RunSpec, script: Option<Vec<u8>>, signals: &Signals) -> Vec<Finding> {
    let load = &mut spec.load;
    load.offered = Rate::per_second(20.0).map_or(load.offered, Offered::Rate);
    (load.warmup, load.guard) = (Nanos::ZERO, Nanos::ZERO);
    load.duration = Nanos::from_millis(500);
    (load.connections, load.max_connections, load.threads) = (1, 1, 1);
    spec.collect.from = CollectFrom::None;
    let url = spec
        .targets
        .first()
        .map_or(String::new(), |one| one.url.clone());
    let path = spec.script.as_ref().map(|script| script.path.clone());
    let job = Job {
        spec,
        script,
        prints_to_stderr: true,
        environment: environment(),
    };
    let outcome = launch(&job, &mut |_| {}, &|| signals.received().is_some());
    let outcome = outcome.map_err(|error| error.to_string());
    let result = outcome.and_then(|finished| match finished.script.error {
        Some(error) => Err(error.to_string()),
        None => Ok(finished.result),
    });
    match result {
        Ok(result) => answers(&result, &url, path.as_deref()),
        Err(error) => vec![Finding::bad(Check::Target, &url, error, CURE)],
    }
}

fn answers(result: &RunResult, name: &str, script: Option<&Path>) -> Vec<Finding> {
    let tally = result.overall();
    let statuses: Vec<String> = tally
        .status
        .iter()
        .map(|(code, count)| format!("{count} x {code}"))
        .collect();
    let mut findings = Vec::new();
    if let Some(script) = script {
        findings.push(Finding::good(
            Check::Script,
            &script.display().to_string(),
            "loads and makes requests",
        ));
    }
    findings.push(if tally.completed == 0 {
        let why = result
            .notes
            .first()
            .map_or("no reply within half a second".to_owned(), Note::to_string);
        Finding::bad(
            Check::Target,
            name,
            why,
            "check that the service is up and answers in time",
        )
    } else if tally.status.bad() > 0 || tally.failed > 0 {
        Finding::warn(
            Check::Target,
            name,
            format!(
                "answers {}, {} requests failed",
                statuses.join(", "),
                tally.failed
            ),
            "check the path, and that the service's data are loaded",
        )
    } else {
        Finding::good(
            Check::Target,
            name,
            format!("answers {}", statuses.join(", ")),
        )
    });
    findings
}
