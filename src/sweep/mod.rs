//! The sweep: a plan of rates, arms and repetitions, carried out step by step, resumable.
//!
//! The plan is pure: it says which step comes next from what has been measured so far. The runner is
//! given a driver that sets arms up, measures and observes, and does not know the engine.

mod driver;
mod folder;
mod journal;
mod next;
mod plan;
mod runner;
mod tables;

pub use driver::{ArmSetup, Measurer, Observer, StepEnd, SweepDriver};
pub use folder::{SweepError, SweepFolder};
pub use journal::{Event, Line};
pub use next::{Bracket, Progress, bracket, is_settled, next};
pub use plan::{
    Arm, BadPlan, Block, CapacitySearch, Cooldown, Order, Patch, StepThreshold, StopWhen,
    SweepPlan, Until, WarmUpFirst,
};
pub use runner::{Ended, run};
pub use tables::SweepTables;

#[cfg(test)]
mod tests;
