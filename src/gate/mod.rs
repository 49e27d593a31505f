//! The gate of a build: thresholds on a run, limits on how much worse it may be than a baseline, and the
//! rule for how many runs are needed to decide.
//!
//! Pure: runs and steps in, outcomes and reasons out. Nothing here prints, reads files or asks a clock.

mod build;
mod regression;
mod slo;
mod subject;
mod threshold;
mod trial;

pub use build::Gate;
#[cfg(test)]
pub(crate) use build::sample as sample_gate;
pub use regression::{
    MaxRegression, Pairing, RegressionOutcome, Resolution, are_narrow, regressions,
};
pub use slo::{BadSlo, Slo};
pub use threshold::{BadThreshold, Outcome, Threshold};
pub use trial::{
    BASELINE_ARM, NEW_ARM, TooFewRuns, Trial, TrialBase, UnusableBaseline, usable_baseline,
};
