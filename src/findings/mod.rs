//! What a look at the surroundings says about a measurement to come: findings, each with a state and,
//! where something is wrong, a cure.
//!
//! Pure. `collect` and `commands` do the looking.

mod finding;
mod topology;

pub use finding::{Check, Finding, State};
pub use topology::topology_findings;
