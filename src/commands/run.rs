//! `meshload run`: one run, from the flags to the exit code.

use super::fail;
use super::measurement::{Measured, NotMeasured, RunOptions, Written, measure};
use super::pipeline;
use super::signals::Signals;
use super::trial::trial;
use crate::cli::{Destination, RunRequest};
use crate::engine::EngineError;
use crate::engine::Finished;
use crate::exit::Exit;
use crate::gate::Gate;
use crate::measure::{Ending, Note, RunResult};
use crate::spec::RunSpec;
use crate::text::{outcome_text, summary_markdown, thresholds_text};
use crate::verdict::{Level, Verdict};
use std::io::{self, Write};

/// Makes a run, or several.
pub fn run(request: &RunRequest) -> Exit {
    let script = match read_script(&request.spec) {
        Ok(script) => script,
        Err(message) => return fail(Exit::Usage, &message),
    };
    match &request.repetition {
        Some(repetition) => trial(request, repetition, script),
        None => run_with_script(request, script),
    }
}

fn read_script(spec: &RunSpec) -> Result<Option<Vec<u8>>, String> {
    let Some(script) = &spec.script else {
        return Ok(None);
    };
    let unreadable = |error| {
        let path = script.path.display();
        format!("-s: cannot read {path}: {error}; check the path")
    };
    std::fs::read(&script.path).map(Some).map_err(unreadable)
}

/// Makes a run with this text as its script.
pub fn run_with_script(request: &RunRequest, script: Option<Vec<u8>>) -> Exit {
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(Exit::Failed, &error),
    };
    if !request.outputs.quiet {
        for note in &request.notes {
            note!("note: {note}");
        }
    }
    let options = RunOptions {
        script,
        outputs: &request.outputs,
        guard_is_given: request.guard_is_given,
        title: String::new(),
        hides_progress: request.outputs.quiet,
        prints_to_stderr: request.outputs.json == Some(Destination::Stdout),
    };
    match measure(request.spec.clone(), &options, &signals) {
        Ok(measured) => conclude(measured, request, &signals),
        Err(error) => fail(
            signals.received().unwrap_or(exit_of_nothing(&error)),
            &error,
        ),
    }
}

/// With nothing measured.
pub fn exit_of_nothing(error: &NotMeasured) -> Exit {
    match error {
        NotMeasured::Outputs(_) | NotMeasured::Load(EngineError::Tls(_)) => Exit::Usage,
        NotMeasured::Collector(_) | NotMeasured::Load(_) => Exit::Failed,
    }
}

/// Shows and writes what was measured, lets the script have its say, and judges.
fn conclude(measured: Measured, request: &RunRequest, signals: &Signals) -> Exit {
    let thresholds = request.thresholds.iter();
    let thresholds = thresholds.map(|one| one.judge(&measured.finished.result));
    let gate = Gate {
        thresholds: thresholds.collect(),
        regressions: Vec::new(),
    };
    let (mut finished, verdict, written) = measured.write(&gate);
    let Written { text, json, errors } = written;
    let mut printed = match &json {
        Some(json) => print(json),
        None => print(text.as_bytes()),
    };
    // A script that never returns from done() must not outlive the first signal.
    signals.end_at_once();
    let done = finished.done();
    if json.is_none() {
        let account = outcome_text(&finished.result, &verdict) + &thresholds_text(&gate.thresholds);
        printed = printed.and(print(account.as_bytes()));
    }
    pipeline::show(
        &summary_markdown(&finished.result, &verdict, &gate),
        verdict.level != Level::Invalid,
        &gate,
    );
    let mut exit = exit_of(&finished, &verdict, &gate, signals);
    if let Err(error) = printed {
        exit = fail(Exit::Failed, &format!("cannot write to stdout: {error}"));
    }
    for error in errors {
        exit = fail(Exit::Failed, &error);
    }
    if let Some(error) = &finished.script_error {
        exit = fail(
            Exit::Failed,
            &format!("the script failed and ended the run\n{error}"),
        );
    }
    if let Err(error) = done {
        exit = fail(Exit::Failed, &error);
    }
    exit
}

/// A reader that has gone away, as `head` does, is not an error of the run's.
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn exit_of(finished: &Finished, verdict: &Verdict, gate: &Gate, signals: &Signals) -> Exit {
    if finished.result.ending == Ending::Complete
        && let Some(why) = no_answer(&finished.result)
    {
        return fail(Exit::Failed, &why);
    }
    match finished.result.ending {
        Ending::Interrupted => signals.received().unwrap_or(Exit::Interrupted),
        Ending::Aborted => Exit::Failed,
        Ending::Complete if verdict.level == Level::Invalid => Exit::NotTrustworthy,
        Ending::Complete if gate.fails() => Exit::Threshold,
        Ending::Complete => Exit::Done,
    }
}

/// Why nothing can be said of a run in which no request was completed.
pub fn no_answer(result: &RunResult) -> Option<String> {
    if result.overall().completed > 0 {
        return None;
    }
    let mut notes = result.notes.iter();
    let error = notes.find(|note| matches!(note, Note::FirstError { .. }));
    let why = error.map_or("none was answered in time".to_owned(), Note::to_string);
    Some(format!("not one request was completed; {why}"))
}
