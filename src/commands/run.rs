//! `meshload run`: one run, from the flags to the exit code.

use super::collection::Collection;
use super::environment::environment;
use super::fail;
use super::live::Live;
use super::pipeline;
use super::signals::Signals;
use super::sinks::Sinks;
use crate::cli::{Destination, RunRequest};
use crate::cluster::Collected;
use crate::engine::{Finished, Job, launch};
use crate::exit::Exit;
use crate::judge::{Level, Outcome, Verdict, verdict};
use crate::measure::{Ending, RunResult};
use crate::render::{outcome_text, thresholds_text, wrk_text};
use crate::spec::RunSpec;
use std::io::{self, Write};

/// Makes a run.
pub fn run(request: &RunRequest) -> Exit {
    match read_script(&request.spec) {
        Ok(script) => run_with_script(request, script),
        Err(message) => fail(Exit::Usage, &message),
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
    let mut request = request.clone();
    let quiet = request.outputs.quiet;
    let mut collection = match Collection::start(&mut request.spec, request.guard_is_given, quiet) {
        Ok(collection) => collection,
        Err(error) => return fail(Exit::Failed, &error),
    };
    let mut sinks = match Sinks::open(&request.outputs, &request.spec, script.as_deref()) {
        Ok(sinks) => sinks,
        Err(error) => return fail(Exit::Usage, &error),
    };
    if !request.outputs.quiet {
        for note in &request.notes {
            note!("note: {note}");
        }
    }
    let job = Job {
        spec: request.spec.clone(),
        script,
        prints_to_stderr: request.outputs.json == Some(Destination::Stdout),
        environment: environment(),
    };
    let live = Live::new(
        String::new(),
        request.spec.window().stop,
        request.outputs.quiet,
    );
    let outcome = launch(
        &job,
        &mut |event| {
            live.observe(&event);
            collection.observe(&event);
            sinks.observe(&event);
        },
        &|| signals.received().is_some(),
    );
    live.finish();
    match outcome {
        Ok(mut finished) => {
            let collected = collection.finish(&mut finished.result, &signals);
            let judged = Judged::of(&request, &finished.result);
            conclude(finished, &judged, sinks, &signals, collected.as_ref())
        }
        Err(error) => {
            sinks.abandon();
            fail(signals.received().unwrap_or(Exit::Failed), &error)
        }
    }
}

/// What came of a run.
struct Judged {
    verdict: Verdict,
    outcomes: Vec<Outcome>,
}

impl Judged {
    fn of(request: &RunRequest, result: &RunResult) -> Judged {
        let thresholds = request.thresholds.iter();
        Judged {
            verdict: verdict(result),
            outcomes: thresholds.map(|one| one.judge(result)).collect(),
        }
    }
}

/// Shows and writes what was measured, lets the script have its say, and judges.
fn conclude(
    mut finished: Finished,
    judged: &Judged,
    sinks: Sinks,
    signals: &Signals,
    collected: Option<&Collected>,
) -> Exit {
    let Judged { verdict, outcomes } = judged;
    let text = wrk_text(&finished.result);
    let takes_stdout = sinks.takes_stdout();
    let (json, errors) = sinks.finish(
        &finished.result,
        verdict,
        outcomes,
        &text,
        collected.map(|collected| &collected.book.log),
    );
    let mut printed = match &json {
        Some(json) => print(json),
        None => print(text.as_bytes()),
    };
    // A script that never returns from done() must not outlive the first signal.
    signals.end_at_once();
    let done = finished.done();
    if !takes_stdout {
        let account = outcome_text(&finished.result, verdict) + &thresholds_text(outcomes);
        printed = printed.and(print(account.as_bytes()));
    }
    pipeline::show(&finished.result, verdict, outcomes);
    let mut exit = exit_of(&finished, judged, signals);
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

fn exit_of(finished: &Finished, judged: &Judged, signals: &Signals) -> Exit {
    let result = &finished.result;
    let completed: u64 = result
        .targets
        .iter()
        .map(|target| target.tally.completed)
        .sum();
    match result.ending {
        Ending::Interrupted => signals.received().unwrap_or(Exit::Interrupted),
        Ending::Aborted => Exit::Failed,
        Ending::Complete if completed == 0 => {
            let why = result
                .notes
                .first()
                .map_or("none was answered in time", String::as_str);
            fail(
                Exit::Failed,
                &format!("not one request was completed; {why}"),
            )
        }
        Ending::Complete if judged.verdict.level == Level::Invalid => Exit::NotTrustworthy,
        Ending::Complete if judged.outcomes.iter().any(|one| one.fails) => Exit::Threshold,
        Ending::Complete => Exit::Done,
    }
}
