//! Sweeps: a plan of rates, arms and repetitions is carried out step by step, and can be resumed.
//!
//! Which step comes next follows from the plan and from what has been measured. The runner is given a
//! [`SweepDriver`] that sets arms up, measures and observes, so this room knows neither the engine nor a
//! cluster.

mod driver;
mod folder;
mod journal;
mod next;
mod plan;
mod runner;
mod tables;

pub use driver::{ArmSetup, Measurer, Observer, StepEnd, SweepDriver};
pub use folder::{SweepError, SweepFolder};
pub use journal::{JournalEvent, JournalLine};
pub use next::{Bracket, Progress, bracket, is_settled, next};
pub use plan::{
    Arm, BadPlan, BlockUnit, CapacitySearch, Cooldown, Order, Patch, StepThreshold, StopWhen,
    SweepPlan, Until, WarmUpFirst,
};
pub use runner::{Ended, run};
pub use tables::SweepTables;

#[cfg(test)]
mod tests;
