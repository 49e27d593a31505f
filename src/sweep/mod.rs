//! The sweep: a plan of rates, arms and repetitions, carried out step by step, resumable.
//!
//! The plan is pure: it says which step comes next from what has been measured so far. The runner
//! is given hands that do a step, and does not know the engine.

mod folder;
mod journal;
mod next;
mod plan;
mod runner;

pub use folder::{Contents, PLAN_JSON, StepResult, SweepError, SweepFolder};
pub use journal::{Event, Line};
pub use next::{Bracket, Measured, bracket, is_settled, next};
pub use plan::{
    Arm, BadPlan, Block, Capacity, ClusterPlan, Cooldown, LoadPlan, Order, Patch, Step,
    StepThreshold, StopWhen, SweepPlan, WarmUpFirst,
};
pub use runner::{Ended, Hands, StepEnd, run};

#[cfg(test)]
mod tests;
