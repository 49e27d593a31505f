//! WHAT HAPPENED: a recorder per worker, frozen into a tally that adds up, and the result of a run.
//!
//! Pure. Knows no format and no file; what the figures say about the run is `judge`'s business.

mod errors;
mod exchange;
mod histogram;
mod note;
mod recorder;
mod result;
mod routes;
mod slice;
mod tally;

pub use errors::{ErrorKind, Errors};
pub use exchange::{Delivery, Failure, RequestRow, Sending, StatusCounts};
pub use histogram::{
    Distribution, FEW_BEYOND, Histogram, are_few, coarse, distance_beyond, doubt_mark, fine,
    record, share_within, sum,
};
pub use note::Note;
pub use recorder::Recorder;
pub use result::{
    Ending, Environment, GeneratorUse, Interval, Percentile, RunResult, TargetResult, Targets,
    ThreadUse,
};
pub use routes::{RouteId, Routes};
pub use slice::Slice;
pub use tally::{RouteTally, Tally, TallyField};

#[cfg(test)]
pub use tally::tests::distinct;

#[cfg(test)]
pub mod sample;
