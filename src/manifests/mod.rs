//! Objects of the Kubernetes API as values: what pods and nodes are, and the patch that undoes a change.
//!
//! Pure. Fetching and changing the objects is the business of `kube` and `operate`.

mod merge_patch;
mod node;
mod pod;

pub use merge_patch::reverse_patch;
pub use node::node;
pub use pod::{AMBIENT_LABEL, pod};

#[cfg(test)]
mod tests;
