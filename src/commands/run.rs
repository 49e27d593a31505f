//! `meshload run`: one run, from the flags to the exit code.

use super::failure::{CommandError, fail};
use super::measurement::{Measured, RunOptions, measure, no_reply};
use super::output_files::FlagFiles;
use super::outputs::{GateSource, RunSource, gate_flag_outputs};
use super::pipeline;
use super::signals::Signals;
use super::trial::trial;
use crate::cli::{Destination, RunRequest};
use crate::exit::Exit;
use crate::gate::Gate;
use crate::measure::Ending;
use crate::spec::RunSpec;
use crate::text::{outcome_text, summary_markdown, thresholds_text};
use crate::verdict::{JudgedRun, Level};
use std::io::{self, Write};

/// Makes one run, or with `--repeat` or `--baseline` several.
pub fn run(request: &RunRequest) -> Result<Exit, CommandError> {
    let script = read_script(&request.spec).map_err(CommandError::usage)?;
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

/// Makes one run. `script` is the text of its script.
pub fn run_with_script(
    request: &RunRequest,
    script: Option<Vec<u8>>,
) -> Result<Exit, CommandError> {
    let signals = Signals::listen()?;
    if !request.outputs.quiet {
        for note in &request.notes {
            status!("note: {note}");
        }
    }
    let options = RunOptions {
        script,
        outputs: &request.outputs,
        title: String::new(),
        hides_progress: request.outputs.quiet,
        prints_to_stderr: request.outputs.json == Some(Destination::Stdout),
    };
    let gate_files = FlagFiles::begin(gate_flag_outputs(), &request.outputs);
    let gate_files = gate_files.map_err(CommandError::usage)?;
    let measured = measure(request.spec.clone(), &options, &signals);
    let measured = measured.map_err(|error| {
        let exit = signals.received().unwrap_or(error.exit());
        CommandError::new(exit, error)
    })?;
    Ok(conclude(measured, gate_files, request, &signals))
}

/// Writes and shows a run, runs the script's `done`, and decides how the process exits.
fn conclude(
    measured: Measured,
    gate_files: FlagFiles<GateSource>,
    request: &RunRequest,
    signals: &Signals,
) -> Exit {
    let gate = gate_source(&measured.run, request);
    let (written, mut script) = measured.write();
    let RunSource {
        run,
        wrk_text,
        json,
    } = &written.source;
    let mut errors = written.errors;
    errors.extend(gate_files.write(&gate));
    let mut printed = print(if written.takes_stdout {
        json
    } else {
        wrk_text.as_bytes()
    });
    // A script whose done() never returns must not keep the process alive after the first signal.
    signals.end_at_once();
    let done = script.done(&run.result);
    if !written.takes_stdout {
        let account = outcome_text(run) + &thresholds_text(&gate.gate.thresholds);
        printed = printed.and(print(account.as_bytes()));
    }
    pipeline::show(&gate);
    let mut exit = exit_of(run, &gate.gate, signals);
    if let Err(error) = printed {
        exit = fail(Exit::Failed, &format!("cannot write to stdout: {error}"));
    }
    for error in errors {
        exit = fail(Exit::Failed, &error);
    }
    if let Some(error) = &script.error {
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

/// The thresholds of a run and what came of them.
fn gate_source(run: &JudgedRun, request: &RunRequest) -> GateSource {
    let thresholds = request.thresholds.iter();
    let thresholds = thresholds.map(|one| one.judge(&run.result));
    let gate = Gate {
        thresholds: thresholds.collect(),
        regressions: Vec::new(),
    };
    let urls = run.result.urls().into_iter();
    GateSource {
        urls: urls.map(str::to_owned).collect(),
        is_believed: run.verdict.level != Level::Invalid,
        verdicts: vec![run.verdict.clone()],
        markdown: summary_markdown(run, &gate),
        gate,
    }
}

/// Writes to stdout. A reader that has closed the pipe, as `head` does, is not an error of the run.
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn exit_of(run: &JudgedRun, gate: &Gate, signals: &Signals) -> Exit {
    if run.result.ending == Ending::Complete
        && let Some(why) = no_reply(&run.result)
    {
        return fail(Exit::Failed, &why);
    }
    match run.result.ending {
        Ending::Interrupted => signals.received().unwrap_or(Exit::Interrupted),
        Ending::Aborted => Exit::Failed,
        Ending::Complete if run.verdict.level == Level::Invalid => Exit::NotTrustworthy,
        Ending::Complete if gate.fails() => Exit::Threshold,
        Ending::Complete => Exit::Done,
    }
}
