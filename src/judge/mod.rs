//! What the figures say: whether a run can be believed, and why not.
//!
//! Pure. Answers with values and reasons, prints nothing.

mod arm_steps;
mod as_study;
mod capacity;
mod comparison;
mod conditions;
mod cost;
mod figures;
mod gate;
mod judged_run;
mod metric;
mod regression;
mod slo;
mod stability;
mod statistics;
mod steps;
mod subject;
mod threshold;
mod trial;
mod verdict;
mod within_run;

pub use arm_steps::{ArmSteps, common_rate};
pub use as_study::StudyOverhead;
pub use capacity::{Capacity, Knee, Prediction, capacity};
pub use comparison::{
    CapacityComparison, Comparison, LeftOut, LeftOutReason, MetricComparison, RateComparison,
    compare,
};
pub use conditions::{Condition, Conditions, add_conditions, condition_text, unlike};
pub use cost::{Cost, CostDifference, by_difference, costs};
pub use figures::{Latency, Saturation, ServiceFigures, StepFigures, step_of};
#[cfg(test)]
pub(crate) use gate::sample as sample_gate;
pub use gate::{Gate, are_believed};
pub use judged_run::{JudgedRun, MeasuredRun};
pub use metric::{Metric, Statistic, StatusClass, TimeKind};
pub use regression::{
    MaxRegression, Pairing, RegressionOutcome, Resolution, are_narrow, regressions,
};
pub use slo::{BadSlo, Slo};
pub use stability::{Stability, stability};
pub use statistics::{BLOCKS_FOR_AN_INTERVAL, Estimate, Spread, mean_over_blocks};
#[cfg(test)]
pub(crate) use steps::sample as sample_steps;
pub use steps::{Step, Steps};
pub use threshold::{BadThreshold, Outcome, Threshold};
pub use trial::{
    BASELINE_ARM, NEW_ARM, TooFewRuns, Trial, TrialBase, UnusableBaseline, usable_baseline,
};
pub use verdict::{Level, Reason, Verdict, verdict};
pub use within_run::{PercentileInterval, percentile_intervals};
