//! What fails a build: thresholds on one run, limits on how much worse it may be than a baseline, and
//! how many runs it takes to tell.
//!
//! Pure. Answers with values and reasons, and prints nothing.

mod build;
mod regression;
mod slo;
mod subject;
mod threshold;
mod trial;

#[cfg(test)]
pub(crate) use build::sample as sample_gate;
pub use build::{Gate, are_believed};
pub use regression::{
    MaxRegression, Pairing, RegressionOutcome, Resolution, are_narrow, regressions,
};
pub use slo::{BadSlo, Slo};
pub use threshold::{BadThreshold, Outcome, Threshold};
pub use trial::{
    BASELINE_ARM, NEW_ARM, TooFewRuns, Trial, TrialBase, UnusableBaseline, usable_baseline,
};
