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

/// A finished run. The workers' script states live until it is dropped, for the script's `done`.
pub struct Finished {
    pub result: RunResult,
    /// The script error that ended the run early.
    pub script_error: Option<ScriptError>,
    pub(super) main_scripts: Vec<Option<MainScript>>,
    /// Keeps the workers' script states; dropping it dismisses the workers.
    pub(super) _workers: Vec<(usize, WorkerHandle)>,
}

impl Finished {
    /// Runs the script's `done` for each target.
    ///
    /// # Errors
    /// [`ScriptError`] when the script fails.
    pub fn done(&mut self) -> Result<(), ScriptError> {
        for (index, main) in self.main_scripts.iter_mut().enumerate() {
            let Some(main) = main.as_mut().filter(|main| main.has_done()) else {
                continue;
            };
            let target = &self.result.targets[index];
            let open_loop = self.result.is_open_loop();
            let summary = statistics::summary(target, self.result.window.length());
            let latency = statistics::of_latencies(&target.tally, open_loop);
            let rates = statistics::of_rates(&target.thread_rates);
            main.done(&summary, latency, rates)?;
        }
        Ok(())
    }
}
