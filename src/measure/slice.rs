//! What one worker saw in one interval, by the time at which things finished.

use super::{Errors, Histogram, RequestRow, StatusCounts, fine};
use crate::units::Nanos;

/// One worker's part of an interval.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Start, since the load began.
    pub start: Nanos,
    /// End.
    pub end: Nanos,
    /// Replies that were completed in it.
    pub completed: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Status codes of the completed requests.
    pub status: StatusCounts,
    /// What the failed requests failed of.
    pub errors: Errors,
    /// Bytes read in it.
    pub bytes: u64,
    /// Arrivals taken from the schedule since the load began, up to its end.
    pub taken: u64,
    /// Requests on the wire at its end.
    pub in_flight: u64,
    /// done - due of the completed; empty in a closed loop.
    pub latency: Histogram,
    /// done - sent of the completed.
    pub service: Histogram,
    /// sent - due of the completed; empty in a closed loop.
    pub lag: Histogram,
    /// The generator's part of the lag.
    pub late: Histogram,
    /// Every request, when they are asked for.
    pub rows: Vec<RequestRow>,
}

impl Slice {
    /// An empty slice.
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

    /// An empty slice that follows this one, with histograms already as large as these have grown.
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

    /// Adds another worker's part of the same interval. Rows are not added: their route numbers
    /// mean something to their own worker only.
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
        // Cannot fail: these histograms grow.
        let _ = self.latency.add(latency);
        let _ = self.service.add(service);
        let _ = self.lag.add(lag);
        let _ = self.late.add(late);
    }
}
