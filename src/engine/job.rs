//! A run to be made, and a finished one.

use super::statistics;
use super::worker_handle::WorkerHandle;
use crate::measure::{Environment, RunResult};
use crate::script::{MainScript, ScriptError};
use crate::spec::RunSpec;

/// A run to be made.
pub struct Job {
    pub spec: RunSpec,
    /// The text of the script.
    pub script: Option<Vec<u8>>,
    /// Whether what the script prints goes to stderr, because stdout is taken.
    pub prints_to_stderr: bool,
    /// Machine and program version, stored in the result.
    pub environment: Environment,
}

/// What a run leaves behind: the result, and the script for what it says at the end.
pub struct Finished {
    pub result: RunResult,
    pub script: FinishedScript,
}

/// The script of a finished run. Its `done` reads tables that the workers' script states fill, so those
/// states live until this is dropped.
pub struct FinishedScript {
    /// The script error that ended the run early.
    pub error: Option<ScriptError>,
    pub(super) mains: Vec<Option<MainScript>>,
    /// Keeps the workers' script states; dropping it dismisses the workers.
    pub(super) _workers: Vec<(usize, WorkerHandle)>,
}

impl FinishedScript {
    /// Runs the script's `done` for each target of the run's result.
    ///
    /// # Errors
    /// [`ScriptError`] when the script fails.
    pub fn done(&mut self, result: &RunResult) -> Result<(), ScriptError> {
        for (main, target) in self.mains.iter_mut().zip(result.targets.iter()) {
            let Some(main) = main.as_mut().filter(|main| main.has_done()) else {
                continue;
            };
            let summary = statistics::summary(target, result.window.length());
            let latency = statistics::of_latencies(&target.tally, result.is_open_loop());
            let rates = statistics::of_rates(&target.thread_rates);
            main.done(&summary, latency, rates)?;
        }
        Ok(())
    }
}
