//! What the coordinator and a worker say to each other.

use crate::clock::RunClock;
use crate::measure::{ErrorKind, Slice, Tally, ThreadUse};
use crate::script::{Question, ScriptError, ScriptSpec};
use crate::spec::{RunSpec, Target};
use crate::transport::{Address, Dialer};
use crate::units::Nanos;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tokio::sync::watch;

/// Everything that a worker is given when its thread starts.
pub struct Plan {
    pub spec: Arc<RunSpec>,
    pub target: Target,
    /// The target's addresses, which may change during the load.
    pub addresses: watch::Receiver<Vec<Address>>,
    pub dialer: Dialer,
    pub script: Option<Arc<ScriptSpec>>,
    /// Index of this worker within its target.
    pub worker: usize,
    /// Index of this worker among all workers.
    pub number: usize,
    /// Number of workers of all targets together.
    pub threads: usize,
    /// Cores that the process may use.
    pub cores: usize,
}

/// What the coordinator asks of a worker.
pub enum WorkerOrder {
    /// Answer a question of the main script's state; before `Open` and after the run.
    Answer(Question),
    /// Initialise the script and open the connections.
    Open,
    /// Make the load, on this clock.
    Start(RunClock),
    /// Exit: no more questions will come.
    Dismiss,
}

/// What a worker reports to the coordinator.
pub enum Report {
    /// The script is loaded.
    Loaded,
    /// Every connection has been tried once.
    Opened(Opened),
    /// Intervals have ended. The names of routes come along when the slices have rows.
    Slices(Vec<Slice>, Vec<String>),
    /// The worker has finished.
    Ended(Box<WorkerReport>),
    /// The script failed. During the load the worker's figures still follow.
    Broken(ScriptError),
    /// The operating system refused something.
    Refused(String),
}

/// The outcome of opening a worker's connections.
#[derive(Debug, Clone)]
pub struct Opened {
    /// How many are open.
    pub count: usize,
    /// The first error, if there was any.
    pub error: Option<String>,
}

/// The final figures of a worker.
pub struct WorkerReport {
    pub tally: Tally,
    /// CPU time of the thread.
    pub usage: ThreadUse,
    /// When the script stopped the worker (`thread:stop()`).
    pub stopped: Option<Nanos>,
    /// Whether a script moved due times or sent batches.
    pub has_moved_arrivals: bool,
    /// The text of the first error of each kind.
    pub first_errors: Vec<(ErrorKind, String)>,
    /// Names of request headers that HTTP/2 does not have.
    pub left_out: Vec<String>,
    /// The smallest number of streams that a server has allowed on a connection.
    pub fewest_streams: usize,
    /// When the worker's load ended.
    pub stop: Nanos,
}

/// Sends the reports of one worker.
#[derive(Clone)]
pub struct Reporter {
    number: usize,
    sender: Sender<(usize, Report)>,
}

impl Reporter {
    /// The reporter of the worker with this number.
    pub fn new(number: usize, sender: Sender<(usize, Report)>) -> Reporter {
        Reporter { number, sender }
    }

    /// Sends a report; a coordinator that has given up needs none.
    pub fn send(&self, report: Report) {
        let _ = self.sender.send((self.number, report));
    }

    /// Sends slices that have ended, if there are any. `route_names` is called when they have rows.
    pub fn send_slices(&self, slices: Vec<Slice>, route_names: impl FnOnce() -> Vec<String>) {
        if slices.is_empty() {
            return;
        }
        let has_rows = slices.iter().any(|slice| !slice.rows.is_empty());
        let names = if has_rows { route_names() } else { Vec::new() };
        self.send(Report::Slices(slices, names));
    }
}
