//! The verdict on one run: whether its numbers can be believed, whether the system held the rate, and
//! how well the run knows its own percentiles.
//!
//! Pure. Answers with values and reasons, and prints nothing.

mod instrument;
mod judged_run;
mod stability;
mod within_run;

pub use instrument::{Level, Reason, Verdict, verdict};
pub use judged_run::{JudgedRun, MeasuredRun};
pub use stability::{Stability, stability};
pub use within_run::{PercentileInterval, percentile_intervals};
