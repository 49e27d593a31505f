//! The coordinator's end of a worker thread.

use super::error::EngineError;
use super::messages::{Plan, Report, Reporter, WorkerOrder};
use super::worker::work;
use crate::clock::block_for;
use crate::units::Nanos;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// Grace period when joining a worker.
const JOIN_GRACE: Nanos = Nanos::from_secs(1);
/// Polling interval while joining.
const JOIN_POLL: Nanos = Nanos::from_millis(1);

/// The coordinator's end of a worker thread. Dropping it dismisses the worker.
pub struct WorkerHandle {
    pub orders: Sender<WorkerOrder>,
    pub thread: Option<JoinHandle<()>>,
}

impl WorkerHandle {
    /// Starts a worker's thread. It sends its reports to `reports` and stops when `stop` becomes true.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the operating system gives no thread.
    pub fn spawn(
        plan: Plan,
        reports: Sender<(usize, Report)>,
        stop: watch::Receiver<bool>,
    ) -> Result<WorkerHandle, EngineError> {
        let (orders, receiver) = channel();
        let reporter = Reporter::new(plan.number, reports);
        let thread = std::thread::Builder::new()
            .name(format!("worker-{}", plan.number))
            .spawn(move || work(&plan, &receiver, &reporter, stop))
            .map_err(|error| EngineError::Refused(error.to_string()))?;
        Ok(WorkerHandle {
            orders,
            thread: Some(thread),
        })
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        let _ = self.orders.send(WorkerOrder::Dismiss);
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A script that never returns keeps its thread; the program then ends without it.
        for _ in 0..JOIN_GRACE.0 / JOIN_POLL.0 {
            if thread.is_finished() {
                // A panic in a worker has been reported as WorkerDied.
                let _ = thread.join();
                return;
            }
            block_for(JOIN_POLL);
        }
    }
}
