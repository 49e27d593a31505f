//! What the system under load uses while the load is on: Kubernetes clusters, and processes of this
//! machine, sampled on the run's clock.
//!
//! It brings samples home and says when it could not; what they mean is `resources`' business.

mod access;
mod book;
mod calls;
mod collector;
mod edges;
mod exec;
mod kube_source;
mod kubelet;
mod listing;
mod preflight;
mod processes;
mod topology;

pub use access::AccessError;
pub use book::Book;
pub use calls::CallError;
pub use collector::{CollectError, Collected, Collector, Introduction, spans};
pub use kube_source::NoCluster;
pub use preflight::preflight;
pub use processes::NoProcess;

#[cfg(test)]
mod tests;
