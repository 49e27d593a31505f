//! One run, as every command makes it: the collector before the load, the load with a live line, the
//! cluster's last samples, the verdict.

use super::collection::{CLUSTER_GUARD, Collection};
use super::environment::environment;
use super::live::Live;
use super::signals::Signals;
use super::sinks::Sinks;
use crate::cli::Outputs;
use crate::collect::{CollectError, Collected};
use crate::engine::{EngineError, Finished, Job, launch};
use crate::gate::Gate;
use crate::spec::RunSpec;
use crate::store::StoreError;
use crate::text::wrk_text;
use crate::verdict::{Verdict, verdict};

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

/// A run that was measured and not yet written.
pub struct Measured {
    pub finished: Finished,
    pub verdict: Verdict,
    sinks: Sinks,
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
    let mut sinks =
        Sinks::open(outputs, &spec, options.script.as_deref()).map_err(NotMeasured::Outputs)?;
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
            sinks.observe(&event);
        },
        &|| signals.received().is_some(),
    );
    live.finish();
    match outcome {
        Ok(mut finished) => Ok(Measured {
            collected: collection.finish(&mut finished.result, signals),
            verdict: verdict(&finished.result),
            finished,
            sinks,
        }),
        Err(error) => {
            sinks.abandon();
            Err(error.into())
        }
    }
}

impl Measured {
    /// Writes the result everywhere; gives the text, what goes to stdout in its place, and what
    /// failed.
    pub fn write(self, gate: &Gate) -> (Finished, Verdict, Written) {
        let text = wrk_text(&self.finished.result);
        let samples = self
            .collected
            .as_ref()
            .map(|collected| &collected.store.log);
        let (json, errors) =
            self.sinks
                .finish(&self.finished.result, &self.verdict, gate, &text, samples);
        let written = Written { text, json, errors };
        (self.finished, self.verdict, written)
    }
}

/// What came of writing a result.
pub struct Written {
    /// As wrk2 would print it.
    pub text: String,
    /// What was asked for on stdout in place of the text.
    pub json: Option<Vec<u8>>,
    /// What could not be written.
    pub errors: Vec<StoreError>,
}
