//! Where samples come from: a cluster, or processes of this machine.

use super::error::CollectError;
use super::info::CollectorInfo;
use super::kube_source::KubeSource;
use super::processes::Processes;
use super::sample_store::SampleStore;
use super::tasks::Tasks;
use crate::clock::TimeSource;
use crate::kube::CallCounts;
use crate::spec::{CollectFrom, CollectSpec};
use crate::units::Nanos;
use std::rc::Rc;

/// Where samples come from.
pub enum SampleSource {
    /// The kubelets of a cluster, and commands in its containers.
    Kube(Rc<KubeSource>),
    /// /proc and the cgroup files of this machine.
    Processes(Box<Processes>),
}

impl SampleSource {
    /// Finds what was asked for and takes first samples.
    ///
    /// # Errors
    /// [`CollectError`] with the cure.
    pub async fn find(spec: &CollectSpec, clock: TimeSource) -> Result<SampleSource, CollectError> {
        Ok(match &spec.from {
            CollectFrom::Process(choices) => {
                SampleSource::Processes(Box::new(Processes::find(choices, clock)?))
            }
            _ => SampleSource::Kube(Rc::new(KubeSource::find(spec, clock).await?)),
        })
    }

    /// What was found.
    pub fn info(&self) -> CollectorInfo {
        match self {
            SampleSource::Kube(source) => source.info(),
            SampleSource::Processes(source) => source.info(),
        }
    }

    /// Asks for everything that is due in the round of this number; calls are added to `tasks`.
    pub fn poll(&self, round: u64, tasks: &mut Tasks) {
        match self {
            SampleSource::Kube(source) => source.poll(round, tasks),
            SampleSource::Processes(source) => source.poll(),
        }
    }

    /// Reads the counters that are wanted at an edge of the window.
    pub fn read_edge(&self, tasks: &mut Tasks) {
        match self {
            SampleSource::Kube(source) => source.read_edge_in_task(tasks),
            SampleSource::Processes(source) => source.poll(),
        }
    }

    /// Whether every sample has come that was taken before `window_end`, in nanoseconds since 1970.
    pub fn is_settled(&self, window_end: Nanos) -> bool {
        match self {
            SampleSource::Kube(source) => source.is_settled(window_end),
            SampleSource::Processes(_) => true,
        }
    }

    /// A copy of what was collected so far.
    pub fn store(&self) -> SampleStore {
        match self {
            SampleSource::Kube(source) => source.store.borrow().clone(),
            SampleSource::Processes(source) => source.store.borrow().clone(),
        }
    }

    /// Calls made so far.
    pub fn counts(&self) -> CallCounts {
        match self {
            SampleSource::Kube(source) => source.counts(),
            SampleSource::Processes(_) => CallCounts::default(),
        }
    }
}
