//! One run, as every command makes it: the collector before the load, the load with a live line, the
//! cluster's last samples, the verdict.

use super::collection::{CLUSTER_GUARD, Collection};
use super::environment::environment;
use super::live::Live;
use super::output_files::{OutputFiles, WrittenRun};
use super::signals::Signals;

use crate::cli::Outputs;
use crate::collect::{CollectError, Collected};
use crate::engine::{EngineError, Finished, FinishedScript, Job, launch};
use crate::spec::RunSpec;
use crate::verdict::JudgedRun;

/// What is around the question.
pub struct RunOptions<'a> {
    /// The text of the script.
    pub script: Option<Vec<u8>>,
    /// Where the result goes.
    pub outputs: &'a Outputs,
    /// Whether the user chose the guard; if not, a run that collects from a cluster gets a longer one,
    /// because samples of a cluster are late.
    pub guard_is_given: bool,
    /// Before the live line.
    pub title: String,
    /// Whether the live line is hidden.
    pub hides_progress: bool,
    /// Whether stdout is taken by something other than what a script prints.
    pub prints_to_stderr: bool,
}

/// A run that was measured and judged, and not yet written.
pub struct Measured {
    pub run: JudgedRun,
    pub script: FinishedScript,
    files: OutputFiles,
    collected: Option<Collected>,
}

/// Why there is nothing measured.
#[derive(Debug, thiserror::Error)]
pub enum NotMeasured {
    /// Figures were asked for that cannot be had.
    #[error(transparent)]
    Collector(#[from] CollectError),
    /// The flag, the place and the cure.
    #[error("{0}")]
    Outputs(String),
    /// The load did not begin.
    #[error(transparent)]
    Load(#[from] EngineError),
}

/// Makes a run.
///
/// # Errors
/// [`NotMeasured`]; then nothing is left behind.
pub fn measure(
    mut spec: RunSpec,
    options: &RunOptions<'_>,
    signals: &Signals,
) -> Result<Measured, NotMeasured> {
    let outputs = options.outputs;
    let mut collection = Collection::start(&spec.collect, outputs.quiet)?;
    if !options.guard_is_given && collection.is_of_cluster() {
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
