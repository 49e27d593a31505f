//! The verdict on one run: whether its numbers can be used, whether the system held the rate, and how
//! uncertain its percentiles are.
//!
//! Pure: a result in, verdicts and reasons out. Nothing here prints, reads files or asks a clock.

mod instrument;
mod judged_run;
mod stability;
mod within_run;

pub use instrument::{Level, Reason, Verdict, verdict};
pub use judged_run::{JudgedRun, MeasuredRun};
pub use stability::{Stability, stability};
pub use within_run::{PercentileInterval, percentile_intervals};
