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
mod flush;
mod kube_source;
mod kubelet;
mod listing;
mod objects;
mod operator;
mod preflight;
mod processes;
mod rollout;
mod topology;
mod undo;

pub use access::AccessError;
pub use book::Book;
pub use calls::CallError;
pub use collector::{CollectError, Collected, Collector, Introduction, spans};
pub use kube_source::NoCluster;
pub use objects::ObjectName;
pub use operator::{Operator, OperatorError, strangers};
pub use preflight::preflight;
pub use processes::NoProcess;
pub use undo::Undo;

#[cfg(test)]
mod tests;
