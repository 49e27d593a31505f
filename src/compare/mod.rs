//! Steps of measurements as figures, sets of steps, and what one arm costs over another.
//!
//! Pure: steps in, values and reasons out. Nothing here prints, reads files or asks a clock.

mod arm_steps;
mod capacity;
mod comparison;
mod conditions;
mod cost;
mod figures;
mod metric;
mod steps;

pub use arm_steps::{ArmSteps, common_rate};
pub use capacity::{Capacity, Knee, Prediction, capacity};
pub use comparison::{
    CapacityComparison, Comparison, LeftOut, LeftOutReason, MetricComparison, RateComparison,
    compare,
};
pub use conditions::{Condition, Conditions, add_conditions, condition_text, differing_conditions};
pub use cost::{Cost, CostDifference, ServiceCost, by_difference, costs};
pub use figures::{Latency, Saturation, ServiceFigures, StepFigures};
pub use metric::{KNOWN_METRICS, Metric, MetricUnit, Misread, Statistic, StatusClass, TimeKind};
#[cfg(test)]
pub(crate) use steps::sample as sample_steps;
pub use steps::{Step, Steps};
