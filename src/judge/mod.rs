//! What the figures say: whether a run can be believed, and why not.
//!
//! Pure. Answers with values and reasons, prints nothing.

mod finding;
mod preflight;
mod slo;
mod stability;
mod verdict;

pub use finding::{Finding, State};
pub use preflight::topology_findings;
pub use slo::{BadSlo, Measure, Slo};
pub use stability::{Stability, stability};
pub use verdict::{Level, Reason, Verdict, verdict};
