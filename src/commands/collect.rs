//! `meshload collect`: runs the collector beside a load of another program.

use super::collection::{LATE_SAMPLES, wait};
use super::environment::environment;
use super::failure::{CommandError, fail};
use super::output_files::write_outputs;
use super::outputs::{CollectedSource, collected_outputs};
use super::signals::Signals;
use crate::cli::CollectRequest;
use crate::clock::RunClock;
use crate::collect::{Collected, Collector, spans};
use crate::exit::Exit;
use crate::files::collection_to_json;
use crate::resources::Resources;
use crate::spec::{CollectSpec, Window};
use crate::store::{COLLECT_JSON, ResultFolder, StoreError};
use crate::text::resources_text;
use crate::units::Nanos;
use std::io::Write;

/// Collects over a window and shows what pods or processes used in it.
pub fn collect(request: &CollectRequest) -> Result<Exit, CommandError> {
    let signals = Signals::listen()?;
    let folder = request.folder.as_deref().map(ResultFolder::create);
    let named = |error: StoreError| CommandError::usage(format!("-o: {error}"));
    let folder = folder.transpose().map_err(named)?;
    let outcome = over_window(&request.spec, request.length, &signals);
    let (collected, resources) = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            folder.into_iter().for_each(ResultFolder::abandon);
            let exit = signals.received().unwrap_or(Exit::Failed);
            return Err(CommandError::new(exit, error));
        }
    };
    let json = collection_to_json(&resources, &environment(), &request.spec);
    let text = if request.json {
        json.clone()
    } else {
        resources_text(&resources).into_bytes()
    };
    // A reader that has closed the pipe, as `head` does, is not an error.
    let _ = std::io::stdout().write_all(&text);
    let source = CollectedSource {
        log: &collected.store.log,
        resources: &resources,
        spec: None,
    };
    let mut exit = signals.received().unwrap_or(Exit::Done);
    for error in folder.map_or(Vec::new(), |folder| fill(folder, &source, &json)) {
        exit = fail(Exit::Failed, &error);
    }
    Ok(exit)
}

/// Collects over a window of this length, or until a signal comes.
fn over_window(
    spec: &CollectSpec,
    length: Nanos,
    signals: &Signals,
) -> Result<(Collected, Resources), Box<dyn std::error::Error>> {
    let collector = Collector::start(spec)?.ok_or("there is nothing to collect from")?;
    let info = &collector.info;
    status!("note: {}", info.summary);
    for note in &info.notes {
        status!("note: {note}");
    }
    let is_late = info.is_cluster;
    let clock = RunClock::start();
    let window = |end| Window {
        start: Nanos::ZERO,
        end,
        stop: end,
    };
    let start = collector.begin(&clock, window(length));
    signals.wait_until(|| clock.now() >= length);
    let end = clock.now().min(length);
    if is_late && signals.received().is_none() {
        status!("note: waiting for samples that were taken in the window, at most 20 s");
    }
    let longest = if is_late { LATE_SAMPLES } else { Nanos::ZERO };
    let collected = wait(collector, longest, signals)?;
    let resources = collected.resources(spans(start, window(end)));
    Ok((collected, resources))
}

/// Fills the folder of a collection; returns the errors of the files that could not be written.
fn fill(folder: ResultFolder, source: &CollectedSource<'_>, json: &[u8]) -> Vec<StoreError> {
    let mut errors = write_outputs(folder.path(), collected_outputs(), source);
    errors.extend(folder.finish(COLLECT_JSON, json).err());
    errors
}
