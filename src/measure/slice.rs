//! What one worker did in one interval. Replies and failures belong to the interval in which they come,
//! whenever their requests were due.

use super::{Errors, Histogram, RequestRow, StatusCounts, fine};
use crate::units::Nanos;

/// One worker's part of an interval; moments are nanoseconds since the load began.
#[derive(Debug, Clone)]
pub struct Slice {
    pub start: Nanos,
    pub end: Nanos,
    /// The number of replies that were read to their end.
    pub completed: u64,
    /// The number of requests that failed.
    pub failed: u64,
    /// Status codes of the completed requests.
    pub status: StatusCounts,
    /// Kinds of errors of the failed requests.
    pub errors: Errors,
    /// The number of bytes that were read.
    pub bytes: u64,
    /// The number of arrivals that were taken from the schedule between the beginning of the load and
    /// the end of the interval.
    pub taken: u64,
    /// The number of requests that were in flight at the end of the interval.
    pub in_flight: u64,
    /// done - due of the completed requests; empty in a closed loop.
    pub latency: Histogram,
    /// done - sent of the completed requests.
    pub service: Histogram,
    /// sent - due of the completed requests; empty in a closed loop.
    pub lag: Histogram,
    /// The part of the lag that is the generator's fault; empty in a closed loop.
    pub late: Histogram,
    /// A row for every request that ended in the interval, where rows are kept.
    pub rows: Vec<RequestRow>,
}

impl Slice {
    /// An empty slice of the interval from `start` to `end`.
    pub fn new(start: Nanos, end: Nanos) -> Slice {
        Slice {
            start,
            end,
            completed: 0,
            failed: 0,
            status: StatusCounts::default(),
            errors: Errors::default(),
            bytes: 0,
            taken: 0,
            in_flight: 0,
            latency: fine(),
            service: fine(),
            lag: fine(),
            late: fine(),
            rows: Vec::new(),
        }
    }

    /// An empty slice that begins where this one ends. Its histograms are already as large as those of
    /// this slice have grown, so that the hot path need not allocate.
    pub fn next(&self, end: Nanos) -> Slice {
        Slice {
            start: self.end,
            end,
            completed: 0,
            failed: 0,
            status: StatusCounts::default(),
            errors: Errors::default(),
            bytes: 0,
            taken: self.taken,
            in_flight: self.in_flight,
            latency: Histogram::new_from(&self.latency),
            service: Histogram::new_from(&self.service),
            lag: Histogram::new_from(&self.lag),
            late: Histogram::new_from(&self.late),
            rows: Vec::with_capacity(self.rows.len()),
        }
    }

    /// Adds another worker's part of the same interval. Rows are not added, because their route numbers
    /// are those of the other worker.
    pub fn merge(&mut self, other: &Slice) {
        let Slice {
            start: _,
            end: _,
            completed,
            failed,
            status,
            errors,
            bytes,
            taken,
            in_flight,
            latency,
            service,
            lag,
            late,
            rows: _,
        } = other;
        self.completed += completed;
        self.failed += failed;
        self.status.merge(status);
        self.errors.merge(errors);
        self.bytes += bytes;
        self.taken += taken;
        self.in_flight += in_flight;
        // This cannot fail, because all histograms of this room grow.
        let _ = self.latency.add(latency);
        let _ = self.service.add(service);
        let _ = self.lag.add(lag);
        let _ = self.late.add(late);
    }
}
