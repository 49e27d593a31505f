//! What happened in a run: each worker has a [`Recorder`], which ends as a [`Tally`]; the tallies of all
//! workers are added up and become the [`RunResult`].
//!
//! This room is pure. It knows neither files nor their formats, and it does not judge its numbers.

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
