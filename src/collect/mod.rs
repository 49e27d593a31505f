//! What the system under load uses while the load is on: Kubernetes clusters, and processes of this
//! machine, sampled on the run's clock.
//!
//! This room only reads. It gathers samples and records when none could be had; what they mean over a
//! window is the business of `resources`.

mod collector;
mod kube_source;
mod pod_list;
mod preflight;
mod processes;
mod sample_store;
mod window_edges;

pub use collector::{CollectError, Collected, Collector, Introduction, spans};
pub use kube_source::NoCluster;
pub use preflight::preflight;
pub use processes::NoProcess;
pub use sample_store::Book;
