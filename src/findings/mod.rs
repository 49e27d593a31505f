//! Findings of the checks before a measurement: each has a code, a state, a message and, where something
//! is wrong, a cure.
//!
//! Pure. The checks that need the network are made by `collect` and `commands`.

mod finding;
mod topology;

pub use finding::{Check, Finding, State};
pub use topology::topology_findings;
