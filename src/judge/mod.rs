//! What the figures say: whether a run can be believed, and why not.
//!
//! Pure. Answers with values and reasons, prints nothing.

mod verdict;

pub use verdict::{Level, Reason, Verdict, verdict};
