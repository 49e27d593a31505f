//! What the system under load uses while the load is on: Kubernetes clusters, and processes of this
//! machine, sampled on the run's clock.
//!
//! This room only reads. It gathers samples and records when none could be had; what they mean over a
//! window is the business of `resources`.

mod collected;
mod collector;
mod error;
mod info;
mod kube_source;
mod pod_list;
mod preflight;
mod processes;
mod sample_store;
mod sampling_loop;
mod source;
mod tasks;
mod window_edges;

pub use collected::{Collected, spans};
pub use collector::Collector;
pub use error::{ClusterError, CollectError, ProcessError};
pub use info::CollectorInfo;
pub use preflight::preflight;
pub use sample_store::SampleStore;
