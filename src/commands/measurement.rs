//! One run, as every command makes it: the collector is started before the load, the load runs with a live
//! line, the cluster's last samples are awaited, and the result is judged.

use super::collection::{CLUSTER_GUARD, Collection};
use super::environment::environment;
use super::live::Live;
use super::output_files::{OutputFiles, WrittenRun};
use super::signals::Signals;

use crate::cli::Outputs;
use crate::collect::{CollectError, Collected};
use crate::engine::{EngineError, Finished, FinishedScript, Job, launch};
use crate::exit::Exit;
use crate::measure::{Note, RunResult};
use crate::spec::RunSpec;
use crate::verdict::JudgedRun;

/// What a run needs besides its specification.
pub struct RunOptions<'a> {
    /// The text of the script.
    pub script: Option<Vec<u8>>,
    pub outputs: &'a Outputs,
    /// The text before the live line.
    pub title: String,
    pub hides_progress: bool,
    /// Whether what a script prints goes to stderr, because stdout has another use.
    pub prints_to_stderr: bool,
}

/// A run that was measured and judged, and not yet written.
pub struct Measured {
    pub run: JudgedRun,
    pub script: FinishedScript,
    files: OutputFiles,
    collected: Option<Collected>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum NotMeasured {
    /// The figures that `--collect` asks for cannot be collected.
    #[error(transparent)]
    Collector(#[from] CollectError),
    /// An output cannot be written: the flag, the path and the cure.
    #[error("{0}")]
    Outputs(String),
    /// The load could not be started.
    #[error(transparent)]
    Load(#[from] EngineError),
}

impl NotMeasured {
    /// How the process exits when nothing was measured.
    pub fn exit(&self) -> Exit {
        match self {
            NotMeasured::Outputs(_) | NotMeasured::Load(EngineError::Tls(_)) => Exit::Usage,
            NotMeasured::Collector(_) | NotMeasured::Load(_) => Exit::Failed,
        }
    }
}

/// Makes a run.
///
/// # Errors
/// [`NotMeasured`]; no file is left behind.
pub fn measure(
    mut spec: RunSpec,
    options: &RunOptions<'_>,
    signals: &Signals,
) -> Result<Measured, NotMeasured> {
    let outputs = options.outputs;
    let mut collection = Collection::start(&spec.collect, outputs.quiet)?;
    if !spec.load.guard_pinned && collection.is_of_cluster() {
        spec.load.guard = CLUSTER_GUARD;
    }
    let script = options.script.as_deref();
    let mut files = OutputFiles::open(outputs, &spec, script).map_err(NotMeasured::Outputs)?;
    let window = spec.window();
    let job = Job {
        spec,
        script: options.script.clone(),
        prints_to_stderr: options.prints_to_stderr,
        environment: environment(),
    };
    let mut live = Live::new(options.title.clone(), window.stop, options.hides_progress);
    let outcome = launch(
        &job,
        &mut |event| {
            live.observe(&event);
            collection.observe(&event);
            files.observe(&event);
        },
        &|| signals.received().is_some(),
    );
    live.finish();
    match outcome {
        Ok(Finished { mut result, script }) => Ok(Measured {
            collected: collection.finish(&mut result, signals),
            run: JudgedRun::judge(result),
            script,
            files,
        }),
        Err(error) => {
            files.abandon();
            Err(error.into())
        }
    }
}

impl Measured {
    /// Writes the outputs of the run. The script is handed back, because its `done` runs after that.
    pub fn write(self) -> (WrittenRun, FinishedScript) {
        let samples = self
            .collected
            .as_ref()
            .map(|collected| &collected.store.log);
        (self.files.finish(self.run, samples), self.script)
    }
}

/// The reason to refuse a run in which no request was completed; `None` when one was completed.
pub fn no_reply(result: &RunResult) -> Option<String> {
    if result.overall().completed > 0 {
        return None;
    }
    let mut notes = result.notes.iter();
    let error = notes.find(|note| matches!(note, Note::FirstError { .. }));
    let reason = error.map_or("none was answered in time".to_owned(), Note::to_string);
    Some(format!("not one request was completed; {reason}"))
}
